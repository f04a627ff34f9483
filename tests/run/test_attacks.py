"""What was done to netbench once, and gains nothing any more: each attack as it was first shown, on real shells."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from netbench.errors import NetbenchError, OutputLimitError
from netbench.model import Command, Completed
from netbench.run.jobs import FrameReader, Job, end_job
from netbench.run.leases import drop_lease, list_leases
from netbench.transports import wire
from netbench.transports.base import OnOutput
from tests.run.hostile_places import ATTACKER, LATE, Ground, Shell, attacked, ground, soon_nothing_left
from tests.run.races import BOOT, STATE, sweep, take_and_drop
from tests.run.test_races import PLACES, SHELLS, as_attacker, places

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
DEADLINE = 30.0  # of one command for a lease
GENERATOR = random.Random(1)  # noqa: S311


@pytest.fixture(params=PLACES)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path, *PLACES[request.param]) as found:
        yield found


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(request.param, tmp_path_factory.getbasetemp())


def work(transport: Shell, hostile: Ground) -> None:
    """All that netbench does with leases; in a home that has files."""
    began = time.monotonic()
    for step in (take_and_drop, sweep):
        with suppress(NetbenchError):
            step(transport, places(hostile), GENERATOR)
    survey = list_leases(transport, places(hostile))
    for token in ("-", "*", "../notes", *(lease.token for lease in survey.leases)):
        with suppress(NetbenchError):
            drop_lease(transport, token, places(hostile))
    assert time.monotonic() - began < DEADLINE + LATE
    hostile.unharmed()
    soon_nothing_left(hostile, LATE)


@as_root
def test_a_name_of_a_lease_is_no_path(hostile: Ground, transport: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """security/01: names that an unquoted "for" or an echo turned into names of root's files."""
    home = hostile.canaries[0]
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    escaped = str(home / "notes").replace("/", "\\0057")

    def plant() -> None:
        for directory in (hostile.place, hostile.place / "netbench-65534", hostile.place / STATE):
            directory.mkdir(exist_ok=True)
            for prefix in ("netbench-lease.", "lease.", "draft."):
                for name in (
                    f"1 {escaped}",
                    "2 *",
                    "3 notes",
                    f"4 {os.path.relpath(home, hostile.place)}".replace("/", "\\0057"),
                ):
                    (directory / f"{prefix}{name}").touch()

    as_attacker(plant)
    work(transport, hostile)


@as_root
def test_an_endless_file_is_not_read_for_ever(hostile: Ground, transport: Shell) -> None:
    """security/04: a sparse file of a terabyte, a pipe, and one line of 50 MB in the place of leases and drafts."""

    def plant() -> None:
        for directory in (hostile.place, hostile.place / "netbench-65534", hostile.place / STATE):
            directory.mkdir(exist_ok=True)
            for prefix in ("netbench-lease.", "lease.", "draft."):
                with (directory / f"{prefix}1").open("wb") as file:
                    file.truncate(1 << 40)
                os.mkfifo(directory / f"{prefix}2")
                (directory / f"{prefix}3").symlink_to("/dev/zero")
            (directory / "lease.4").write_bytes(b"a" * 50_000_000)

    as_attacker(plant)
    work(transport, hostile)


