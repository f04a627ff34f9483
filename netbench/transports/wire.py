"""The one way a program gets to a shell on an endpoint, and its answer back.

What a login shell gets is one constant line that every shell takes for the same thing: it starts ``sh`` with the
program on stdin, and ends it when its time is over. So no login shell parses a program, no process title shows one, and
a program that arrives in part is a syntax error instead of a half of it. The answer is framed by a token that comes
with the program: whatever else is printed there (banners, rc files, a forged answer) is noise.
"""

from __future__ import annotations

import math
import re
import secrets
import shlex
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from netbench.errors import ConnectionCutError, OutputLimitError, TransportError
from netbench.model import Command, Completed, FailureClass

GREETING = b"netbench-42\n"  # worked out by sh: a shell that only prints the line back does not say this
NOISE = 256 << 10  # bytes that may come besides the answer
LONGEST = 64 << 10  # bytes of one line
ERRORS = 64 << 10  # bytes of stderr that are kept
MOST_ERRORS = 1 << 20  # bytes of stderr that are taken at all
KEPT = 1000  # bytes of noise that are kept, for messages
LATE = 2  # seconds that the endpoint's own deadline comes after the caller's
CPU = 20  # seconds of CPU time that a script may use

# Three processes: the sleep, which is the deadline; the sh that reads the program, in a session of its own, so that
# what it started ends with it; and a subshell, which ends that sh when told to, and the sleep when that sh is over,
# however it ended. All are waited for, or a pod whose first process does not reap would keep them as zombies (the
# `timeout` of BusyBox would leave one there). A bash that is called sh takes functions from the environment. No "!"
# before anything but a blank: csh takes it for history.
_BODY = (
    "unset -f command echo kill sh sleep wait ; command -v sleep >/dev/null || "
    '{{ echo "sh finds no sleep on its PATH" >&2 ; exit 127 ; }} ; '
    'trap "" HUP INT ; exec 3<&0 ; echo netbench-$((6*7)) ; sleep {seconds} >/dev/null 2>&1 3<&- & s=$! ; '
    '( trap "kill -15 -\\$i || kill \\$i ; sleep 1 ; kill -9 -\\$i || kill -9 \\$i" TERM ; '
    "$(command -v setsid) sh <&3 3<&- & i=$! ; exec 3<&- 2>/dev/null ; "
    "wait $i ; wait $i ; kill $s ) & p=$! ; exec 3<&- 2>/dev/null ; wait $s ; [ $? -gt 128 ] || kill $p ; wait $p "
)
_PROGRAM = """{{
netbench_t={token}
{library}
ulimit -c 0
ulimit -S -t {cpu}
{environment}set -- {arguments}
{body}
}} </dev/null
"""
_PLAIN = """printf '\\n%s o\\n' "$netbench_t"
command -v setsid >/dev/null && set -- setsid "$@"
{stdin}"$@" &
trap '{{ kill -9 -$! || kill -9 $!; }} 2>/dev/null' TERM
wait $!
netbench_r=$?
wait
printf '\\n%s e %s -\\n' "$netbench_t" "$netbench_r"
exit"""


def argv(deadline: float) -> tuple[str, ...]:
    """What starts the shell that reads a program, for transports that take an argv."""
    return ("sh", "-c", _BODY.format(seconds=math.ceil(deadline) + LATE))


def line(deadline: float) -> str:
    """The same as the line for a login shell; it differs from call to call in a whole number of seconds only."""
    return shlex.join(argv(deadline))


def new_token() -> str:
    """For one call; it must not be used twice."""
    return secrets.token_hex(16)


def program(command: Command, token: str) -> str:
    """The text that ``sh`` reads: the command's script, or a call of its argv. Raises TransportError for a NUL."""
    arguments = command.argv[1:] if command.script else command.argv
    if any("\0" in text for text in (*arguments, *command.env.values(), command.stdin)):
        raise TransportError(f"{command.argv[0]}: an argument with a NUL byte", failure=FailureClass.TOOL_FAILED)
    environment = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in command.env.items())
    if command.script:
        body, cpu = f"{command.script}\nfinish 0", str(CPU)
    else:
        stdin = f"printf %s {shlex.quote(command.stdin)} | " if command.stdin else ""
        body, cpu = _PLAIN.format(stdin=stdin), "unlimited"
    return _PROGRAM.format(
        token=token,
        library=script_text("netbench.transports", "wire.sh"),
        cpu=cpu,
        environment=environment,
        arguments=shlex.join(arguments),
        body=body,
    )


