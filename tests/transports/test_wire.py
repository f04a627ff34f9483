"""How programs get to a shell, on real ones: dash, bash and BusyBox; and what is believed of what comes back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netbench.errors import ConnectionCutError, OutputLimitError, TransportError
from netbench.model import Command, Completed
from netbench.transports import wire
from netbench.transports.wire import GREETING, KEPT, LATE, LONGEST, NOISE, Answer
from tests.run.test_jobs import SHELLS, path_of, processes_about, sent, until

TOKEN = "0123456789abcdef" * 2
OTHER = "f" * 32
HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "a b",
    "'\"",
    "'",
    "-n",
    "\n",
    "*",
    "",
    "~",
    "\\",
    "!!",
    "ä€",
    "}",
    "#",
    "\t",
)
LOGIN_SHELLS = ("bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "tcsh", "zsh")


def message(kind: str, rest: str = "", token: str = TOKEN) -> bytes:
    return f"\n{token} {kind} {rest}".rstrip(" ").encode() + b"\n"


WHOLE = b"".join(
    (
        *(
            b"Welcome\nno newline",
            GREETING,
            message("l", "first line"),
            b"noise in between",
            message("n", "not counted"),
        ),
        *(message("d", "11"), b"a\n\0", message("e", "0 0")[:8], message("l", "second $(line)"), b"\n"),
        *(message("e", "7 2"), b"noise after the end", message("l", "too late")),
    )
)
OUTPUT = b"first line\nnot counted\na\n\0" + message("e", "0 0")[:8] + b"second $(line)\n"


def fed(data: bytes, size: int = 0, limit: int = 10_000) -> Answer:
    answer = Answer(TOKEN, limit)
    for start in range(0, len(data), size or len(data) or 1):
        answer.feed(data[start : start + (size or len(data))])
    return answer


def test_an_answer_in_pieces_of_every_size() -> None:
    for size in range(1, len(WHOLE) + 1):
        pieces: list[bytes] = []
        answer = Answer(TOKEN, 1000, pieces.append)
        for start in range(0, len(WHOLE), size):
            answer.feed(WHOLE[start : start + size])
        assert answer.completed(b"err", 1.5) == Completed(7, OUTPUT, b"err", 1.5)
        assert b"".join(pieces) == OUTPUT
        assert answer.greeted
        assert answer.begun
        assert answer.said().startswith("Welcome\nno newline")
        assert "netbench-42" not in answer.said()


def test_an_answer_that_is_not_whole_is_a_cut() -> None:
    end = WHOLE.index(message("e", "7 2")) + len(message("e", "7 2"))
    for length in range(end):
        with pytest.raises(ConnectionCutError):
            fed(WHOLE[:length]).completed(b"", 0)
    assert fed(WHOLE[:end]).exit_code == 7


@pytest.mark.parametrize(
    "forged",
    [
        message("e", "0 0", OTHER),
        message("l", "missing=none", OTHER),
        message("d", "999999", OTHER),
        f"{TOKEN} e 0 0\n".encode()[1:],
        f"x{TOKEN} e 0 0\n".encode(),
        f"\n {TOKEN} e 0 0\n".encode(),
        f"\n{TOKEN}e 0 0\n".encode(),
        f"\n{TOKEN.upper()} e 0 0\n".encode(),
        f"\n{TOKEN}\n".encode(),
        f"\n{TOKEN[:-1]}".encode(),
        b"frame 0 0 0 0\nend\nready\n",
    ],
)
def test_what_others_print_is_noise_wherever_it_stands(forged: bytes) -> None:
    real = message("l", "real"), message("e", "3 1")
    for data in (forged + real[0] + real[1], real[0] + forged + real[1], real[0] + real[1] + forged):
        for size in (0, 1, 7):
            assert fed(data, size).completed(b"", 0) == Completed(3, b"real\n", b"")


@pytest.mark.parametrize("rest", ["", "0", "x 0", "0 x", "0 0 0", "-1 0", "1000 0", "0 -0", f"0 {'9' * 10}"])
def test_an_end_that_is_none_is_no_end(rest: str) -> None:
    with pytest.raises(ConnectionCutError):
        fed(message("e", rest)).completed(b"", 0)


@pytest.mark.parametrize("count", [0, 2, 999_999_999])
def test_lines_that_are_missing_or_too_many_are_a_cut(count: int) -> None:
    with pytest.raises(ConnectionCutError, match=f"1 of its {count} lines"):
        fed(message("l", "one") + message("e", f"0 {count}"))


def test_a_programs_own_output_is_taken_as_it_is() -> None:
    raw = b"\n\0\xff" + message("e", "0 0", OTHER) + f"\n{TOKEN[:-1]}\n".encode() + b"no newline"
    data = GREETING + message("o") + raw + message("e", "255 -")
    for size in range(1, len(data)):
        assert fed(data, size).completed(b"", 0) == Completed(255, raw, b"")


def test_sizes_are_not_believed() -> None:
    answer = Answer(TOKEN, 1000)
    with pytest.raises(OutputLimitError, match="1000 bytes"):
        answer.feed(message("d", "1001"))  # before a byte of it has come
    for size in ("-1", "x", "9" * 13, ""):
        assert fed(message("d", size) + message("e", "0 0")).output == b""


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "lines": (b"", message("l", "x" * 90)),
    "uncounted lines": (b"", message("n", "x" * 90)),
    "raw output": (message("o"), b"x" * 100),
    "raw output in lines": (message("o"), b"\n" * 100),
    "blobs": (b"", message("d", "50") + b"x" * 50),
    "zeros": (b"", b"\0" * 100),
    "empty lines": (b"", b"\n" * 100),
    "one line": (message("l", "x")[:-1], b"x" * 100),
    "greetings": (b"", GREETING),
    "beginnings of a token": (b"", f"\n{TOKEN[:-1]}".encode()),
    "messages of no kind": (b"", message("z", "x" * 90)),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_no_answer_without_end_is_kept(kind: str) -> None:
    """Whatever comes: it ends with an error, at a bound, and no more than that was ever held."""
    first, again = FLOODS[kind]
    limit = 100_000
    answer, came = Answer(TOKEN, limit), len(first)
    answer.feed(first)
    ended = False
    while not ended and came < 20 * (limit + NOISE):
        try:
            answer.feed(again)
        except OutputLimitError:
            ended = True
        came += len(again)
        assert len(answer.output) <= limit
        assert len(answer.said()) <= KEPT
    assert ended
    assert came <= limit + NOISE + LONGEST + 10_000 or kind in ("lines", "uncounted lines", "blobs")


@pytest.mark.parametrize("piece", [1, 1000, 65536])
@pytest.mark.parametrize("kind", sorted(set(FLOODS) - {"one line", "messages of no kind"}))
def test_reading_costs_the_same_for_every_byte(kind: str, piece: int) -> None:
    """Four times as much costs four times the CPU time: not sixteen times."""
    first, again = FLOODS[kind]
    size = 20_000 if piece == 1 else 60_000

    def cost(total: int) -> float:
        data, best = first + again * (total // len(again)), float("inf")
        for _ in range(3):
            answer, began = Answer(TOKEN, 100 * total), time.process_time()
            for start in range(0, len(data), piece):
                answer.feed(data[start : start + piece])
            best = min(best, time.process_time() - began)
        return best

    assert cost(4 * size) < 10 * cost(size) + 0.1


def test_a_large_blob_costs_the_same_for_every_byte() -> None:
    def cost(size: int) -> float:
        best = float("inf")
        for _ in range(3):
            answer, began = Answer(TOKEN, 1 << 30), time.process_time()
            answer.feed(message("d", str(size)))
            for _ in range(size // 1000):
                answer.feed(b"x" * 1000)
            best = min(best, time.process_time() - began)
        return best

    assert cost(16_000_000) < 10 * cost(4_000_000) + 0.1


def test_the_line_is_the_same_but_for_a_number() -> None:
    lines = [wire.line(deadline) for deadline in (0.2, 1, 30, 30.5, 86400.0)]
    assert {re.sub(r"sleep \d+ ", "sleep N ", line) for line in lines} == {re.sub(r"sleep \d+ ", "sleep N ", lines[0])}
    assert [re.search(r"sleep (\d+) ", line)[1] for line in lines] == [  # type: ignore[index]
        str(seconds + LATE) for seconds in (1, 1, 30, 31, 86400)
    ]
    line = lines[0]
    assert line.isascii()
    assert line.isprintable()
    assert not re.search(r"!\S", line)  # history, for csh
    assert line == shlex.join(wire.argv(0.2))


def test_no_two_calls_share_a_token() -> None:
    tokens = {wire.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)


@pytest.mark.parametrize("command", [Command(("a\0",)), Command(("a",), env={"V": "\0"}), Command(("a",), stdin="\0")])
def test_a_NUL_cannot_travel(command: Command) -> None:
    with pytest.raises(TransportError, match="NUL"):
        wire.program(command, TOKEN)


def answered(command: Command, shell: str) -> Completed:
    process, token = sent(command, shell)
    answer = Answer(token.decode(), command.limit)
    assert process.stdout is not None
    with process.stdout:
        answer.feed(process.stdout.read())
    process.wait(60)
    return answer.completed(b"", 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_arguments_variables_and_stdin_arrive_as_they_are(shell: str, tmp_path: Path) -> None:
    line = 'printf "%s|" "$V" "$LC_ALL" "$@"; cat; exit 3'
    text = "".join(HOSTILE)
    done = answered(
        Command(("sh", "-c", line, "sh", *HOSTILE), env={"V": text, "HOME": str(tmp_path)}, stdin=text), shell
    )
    assert (done.exit_code, done.text) == (3, "".join(f"{word}|" for word in (text, "C", *HOSTILE)) + text)
    script = 'for word; do size=${#word}; blob ${#word}; printf %s "$word"; done\ntell "$V"; note end; finish 5'
    ascii_only = tuple(word for word in HOSTILE if word.isascii())
    done = answered(Command(("name", *ascii_only), env={"V": "$(touch pwned)"}, script=script), shell)
    assert (done.exit_code, done.text) == (5, "".join(ascii_only) + "$(touch pwned)\nend\n")
    assert not Path("pwned").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_program_cannot_be_read_by_the_command_it_runs(shell: str) -> None:
    """What a command reads is its stdin, never the rest of the program: the token stands there."""
    assert answered(Command(("cat",)), shell) == Completed(0, b"", b"")
    assert answered(Command(("name",), script='tell "$(cat)"'), shell).stdout == b"\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_no_process_title_and_no_environment_shows_a_program_or_its_token(shell: str) -> None:
    look = "all=$(cat /proc/[0-9]*/cmdline /proc/self/environ | tr '\\0' ' ')"
    script = f'{look} 2>/dev/null\ncase $all in *"$netbench_t"*) tell shown ;; *cat*) tell hidden ;; esac'
    done = answered(Command(("name", "x"), script=script), shell)
    assert done.stdout == b"hidden\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_torn_program_does_all_or_nothing(shell: str, tmp_path: Path) -> None:
    """What comes first and what comes last are both done, or neither is, wherever the link was cut."""
    first, last = tmp_path / "first", tmp_path / "last"
    library = len(wire.script_text("netbench.transports", "wire.sh"))
    whole = wire.program(Command(("name", str(first), str(last)), script=': >"$1"\n: >"$2"'), TOKEN)
    begin = whole.index(': >"$1"')
    every = 1 if shell == "dash" else 3
    lengths = [*range(0, begin, 37), *range(begin, len(whole) + 1, every), len(whole)]
    assert len(whole) > library
    for length in lengths:
        process = subprocess.run(
            ["sh"], input=whole[:length].encode(), env={**os.environ, "PATH": path_of(shell)}, capture_output=True,
            check=False, cwd=tmp_path, timeout=60,
        )  # fmt: skip
        assert first.exists() is last.exists(), (length, whole[:length][-60:], process)
        if length < whole.rindex("}"):
            assert not first.exists(), (length, whole[:length][-60:], process)
        first.unlink(missing_ok=True)
        last.unlink(missing_ok=True)
    assert process.returncode == 0
    assert b" e 0 0\n" in process.stdout


@pytest.fixture
def nobody_left(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Looks from outside for processes that the test started: its HOME is in their environment."""
    yield lambda: until(lambda: not processes_about(str(tmp_path)))
    for pid in processes_about(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


OVERDUE = {
    "a program": Command(("sleep", "971"), deadline=0),
    "a program that ignores TERM": Command(("sh", "-c", "trap '' TERM; while :; do sleep 0.3; done"), deadline=0),
    "a program that has children": Command(("sh", "-c", "sleep 972 & sleep 973 & wait"), deadline=0),
    "a script that waits": Command(("name",), script="while :; do sleep 0.3; done", deadline=0),
    "a script that spins": Command(("name",), script="while :; do :; done", deadline=0),
    "a script that ignores TERM": Command(("name",), script="trap '' TERM; while :; do sleep 0.3; done", deadline=0),
    "a script and its child": Command(("name",), script="sleep 974", deadline=0),
    "a script that reads what never comes": Command(
        ("name",), script='mkfifo "$HOME/f"; read x <"$HOME/f"', deadline=0
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("kind", OVERDUE)
def test_nothing_outlives_its_deadline(kind: str, shell: str, nobody_left: Callable[[], None]) -> None:
    """Nobody ends it from here: the endpoint does."""
    process, _ = sent(OVERDUE[kind], shell)
    assert process.stdout is not None
    process.stdout.readline()
    assert process.poll() is None
    nobody_left()
    process.stdout.close()
    process.wait(10)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "script", ["", "kill -9 $$", "kill -TERM $$", "exit 3", "finish 0", "ulimit -t 1; while :; do :; done"]
)
def test_nothing_waits_for_the_deadline_when_the_program_is_over(
    script: str, shell: str, nobody_left: Callable[[], None]
) -> None:
    """However it ended: the sleep that is its deadline goes with it."""
    process, _ = sent(Command(("name",), script=script or ":", deadline=975), shell)
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    process.wait(20)
    nobody_left()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_link_that_is_cut_leaves_nobody_behind(shell: str, nobody_left: Callable[[], None]) -> None:
    process, _ = sent(Command(("name",), script="while :; do tell x; sleep 0.05; done", deadline=976), shell)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(20)
    nobody_left()


@pytest.mark.parametrize("login", LOGIN_SHELLS)
def test_every_login_shell_takes_the_line_for_the_same(login: str) -> None:
    if not shutil.which(login):
        pytest.skip(f"no {login} here")
    argv = ("busybox", "sh", "-c") if login == "busybox" else (login, "-c")
    done = subprocess.run(
        [*argv, wire.line(20)],
        input=wire.program(Command(("printf", "%s|", *HOSTILE)), TOKEN).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    answer = fed(b"a banner without a newline" + done.stdout)
    assert answer.greeted
    assert answer.completed(done.stderr, 0).text == "".join(f"{word}|" for word in HOSTILE), done


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_reads_nothing_runs_nothing(shell: str) -> None:
    done = subprocess.run(
        wire.argv(5), stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path_of(shell)}, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == GREETING
    answer = fed(done.stdout)
    assert (answer.greeted, answer.begun, answer.exit_code) == (True, False, None)


def test_the_greeting_is_worked_out_and_not_printed_back() -> None:
    assert GREETING.decode().strip() not in wire.line(10)
    assert not fed(wire.line(10).encode()).greeted