@as_root
def test_an_endless_lease_of_ones_own_ends_with_the_deadline(
    transport: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in the user's own state directory, where something else of his has put it.

    One that its CPU limit ends looks like a cut and is asked once more: the deadline is that of each command.
    """
    with ground(tmp_path, *PLACES["sticky"]) as found:
        state = found.place / STATE
        state.mkdir()
        state.chmod(0o755)
        os.mkfifo(state / "lease.2")
        (state / "lease.3").symlink_to("/dev/zero")
        with (state / "lease.1").open("wb") as file:
            file.truncate(1 << 40)
        took: list[float] = []
        run = transport.run

        def timed(command: Command, on_output: OnOutput | None = None) -> Completed:
            began = time.monotonic()
            try:
                return run(command, on_output)
            finally:
                took.append(time.monotonic() - began)

        monkeypatch.setattr(transport, "run", timed)
        with suppress(NetbenchError):
            list_leases(transport, places(found))
        assert max(took) < DEADLINE + LATE
        assert len(took) <= 2
        soon_nothing_left(found, LATE)
        found.unharmed()


def forger(hostile: Ground, generator: random.Random) -> None:
    """Whatever stands in a command line or environment that he can read is made first, with a forged record in it."""
    victim = hostile.victims[0]
    started = Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[19]
    with Path("/proc/loadavg").open() as file:
        last = int(file.read().split()[4])
    said = b""
    for pid in range(last, max(last - 8, 0), -1):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                said += Path(f"/proc/{pid}/{name}").read_bytes()
    for identity in {
        STATE,
        *re.findall(rb"\b[0-9a-f]{24}\b", said),
        *(path.name for path in Path(STATE).glob("job.*")),
    }:
        name = identity.decode() if isinstance(identity, bytes) else identity
        for path in (Path(f"netbench-{name}"), Path(STATE, f"job.{name}"), Path(STATE, name), Path(name)):
            with suppress(OSError):
                path.mkdir(parents=True)
                for record in ("job", "child"):
                    (path / record).write_text(f"{victim} {started} {BOOT}\n")


@as_root
def test_no_record_of_another_users_is_believed(hostile: Ground, transport: Shell) -> None:
    """security/07: he wins the race for the job's directory, and root's stop would kill whom the record names."""
    for seed in range(3):
        with attacked(hostile, forger, seed):
            for place in places(hostile):
                job = Job(transport, place, ("true",), deadline=2)
                with suppress(NetbenchError):
                    job.result()
                with suppress(NetbenchError):
                    job.stop()
                end_job(transport, place, job.id)
        hostile.unharmed()
        soon_nothing_left(hostile, LATE)


@as_root
def test_nothing_secret_stands_in_a_command_line(transport: Shell, tmp_path: Path) -> None:
    """What a program is, and its token, do not stand where every user reads them.

    A job's directory is made and removed by name, for a moment: it lies where nobody else can write, and its name alone
    opens nothing (see the races).
    """
    with ground(tmp_path, *PLACES["sticky"]) as found:
        before = set(Path("/proc").glob("[0-9]*"))
        job = Job(transport, str(found.place), ("sleep", "1.5"), deadline=5)
        lines = b""
        until = time.monotonic() + 1
        while time.monotonic() < until:
            for path in set(Path("/proc").glob("[0-9]*")) - before:
                with suppress(OSError):
                    line = (path / "cmdline").read_bytes()
                    lines += b"" if line.startswith((b"mkdir\0", b"rm\0")) else line
        job.result()
        job.stop()
    assert b"netbench-$((6*7))" in lines
    assert job.id.encode() not in lines
    assert b"netbench_t=" not in lines
    assert not re.search(rb"[0-9a-f]{32}", lines)


def seconds(reader: wire.Answer | FrameReader, beginning: bytes, megabytes: int) -> float:
    """Of CPU that this many megabytes without a line's end cost."""
    piece = bytes(65536)
    began = time.process_time()
    with suppress(NetbenchError):
        reader.feed(beginning)
        for _ in range(megabytes * 16):
            reader.feed(piece)
    return time.process_time() - began


@pytest.mark.parametrize("beginning", [b"", b"frame 0 999999999999999 0 0\n"], ids=["no line", "a frame of a petabyte"])
def test_the_frames_reader_is_linear(beginning: bytes) -> None:
    """security/13: sixteen times the bytes cost about sixteen times, not 256 times as much."""
    few = min(seconds(FrameReader(), beginning, 2) for _ in range(5))
    many = min(seconds(FrameReader(), beginning, 32) for _ in range(2))
    assert many < 16 * 4 * max(few, 0.005)


@pytest.mark.parametrize(
    "header", [b"", b"\nT l ", b"\nT d 999999999999\n", b"\nT o\n"], ids=["noise", "line", "blob", "raw"]
)
@pytest.mark.parametrize("piece", [1 << 16, 100, 3])
def test_an_answer_of_any_length_costs_what_is_taken(header: bytes, piece: int) -> None:
    """security/10 and 13: it ends in OutputLimitError after its limit, whatever the pieces' size."""
    reader = wire.Answer("T", 1 << 18)

    def feed() -> None:
        reader.feed(header)
        for _ in range((2 << 20) // piece):
            reader.feed(b"x" * piece)

    with pytest.raises(OutputLimitError):
        feed()
    assert len(reader.output) <= 1 << 18


@as_root
def test_a_stopped_start_leaves_nobody(hostile: Ground, transport: Shell) -> None:
    """A place that goes away while a job runs in it: it ends with its own deadline, or by stop."""
    job = Job(transport, str(hostile.place), ("sleep", "30"), deadline=3)
    state = hostile.place / STATE
    until = time.monotonic() + 20
    while not list(state.glob("job.*/child")):
        assert time.monotonic() < until
        time.sleep(0.01)
    subprocess.run(("mv", str(state), str(hostile.place / "away")), check=True)
    with suppress(NetbenchError):
        assert job.result().status == "overdue"
    subprocess.run(("mv", str(hostile.place / "away"), str(state)), check=True)
    job.stop()
    soon_nothing_left(hostile, LATE)
    hostile.unharmed()


assert ATTACKER