@cache
def script_text(package: str, name: str) -> str:
    """A shell script of ours without its comments and indentation: some shells read a program byte by byte."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


class Answer:
    """Reads what comes back, in pieces of any size; linear in time, bounded in memory."""

    def __init__(self, token: str, limit: int, on_output: Callable[[bytes], None] | None = None) -> None:
        self.greeted = False  # the login shell ran our line
        self.begun = False  # the program said something
        self.exit_code: int | None = None  # None until the end has arrived
        self.output = bytearray()
        self._marker = f"\n{token} ".encode()
        self._limit, self._on_output = limit, on_output
        self._buffer = bytearray()
        self._fed = 0  # bytes in all
        self._looked = 0  # bytes of the buffer in which the end of a message's line is not
        self._tail = bytearray()  # the last bytes, for a greeting that comes in pieces
        self._noise = bytearray()
        self._noisy = 0  # bytes of noise in all
        self._lines = 0
        self._data = 0  # bytes of a blob that are still to come
        self._raw = False  # a program's own stdout, up to its end's line

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises OutputLimitError for more than the command's limit, or more noise than usual."""
        if self.exit_code is not None:
            return
        self._fed += len(piece)
        if self._fed > self._limit + NOISE:  # also what says nothing: headers, empty messages
            raise _too_much(self._limit + NOISE, "an answer")
        self._buffer += piece
        if not self.greeted:
            self._tail += piece
            self.greeted = GREETING in self._tail
            del self._tail[: -len(GREETING)]
        while self.exit_code is None and self._buffer and self._step():
            pass

    def completed(self, stderr: bytes, seconds: float) -> Completed:
        """The whole answer. Raises ConnectionCutError where it is not whole."""
        if self.exit_code is None:
            raise ConnectionCutError("the answer was cut short")
        return Completed(self.exit_code, bytes(self.output), stderr, seconds)

    def said(self) -> str:
        """What was printed besides the answer, as far as it is kept; from outside."""
        return bytes(self._noise + self._buffer)[:KEPT].replace(GREETING, b"").decode("utf-8", "replace").strip()

    def _step(self) -> bool:
        """Take one part of the buffer; False where more has to come first."""
        if self._data:
            piece = bytes(self._buffer[: self._data])
            del self._buffer[: len(piece)]
            self._data -= len(piece)
            self._emit(piece)
            return True
        at = self._buffer.find(self._marker)
        if at < 0:
            # all but what may be the beginning of a marker: that has but one line end, and it comes first
            last = self._buffer.rfind(b"\n", max(0, len(self._buffer) - len(self._marker)))
            begins = last >= 0 and self._marker.startswith(self._buffer[last:])
            self._pass_over(last if begins else len(self._buffer))
            return False
        self._pass_over(at)
        end = self._buffer.find(b"\n", max(len(self._marker), self._looked))
        if end < 0:
            self._looked = len(self._buffer)
            if self._looked > LONGEST:
                raise _too_much(LONGEST, "a line")
            return False
        header = bytes(self._buffer[len(self._marker) : end])
        del self._buffer[: end + 1]
        self._looked = 0
        self.begun = True
        self._message(header)
        return True

    def _message(self, header: bytes) -> None:
        kind, _, rest = header.partition(b" ")
        if kind in (b"l", b"n"):
            self._lines += kind == b"l"
            self._emit(rest + b"\n")
        elif kind == b"d" and re.fullmatch(rb"\d{1,12}", rest):
            self._data = int(rest)
            if len(self.output) + self._data > self._limit:
                raise _too_much(self._limit, "output")
        elif kind == b"o":
            self._raw = True
        elif kind == b"e" and (match := re.fullmatch(rb"(\d{1,3}) (\d{1,9}|-)", rest)):
            if match[2] != b"-" and int(match[2]) != self._lines:
                raise ConnectionCutError(f"the answer has {self._lines} of its {int(match[2])} lines")
            self.exit_code = int(match[1])

    def _pass_over(self, count: int) -> None:
        """Bytes before a marker: a program's output, or noise."""
        if count <= 0:
            return
        piece = bytes(self._buffer[:count])
        del self._buffer[:count]
        if self._raw:
            self._emit(piece)
            return
        self._noise += piece[: KEPT - len(self._noise)]
        self._noisy += count
        if self._noisy > NOISE:
            raise _too_much(NOISE, "what is no answer")

    def _emit(self, data: bytes) -> None:
        if len(self.output) + len(data) > self._limit:
            raise _too_much(self._limit, "output")
        self.output += data
        if self._on_output is not None and data:
            self._on_output(data)


class Errors:
    """What comes on stderr: its beginning is kept, and no more than so much of it is taken."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self._taken = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises OutputLimitError."""
        self._taken += len(piece)
        self.kept += piece[: ERRORS - len(self.kept)]
        if self._taken > MOST_ERRORS:
            raise _too_much(MOST_ERRORS, "stderr")


def _too_much(limit: int, what: str) -> OutputLimitError:
    return OutputLimitError(
        f"more than {limit} bytes of {what}",
        "see what the endpoint's shell prints: an rc file, a ForceCommand, or a program in a tool's place",
    )
