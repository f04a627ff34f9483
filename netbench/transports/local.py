"""Commands on the machine netbench runs on."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from netbench.errors import DeadlineError, OutputLimitError, TransportError
from netbench.model import Access, Command, Completed, FailureClass
from netbench.transports import wire
from netbench.transports.base import Connector, OnOutput
from netbench.transports.credentials import VARIABLES

PIECE = 65536  # bytes read at once
ENDING = 3.0  # seconds from a polite end to a hard one: a script's shell needs one to end what it started
INHERITED = 5.0  # seconds that output may stay open after the end, in processes that the command left


class LocalTransport:
    """Runs argv as child processes, each in a session of its own so that a deadline ends all of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()  # process groups

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        if not command.script:
            return self._start(command.argv, command, command.stdin, on_output)
        token = wire.new_token()
        answer = wire.Answer(token, command.limit, on_output)
        argv = wire.argv(command.deadline)
        done = self._start(argv, command, wire.program(command, token), answer.feed, keep=False)
        return answer.completed(done.stderr, done.seconds)

    def _start(
        self, argv: tuple[str, ...], command: Command, stdin: str, on_output: OnOutput | None, keep: bool = True
    ) -> Completed:
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                argv,
                env={**_environment(), "LC_ALL": "C", **command.env},
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
            raise TransportError(
                f"cannot start {argv[0]!r}: {getattr(error, 'strerror', None) or error}",
                f"install {argv[0]} or put it on the PATH",
                failure=FailureClass.TOOL_MISSING,
            ) from error
        with self._lock:
            self._running.add(process.pid)
        streams = _Streams(process, stdin.encode("utf-8", "surrogateescape"))
        stdout, stderr = bytearray(), wire.Errors()

        def take(piece: bytes) -> None:
            if keep:
                stdout.extend(piece)
                if len(stdout) > command.limit:
                    raise OutputLimitError(
                        f"{argv[0]}: more than {command.limit} bytes of output", f"see what {argv[0]} prints"
                    )
            if on_output:
                on_output(piece)

        try:
            if not streams.pump(started + command.deadline, take, stderr.feed):
                raise DeadlineError(f"{command.argv[0]} gave no answer within {command.deadline:g} s")
        except BaseException:
            # what a script runs in is a session of its own: the shell before it ends that, when it is told to
            os.killpg(process.pid, signal.SIGTERM)  # not waited for yet: its number is still its own
            streams.pump(time.monotonic() + ENDING, _ignore, _ignore)
            raise
        finally:
            with self._lock:  # its number may be somebody else's as soon as it is waited for
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                self._running.discard(process.pid)
            process.wait()
            streams.close()
        return Completed(process.returncode, bytes(stdout), bytes(stderr.kept), time.monotonic() - started)

    def close(self) -> None:
        """End what still runs: a kubectl whose pod keeps it waiting would stay when netbench has gone."""
        with self._lock:
            for pid in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)


class _Streams:
    """A process's three streams and its end, in one loop of the caller's own thread."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes) -> None:
        self._process = process
        self._input = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        self._end = os.pidfd_open(process.pid)
        self._ended = False
        self._selector.register(self._end, selectors.EVENT_READ)
        for stream in (process.stdout, process.stderr):
            assert stream is not None  # noqa: S101 - Popen was given PIPE
            self._selector.register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE)

    def pump(self, until: float, take: Callable[[bytes], object], keep_error: Callable[[bytes], object]) -> bool:
        """Until the process has ended and its output is read; False where the time (of the monotonic clock) is over.

        May be called again after it raised what a taker raised, or said False.
        """
        takers: dict[object, Callable[[bytes], object]] = {}
        for stream, taker in ((self._process.stdout, take), (self._process.stderr, keep_error)):
            if stream in self._selector.get_map():
                takers[stream] = taker
        while takers or not self._ended:
            left = until - time.monotonic()
            if left <= 0:
                return self._ended
            for key, _ in self._selector.select(left):
                if key.fileobj == self._end:
                    self._ended = True
                    self._selector.unregister(self._end)  # not waited for yet: its number stays its own
                    until = min(until, time.monotonic() + INHERITED)
                elif key.fileobj is self._process.stdin:
                    self._write()
                elif piece := os.read(key.fd, PIECE):
                    takers[key.fileobj](piece)
                else:
                    self._selector.unregister(key.fileobj)
                    del takers[key.fileobj]
        return True

    def _write(self) -> None:
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 - it was registered
        try:
            self._input = self._input[os.write(stream.fileno(), self._input) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it reads no more
            self._input = self._input[:0]
        if not self._input:
            self._selector.unregister(stream)
            stream.close()

    def close(self) -> None:
        self._selector.close()
        os.close(self._end)
        streams: tuple[IO[bytes] | None, ...] = (self._process.stdin, self._process.stdout, self._process.stderr)
        for stream in streams:
            if stream is not None and not stream.closed:
                stream.close()


def _ignore(piece: bytes) -> None:
    """For output that nobody wants any more."""


def connect(access: Access, connector: Connector) -> LocalTransport:
    """Entry point ``local``."""
    return LocalTransport()


def _environment() -> dict[str, str]:
    """This process's own, without the secrets in it: no child needs them."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}
