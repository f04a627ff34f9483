"""What dead runs leave, found and removed on this machine with its real shells; what is not ours stays."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.errors import UnreachableError
from netbench.model import Endpoint, LocalAccess
from netbench.run.clean import Found, clean
from netbench.run.jobs import find_jobs
from netbench.run.leases import Leases
from netbench.transports.base import Transport
from netbench.transports.local import LocalTransport
from tests.run.test_jobs import SHELLS, ShellTransport, processes_about, until
from tests.run.test_leases import NOBODY, as_root

SCRIPT = Path("netbench/run/job.sh")
ENDPOINT = Endpoint("a1", "host", "a1", "198.18.0.11", LocalAccess())


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest) -> LocalTransport:
    return ShellTransport(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in processes_about(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


def swept(place: Path, transport: Transport, *, dry_run: bool = False, force: bool = False) -> tuple[Found, ...]:
    places = (str(place),)
    return clean([ENDPOINT], lambda _: transport, dry_run=dry_run, force=force, places=places, workplaces=places)


def orphan(place: Path, number: int = 1, deadline: str = "600") -> tuple[Path, subprocess.Popen[bytes]]:
    """A job whose bastion is dead: nobody will ask for it again."""
    directory = place / f"netbench-{number:024x}"
    argv = ("sh", "-c", SCRIPT.read_text(), "netbench-job", "start", str(directory), deadline, "600", "", "")
    process = subprocess.Popen((*argv, "sleep", "987"), stdout=subprocess.DEVNULL)
    until(lambda: (directory / "child").exists() and (directory / "child").read_text())
    return directory, process


def test_a_dead_runs_job_is_shown_then_ended_and_removed(transport: LocalTransport, place: Path) -> None:
    directory, process = orphan(place)
    (shown,) = swept(place, transport, dry_run=True)
    assert (shown.what, shown.state, shown.done) == (str(directory), "job, running", "would be removed")
    assert process.poll() is None
    child = int((directory / "child").read_text().split()[0])
    (found,) = swept(place, transport)
    assert (found.done, found.failed, found.in_use) == ("removed", False, False)
    process.wait(20)
    assert not Path(f"/proc/{child}").exists()
    assert not directory.exists()
    assert swept(place, transport) == ()


def test_the_directory_of_a_killed_shell(transport: LocalTransport, place: Path) -> None:
    """The job's own shell was killed: its command still runs, known by pid and start time."""
    directory, process = orphan(place)
    child = int((directory / "child").read_text().split()[0])
    process.kill()
    process.wait(20)
    assert find_jobs(transport, (str(place),)) == [("running", str(directory))]
    assert [found.done for found in swept(place, transport)] == ["removed"]
    until(lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text())
    assert not directory.exists()


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(transport: LocalTransport, place: Path) -> None:
    with subprocess.Popen(("sleep", "986")) as other:
        directory = place / f"netbench-{7:024x}"
        directory.mkdir()
        for name in ("job", "child"):
            (directory / name).write_text(f"{other.pid} 12345\n")
        (found,) = swept(place, transport)
        assert (found.state, found.done) == ("job, ended", "removed")
        assert other.poll() is None
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
    process.wait(20)
    assert list(place.glob("netbench-*")) == []


def test_an_expired_lease_frees_what_lay_under_it(transport: LocalTransport, place: Path) -> None:
    Leases({"a1": transport}, places=(str(place),), margin=0, term=1).take()
    _, process = orphan(place)
    until(lambda: not any(one.in_use for one in swept(place, transport, dry_run=True)))
    assert sorted(one.done for one in swept(place, transport)) == ["removed", "removed"]
    process.wait(20)
    assert list(place.glob("netbench-*")) == []


def test_what_only_looks_like_ours_stays(transport: LocalTransport, place: Path) -> None:
    work = place / "theirs"
    work.mkdir()
    names = ("netbench-1", "netbench-" + "g" * 24, "netbench-" + "a" * 25, "iperf3-" + "a" * 24, "netbench-lab")
    for name in names:
        (place / name).mkdir()
    (place / f"netbench-{1:024x}").symlink_to(work)
    (place / f"netbench-{2:024x}").write_text("a file")
    unknown = place / f"netbench-{3:024x}"
    unknown.mkdir()
    (unknown / "precious").write_text("x")
    before = sorted(place.rglob("*"))
    (found,) = swept(place, transport)
    assert found.what == str(unknown)
    assert found.done.startswith("left alone")
    assert sorted(place.rglob("*")) == before


@as_root
def test_another_users_leftovers_stay(transport: LocalTransport, place: Path) -> None:
    directory = place / f"netbench-{9:024x}"
    directory.mkdir()
    (directory / "job").write_text("1 1\n")
    lease = place / "netbench-lease.4"
    lease.write_text(f"{'a' * 24} another-boot 1 2\nnobody\n")
    for path in (directory, lease):
        os.chown(path, NOBODY, NOBODY)
    assert swept(place, transport) == ()
    assert (directory / "job").exists()
    assert lease.exists()


def test_an_endpoint_that_does_not_answer_is_a_row_not_the_end(place: Path) -> None:
    dead = Endpoint("a2", "host", "a2", "198.18.0.12", LocalAccess())
    waiting = Endpoint("p1", "terway", "a2", "198.18.0.22", LocalAccess(), not_ready="Pending")

    def connect(endpoint: Endpoint) -> Transport:
        if endpoint is dead:
            raise UnreachableError("nobody answers")
        return LocalTransport()

    (place / f"netbench-{1:024x}").mkdir()
    found = clean([dead, waiting, ENDPOINT], connect, places=(str(place),), workplaces=(str(place),))
    assert [(one.endpoint, one.done, one.failed) for one in found] == [
        ("a2", "nobody answers", True),
        ("p1", "left alone", True),
        ("a1", "removed", False),
    ]
