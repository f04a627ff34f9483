"""What dead runs leave, found and removed on this machine with its real shells; what is not ours stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.errors import UnreachableError
from netbench.model import Command, Completed, Endpoint, LocalAccess
from netbench.run.clean import Found, clean
from netbench.run.jobs import Left, find_jobs
from netbench.run.leases import Leases
from netbench.run.sweep import sweep
from netbench.transports.base import OnOutput, Transport
from netbench.transports.local import LocalTransport
from tests.run.test_jobs import (
    FOREIGN,
    IDENTITY,
    SHELLS,
    ShellTransport,
    foreign,
    processes_about,
    said,
    sent,
    start,
    subprocess_left,
    until,
)
from tests.run.test_leases import NOBODY, as_root, home, live, states, take_as, write

ENDPOINT = Endpoint("a1", "host", "a1", "198.18.0.11", LocalAccess())


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest) -> LocalTransport:
    return ShellTransport(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in processes_about(str(tmp_path)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process in subprocess_left:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(20)
    subprocess_left.clear()


def swept(place: Path, transport: Transport, *, dry_run: bool = False, force: bool = False) -> tuple[Found, ...]:
    return clean([ENDPOINT], lambda _: transport, dry_run=dry_run, force=force, places=(str(place),))


def orphan(place: Path, identity: str = IDENTITY) -> tuple[Path, subprocess.Popen[bytes]]:
    """A job whose bastion is dead: nobody will ask for it again."""
    process, _ = sent(start(place, identity, "sleep", "987", seconds=600, linger=600))
    subprocess_left.append(process)
    directory = place / f"netbench-{os.geteuid()}" / f"job.{identity}"
    until(lambda: (directory / "child").exists() and (directory / "child").read_text())
    return directory, process


def over(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    process.stdout.read()
    return process.wait(20) is not None


def test_a_dead_runs_job_is_shown_then_ended_and_removed(transport: LocalTransport, place: Path) -> None:
    directory, process = orphan(place)
    (shown,) = swept(place, transport, dry_run=True)
    assert (shown.what, shown.state, shown.done) == (f"job {IDENTITY} in {place}", "running", "would be removed")
    assert process.poll() is None
    child = int((directory / "child").read_text().split()[0])
    (found,) = swept(place, transport)
    assert (found.done, found.failed, found.in_use) == ("removed", False, False)
    assert over(process)
    assert not Path(f"/proc/{child}").exists()
    assert list(place.glob("netbench-*")) == []
    assert swept(place, transport) == ()


def test_the_directory_of_a_killed_shell(transport: LocalTransport, place: Path) -> None:
    """The job's own shell was killed: its command still runs, known by pid and start time."""
    directory, _ = orphan(place)
    child = int((directory / "child").read_text().split()[0])
    shell = int((directory / "job").read_text().split()[0])
    os.kill(shell, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{shell}").exists() or ") Z " in Path(f"/proc/{shell}/stat").read_text())
    assert find_jobs(transport, (str(place),)) == [Left("running", str(place), IDENTITY)]
    assert [found.done for found in swept(place, transport)] == ["removed"]
    until(lambda: not Path(f"/proc/{child}").exists() or ") Z " in Path(f"/proc/{child}/stat").read_text())
    assert not directory.exists()


def left_behind(place: Path, identity: str, **records: str) -> Path:
    """A job's directory with these records."""
    directory = home(place) / f"job.{identity}"
    directory.mkdir(mode=0o700)
    for name, text in records.items():
        (directory / name).write_text(text)
    return directory


@pytest.mark.parametrize(
    "record", ["{pid} 12345 boot\n", "{pid}\n", "{pid} x y\n", "-1 1 1\n", "1 1 1\n", "0 0 0\n", "a b\n"]
)
def test_a_number_that_is_somebody_elses_by_now_is_left_alone(
    transport: LocalTransport, place: Path, record: str
) -> None:
    with subprocess.Popen(("sleep", "986")) as other:
        try:
            line = record.format(pid=other.pid)
            directory = left_behind(place, IDENTITY, job=line, child=line)
            (found,) = swept(place, transport)
            assert (found.state, found.done) == ("ended", "removed")
            assert not directory.exists()
            assert other.poll() is None
        finally:
            other.kill()


def test_what_a_live_run_uses_is_left_alone_and_said_so(transport: LocalTransport, place: Path) -> None:
    leases = Leases({"a1": transport}, places=(str(place),))
    leases.take()
    directory, process = orphan(place)
    found = swept(place, transport)
    assert [(one.in_use, one.failed) for one in found] == [(True, False)] * 2
    assert all(f"pid {os.getpid()}" in one.done and "expires in" in one.done for one in found)
    assert process.poll() is None
    assert directory.exists()
    forced = swept(place, transport, force=True)
    assert [one.done for one in forced] == ["removed", "removed"]
    assert over(process)
    assert list(place.glob("netbench-*")) == []


def test_an_expired_lease_frees_what_lay_under_it(transport: LocalTransport, place: Path) -> None:
    Leases({"a1": transport}, places=(str(place),), margin=0, term=1).take()
    _, process = orphan(place)
    until(lambda: not any(one.in_use for one in swept(place, transport, dry_run=True)))
    assert sorted(one.done for one in swept(place, transport)) == ["removed", "removed"]
    assert over(process)
    assert list(place.glob("netbench-*")) == []


