"""Leases on real shells: this machine's, with real processes that race for one."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path

import pytest

from netbench.errors import LockedError, PreflightError, UnreachableError
from netbench.model import Command, Completed
from netbench.run.leases import Leases, drop_lease, list_leases
from netbench.transports.base import OnOutput, Transport
from netbench.transports.local import LocalTransport
from tests.run.test_jobs import SHELLS, ShellTransport, until

SCRIPT = Path("netbench/run/lease.sh")
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


class Counting(LocalTransport):
    """This machine, counting what it is asked; ``broken`` loses the link."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        self.asked += 1
        if self.broken:
            raise UnreachableError("the test cut the link")
        return super().run(command, on_output)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory as /tmp is."""
    found = tmp_path / "place"
    found.mkdir()
    found.chmod(0o1777)
    return found


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest) -> LocalTransport:
    return ShellTransport(request.param)


def leases(place: Path, transport: Transport | Mapping[str, Transport], **options: float) -> Leases:
    transports = transport if isinstance(transport, Mapping) else {"a1": transport}
    return Leases(transports, places=(str(place),), **options)


def test_the_second_is_told_who_holds_it(transport: LocalTransport, place: Path) -> None:
    first, second = leases(place, transport), leases(place, transport)
    first.take()
    first.name("20260101T000000Z-same")
    first.hold(10)
    with pytest.raises(LockedError) as caught:
        second.take()
    said = str(caught.value)
    assert f"another run uses a1: {getpass.getuser()}@{socket.gethostname()}, " in said
    assert f"pid {os.getpid()}, run 20260101T000000Z-same, since " in said
    assert "expires in 2" in said  # 10 + 90 + 150 s
    assert caught.value.exit_code == 75
    second.release()  # gives back what it does not have: nothing
    with pytest.raises(LockedError):
        second.take()
    first.release()
    assert list(place.iterdir()) == []
    second.take()
    second.release()
    assert list(place.iterdir()) == []


def test_it_expires_by_itself(transport: LocalTransport, place: Path) -> None:
    dead, heir = leases(place, transport, margin=0, term=5), leases(place, transport)
    dead.take()
    with pytest.raises(LockedError):
        heir.take()
    until(lambda: taken(heir))
    assert [lease.state for lease in list_leases(transport, (str(place),))] == ["live"]  # the stale one is gone
    heir.release()


def test_a_renewal_keeps_it_and_only_comes_when_needed(place: Path) -> None:
    transport = Counting()
    ours = leases(place, transport, margin=5, term=60)
    ours.take()
    for _ in range(20):
        ours.hold(10)
    assert transport.asked == 1
    ours.hold(100)
    assert transport.asked == 2
    (lease,) = list_leases(transport, (str(place),))
    assert lease.left > 100
    ours.release()


def test_a_lease_that_expired_meanwhile_is_taken_again_if_it_is_free(transport: LocalTransport, place: Path) -> None:
    ours = leases(place, transport, margin=0, term=1)
    ours.take()
    until(lambda: list_leases(transport, (str(place),))[0].state == "expired")
    ours.hold(50)
    (lease,) = list_leases(transport, (str(place),))
    assert lease.state == "live"
    ours.release()


def test_a_run_that_lost_its_lease_is_stopped(place: Path) -> None:
    ours, other = leases(place, LocalTransport(), margin=0, term=1), leases(place, LocalTransport())
    ours.take()
    until(lambda: taken(other))
    with pytest.raises(LockedError):
        ours.hold(5)
    ours.release()
    assert [lease.state for lease in list_leases(LocalTransport(), (str(place),))] == ["live"]
    other.release()


def test_a_lease_of_an_earlier_boot_is_stale(transport: LocalTransport, place: Path) -> None:
    (place / "netbench-lease.7").write_text(f"{'0' * 24} another-boot 1 9999999999\nsomebody\n")
    ours = leases(place, transport)
    ours.take()
    assert [path.name for path in place.iterdir()] == ["netbench-lease.8"]
    ours.release()


@pytest.mark.parametrize(
    "text", ["", "garbage", f"a {BOOT} 1\nx\n", f"a {BOOT} 08 9\nx\n", f"a {BOOT} 1 {'9' * 30}\nx\n", "a b 1 2\n"]
)
def test_a_record_that_cannot_be_read_is_no_free_node(transport: LocalTransport, place: Path, text: str) -> None:
    (place / "netbench-lease.3").write_text(text)
    with pytest.raises(LockedError, match=r"unknown: .*/netbench-lease\.3 cannot be read"):
        leases(place, transport).take()


def test_what_is_no_file_is_no_lease(transport: LocalTransport, place: Path) -> None:
    os.mkfifo(place / "netbench-lease.1")  # reading it would wait forever
    (place / "netbench-lease.2").symlink_to("/etc/passwd")
    ours = leases(place, transport)
    ours.take()
    assert (place / "netbench-lease.1").is_fifo()
    ours.release()
    assert (place / "netbench-lease.2").is_symlink()


def test_the_holder_is_only_text(transport: LocalTransport, place: Path) -> None:
    canary = place / "canary"
    hostile = f"$(touch {canary}) `touch {canary}`; touch {canary} \\n\\c %s * '\""
    argv = ("sh", "-c", SCRIPT.read_text(), "netbench-lease", "take", str(place), "t" * 24, "60", hostile)
    assert transport.run(Command(argv)).exit_code == 0
    with pytest.raises(LockedError) as caught:
        leases(place, transport).take()
    assert hostile in str(caught.value)
    assert not canary.exists()
    drop_lease(transport, "t" * 24, (str(place),))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("stale", [False, True])
def test_of_processes_that_race_exactly_one_wins(place: Path, stale: bool) -> None:
    """A hundred times in all shells; also over what a dead run left."""
    text, shells = SCRIPT.read_text(), cycle(SHELLS)
    for number in range(100):
        if stale:
            (place / f"netbench-lease.{number + 1}").write_text(f"{'d' * 24} {BOOT} 0 1\nthe dead\n")
        racing = []
        for token in ("a" * 24, "b" * 24):
            shell = next(shells)
            sh = ("busybox", "sh") if shell == "busybox" else (shell,)
            argv = (*sh, "-c", text, "netbench-lease", "take", str(place), token, "60", f"run {token}")
            racing.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=60) for process in racing]
        states = sorted(out.split()[2] for out, _ in said)
        assert states == ["busy", "held"], said
        (left,) = place.iterdir()
        winner = next(out.split()[6] for out, _ in said if " held " in out)
        assert left.read_text().startswith(winner)
        assert all(winner in out for out, _ in said)  # the others name it
        left.unlink()


CHURN = """
lease() { SHELL_UNDER_TEST -c "$script" netbench-lease "$@"; }
for turn in 1 2 3 4 5 6 7 8 9 10 11 12; do
  case $(lease take "$place" "$token" 60 "$token") in *" held "*) ;; *) continue ;; esac
  mkdir "$place/inside" && echo held && rmdir "$place/inside" || echo BOTH
  lease drop "$place" "$token"