def test_what_only_looks_like_ours_stays(transport: LocalTransport, place: Path) -> None:
    work = place / "theirs"
    work.mkdir()
    (work / "precious").write_text("x")
    for name in ("netbench-lab", "netbench-" + "a" * 24, "netbench-lease.7", f"iperf3-{IDENTITY}", f"job.{IDENTITY}"):
        (place / name).mkdir()
    inside = home(place)
    for name in ("job.1", "job." + "g" * 24, "job." + "a" * 25, f"job.{'b' * 24} $(touch pwned)", "precious"):
        (inside / name).mkdir()
    (inside / f"job.{1:024x}").symlink_to(work)
    (inside / f"job.{2:024x}").write_text("a file")
    os.mkfifo(inside / f"job.{3:024x}")
    os.mkfifo(inside / f"lease.{3:024x}")
    (inside / f"lease.{4:024x}").symlink_to(work / "precious")
    before = sorted(place.rglob("*"))
    assert swept(place, transport) == ()
    assert swept(place, transport, force=True) == ()
    assert sorted(place.rglob("*")) == before
    assert not Path("pwned").exists()


def test_a_job_directory_without_a_record_is_shown_and_goes_with_its_links_not_what_they_lead_to(
    transport: LocalTransport, place: Path
) -> None:
    precious = place / "precious"
    precious.mkdir()
    (precious / "x").write_text("x")
    directory = left_behind(place, IDENTITY, out="x")
    (directory / "link").symlink_to(precious)
    (shown,) = swept(place, transport, dry_run=True)
    assert (shown.state, shown.done) == ("unknown", "would be removed")
    assert [found.done for found in swept(place, transport)] == ["removed"]
    assert (precious / "x").read_text() == "x"
    assert list(place.glob("netbench-*")) == []


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_stands_in_place_of_the_state_directory_is_told_and_stays(
    transport: LocalTransport, tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    foreign(place / f"netbench-{os.geteuid()}", kind)
    before = sorted((path, path.lstat().st_mode) for path in place.rglob("*"))
    for force in (False, True):
        (found,) = swept(place, transport, force=force)
        assert (found.what, found.failed, found.in_use) == ("state directory", False, False)
        assert f"netbench-{os.geteuid()}" in found.state
        assert found.done.startswith("left alone")
    assert sorted((path, path.lstat().st_mode) for path in place.rglob("*")) == before


def test_a_draft_and_broken_leases_go(transport: LocalTransport, place: Path) -> None:
    (home(place) / f"draft.{'d' * 24}.123").write_text("half a li")
    write(place, "e" * 24, "garbage")
    write(place, "f" * 24, "another-boot 1 2\nthe dead\n")
    shown = swept(place, transport, dry_run=True)
    assert {(one.what.split()[1][0], one.state.partition(",")[0]) for one in shown} == {
        ("d", "broken"),
        ("e", "broken"),
        ("f", "expired"),
    }
    assert "a draft that was left" in " ".join(one.state for one in shown)
    assert {one.done for one in swept(place, transport)} == {"removed"}
    assert list(place.glob("netbench-*")) == []


@as_root
def test_another_users_leftovers_stay(transport: LocalTransport, place: Path) -> None:
    inside = home(place, NOBODY)
    directory = inside / f"job.{IDENTITY}"
    directory.mkdir()
    (directory / "job").write_text("1 1 1\n")
    lease = write(place, "a" * 24, live("nobody"), NOBODY)
    os.chown(directory, NOBODY, NOBODY)
    for force in (False, True):
        (found,) = swept(place, transport, force=force)
        assert found.what == f"lease {'a' * 24} of uid {NOBODY} in {place}"
        assert found.done == "left alone: it keeps no run of yours out"
        assert not found.in_use
    assert (directory / "job").exists()
    assert lease.exists()


@as_root
def test_roots_leases_are_told_to_others_and_stay(place: Path) -> None:
    """Somebody who may not remove it is told so, also where it is broken."""
    place.chmod(0o1777)
    for path in place.parents:
        if str(path).startswith("/tmp/pytest"):
            path.chmod(0o755)
    write(place, "a" * 24, live("root's"))
    write(place, "b" * 24, "garbage")
    (found, broken) = swept(place, _As(NOBODY), force=True)
    assert (found.in_use, found.state) == (True, "live")
    assert (broken.state, broken.done) == ("broken", "left alone: it belongs to uid 0")
    assert sorted(states(LocalTransport(), place)) == ["broken", "live"]
    assert take_as(NOBODY, place, "c" * 24).startswith("lease busy ")


class _As(LocalTransport):
    """This machine, as another user."""

    def __init__(self, user: int) -> None:
        super().__init__()
        self._user = user

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        process, token = sent(command, user=self._user)
        return Completed(0, said(process, token).encode(), b"")


def test_a_sweep_ends_one_runs_jobs_and_no_others(
    transport: LocalTransport, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netbench.run.sweep.PLACES", (str(place),))
    ours, process = orphan(place, "a" * 12 + "1" * 12)
    theirs, other = orphan(place, "b" * 12 + "1" * 12)
    (told,) = sweep({"a1": transport}, "a" * 12)
    assert told.startswith(f"a1: job {'a' * 12}{'1' * 12} in {place}, which the run had left (running)")
    assert over(process)
    assert not ours.exists()
    assert theirs.exists()
    assert other.poll() is None


def test_an_endpoint_that_does_not_answer_is_a_row_not_the_end(place: Path) -> None:
    dead = Endpoint("a2", "host", "a2", "198.18.0.12", LocalAccess())
    waiting = Endpoint("p1", "terway", "a2", "198.18.0.22", LocalAccess(), not_ready="Pending")

    def connect(endpoint: Endpoint) -> Transport:
        if endpoint is dead:
            raise UnreachableError("nobody answers")
        return LocalTransport()

    left_behind(place, IDENTITY)
    found = clean([dead, waiting, ENDPOINT], connect, places=(str(place),))
    assert [(one.endpoint, one.done, one.failed) for one in found] == [
        ("a2", "nobody answers", True),
        ("p1", "left alone", True),
        ("a1", "removed", False),
    ]