done"""


def test_taking_and_giving_back_in_any_order_never_lets_two_in(place: Path) -> None:
    """A directory that only one can make shows that nobody else is inside."""
    crowd = []
    for number, shell in zip(range(4), cycle(SHELLS), strict=False):
        sh = "busybox sh" if shell == "busybox" else shell
        line = CHURN.replace("SHELL_UNDER_TEST", sh)
        told = {"script": SCRIPT.read_text(), "place": str(place), "token": str(number) * 24}
        crowd.append(
            subprocess.Popen(["sh", "-c", line], env={**os.environ, **told}, stdout=subprocess.PIPE, text=True)
        )
    said = [process.communicate(timeout=120)[0].split() for process in crowd]
    assert {word for words in said for word in words} == {"held"}
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("killed", range(12))
def test_a_process_killed_at_any_moment_blocks_nobody_for_longer_than_its_lease(place: Path, killed: int) -> None:
    argv = ("dash", "-c", SCRIPT.read_text(), "netbench-lease", "take", str(place), "a" * 24, "1", "the killed")
    if shutil.which("dash") is None:
        pytest.skip("no dash here")
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        process.wait(0.002 * killed)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    ours = leases(place, LocalTransport())
    until(lambda: taken(ours))
    for lease in list_leases(LocalTransport(), (str(place),)):
        if lease.state == "expired":
            drop_lease(LocalTransport(), lease.token, (str(place),))
    ours.release()
    assert [path.name for path in place.glob("netbench-lease.[0-9]*")] == []


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory as /tmp is, that other users get to."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o1777)
        yield Path(name)


@as_root
def test_two_users_meet_whatever_their_umask(common: Path) -> None:
    """Nobody's lease stops root; root's stops nobody, who cannot remove it; when stale, it is outbid."""

    def take(user: int, token: str, seconds: int, umask: str) -> str:
        line = f'umask {umask}; exec sh -c "$@"'
        return subprocess.run(
            ["sh", "-c", line, "sh", SCRIPT.read_text(), "netbench-lease", "take", str(common), token,
             str(seconds), "x"],
            user=user, group=user, extra_groups=[], capture_output=True, text=True, timeout=60, check=True,
        ).stdout.split()[2]  # fmt: skip

    assert take(NOBODY, "a" * 24, 5, "077") == "held"
    assert take(0, "b" * 24, 1, "077") == "busy"
    until(lambda: take(0, "b" * 24, 5, "077") == "held")
    assert take(NOBODY, "c" * 24, 60, "000") == "busy"
    until(lambda: take(NOBODY, "c" * 24, 60, "000") == "held")
    assert take(0, "b" * 24, 60, "022") == "busy"


def test_the_endpoints_of_one_run_may_share_a_file_system(place: Path) -> None:
    ours = leases(place, {f"a{number}": LocalTransport() for number in range(20)})
    ours.take()
    assert not ours.missing
    ours.hold(1000)
    ours.release()
    assert list(place.iterdir()) == []


def test_an_endpoint_that_cannot_be_leased_is_named(place: Path) -> None:
    broken = Counting()
    broken.broken = True
    ours = leases(place, {"a1": LocalTransport(), "a2": broken})
    ours.take()
    assert list(ours.missing) == ["a2"]
    ours.require(["a1"])
    with pytest.raises(PreflightError, match="a2: no lease: the test cut the link"):
        ours.require(["a1", "a2"])
    broken.broken = False
    ours.require(["a1", "a2"])
    assert not ours.missing
    broken.broken = True
    ours.hold(1000)  # a dead node must not end the run: its steps fail by themselves
    ours.release()
    ours.release()


def test_a_link_that_is_away_at_the_end_is_waited_for(place: Path) -> None:
    """The API server restarts just when the run ends: its lease is given back as soon as it can be told so."""
    transport = Counting()
    run = leases(place, transport)
    run.take()
    transport.broken = True
    asked = transport.asked

    def mend() -> None:
        until(lambda: transport.asked > asked + 3)
        transport.broken = False

    mending = threading.Thread(target=mend)
    mending.start()
    run.release()
    mending.join()
    assert list_leases(transport, [str(place)]) == ()


def test_there_is_no_room_for_a_lease(tmp_path: Path) -> None:
    ours = leases(tmp_path / "not-there", LocalTransport())
    ours.take()
    with pytest.raises(PreflightError, match="no directory for a lease can be written to"):
        ours.require(["a1"])


def test_a_dead_bastion_holds_nothing_for_long(place: Path) -> None:
    """A real process that takes a lease and is killed."""
    code = (
        "import sys, time; from netbench.run.leases import Leases;"
        "from netbench.transports.local import LocalTransport;"
        "Leases({'a1': LocalTransport()}, places=(sys.argv[1],), margin=0, term=1).take(); print('taken', flush=True);"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "taken\n"
    process.kill()
    process.wait()
    ours = leases(place, LocalTransport())
    until(lambda: taken(ours))
    ours.release()


def taken(ours: Leases) -> bool:
    try:
        ours.take()
    except LockedError:
        return False
    return True
