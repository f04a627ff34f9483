"""Leases on real shells: this machine's, with real processes that race for one."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from netbench.errors import LockedError, PreflightError, TransportError, UnreachableError
from netbench.model import Command, Completed, FailureClass
from netbench.run.leases import Leases, Survey, drop_lease, list_leases
from netbench.run.scripts import script
from netbench.transports.base import OnOutput, Transport
from netbench.transports.fake import FakeTransport, Reply
from netbench.transports.local import LocalTransport
from tests.run.test_jobs import FOREIGN, SHELLS, ShellTransport, foreign, said, sent, until

BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
ME = os.geteuid()
NOBODY = 65534
MOST = 21600  # seconds that a lease may be good for
as_root = pytest.mark.skipif(ME != 0, reason="only root can be two users")


def now() -> int:
    """Seconds since boot."""
    return int(float(Path("/proc/uptime").read_text().split()[0]))


def lease_command(verb: str, place: Path, *arguments: str, path: str = "") -> Command:
    env = {"PATH": path} if path else {}
    return replace(script("lease", verb, str(place), *arguments, deadline=60), env=env)


def take_as(user: int, place: Path, token: str, seconds: int = 60, umask: int = 0o22, shell: str = "sh") -> str:
    """What a user is told who asks for a lease."""
    return said(*sent(lease_command("take", place, token, str(seconds), f"user {user}"), shell, user, umask=umask))


def home(place: Path, user: int = ME) -> Path:
    """A user's state directory."""
    made = place / f"netbench-{user}"
    if not made.exists():
        made.mkdir(mode=0o755)
        made.chmod(0o755)
        if user != ME:
            os.chown(made, user, user)
    return made


def write(place: Path, token: str, text: str, user: int = ME) -> Path:
    """A lease's file as it stands."""
    file = home(place, user) / f"lease.{token}"
    file.write_text(text)
    if user != ME:
        os.chown(file, user, user)
    return file


def live(token: str, who: str = "somebody", seconds: int = 60) -> str:
    return f"{BOOT} {now()} {now() + seconds}\n{who} {token}\n"


class Counting(LocalTransport):
    """This machine, counting what it is asked; ``broken`` loses the link."""

    def __init__(self) -> None:
        super().__init__()
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


def leases(place: Path, transport: Transport | Mapping[str, Transport], **options: Any) -> Leases:
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
    assert states(transport, place) == ["live"]  # the stale one is gone
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
    (lease,) = list_leases(transport, (str(place),)).leases
    assert lease.left > 100
    ours.release()


def test_a_lease_that_expired_meanwhile_is_taken_again_if_it_is_free(transport: LocalTransport, place: Path) -> None:
    ours = leases(place, transport, margin=0, term=1)
    ours.take()
    until(lambda: states(transport, place) == ["expired"])
    ours.hold(50)
    assert states(transport, place) == ["live"]
    ours.release()


def test_a_run_that_lost_its_lease_is_stopped(place: Path) -> None:
    ours, other = leases(place, LocalTransport(), margin=0, term=1), leases(place, LocalTransport())
    ours.take()
    until(lambda: taken(other))
    with pytest.raises(LockedError):
        ours.hold(5)
    ours.release()
    assert states(LocalTransport(), place) == ["live"]
    other.release()


def test_a_lease_of_an_earlier_boot_is_stale(transport: LocalTransport, place: Path) -> None:
    write(place, "77", "another-boot 1 9999999999\nsomebody\n")
    assert states(transport, place) == ["expired"]
    ours = leases(place, transport)
    ours.take()
    assert [path.name for path in home(place).iterdir()] == [f"lease.{ours.token}"]
    ours.release()


IMPOSSIBLE = {
    "nothing": "",
    "garbage": "garbage",
    "no holder": f"{BOOT} 1 9999999\n",
    "no end": f"{BOOT} 1\nx\n",
    "octal": f"{BOOT} 08 9\nx\n",
    "a number without end": f"{BOOT} 1 {'9' * 30}\nx\n",
    "more words": f"{BOOT} 1 9999999 1\nx\n",
    "an expression": f"{BOOT} 1 a[$(touch pwned)]\nx\n",
    "317 years": f"{BOOT} 1 9999999999\nx\n",
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_record_that_cannot_be_keeps_nobody_out_and_goes(transport: LocalTransport, place: Path, kind: str) -> None:
    file = write(place, "3", IMPOSSIBLE[kind])
    assert states(transport, place) == ["broken"]
    ours = leases(place, transport)
    ours.take()
    assert not file.exists()
    ours.release()
    assert list(place.iterdir()) == []
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    ("since", "until_", "state"),
    [
        (0, MOST, "live"),
        (0, MOST + 60, "broken"),  # longer than any lease is good for
        (-7 * MOST, MOST, "live"),  # renewed for a long time
        (600, 1200, "broken"),  # not yet begun: somebody's clock went backwards, or somebody lies
        (-20, -10, "expired"),
    ],
)
def test_times_are_believed_within_what_can_be(
    transport: LocalTransport, place: Path, since: int, until_: int, state: str
) -> None:
    write(place, "4", f"{BOOT} {max(0, now() + since)} {now() + until_}\nx\n")
    assert states(transport, place) == [state]
    ours = leases(place, transport)
    assert taken(ours) is (state != "live")
    ours.release()


def test_what_is_no_file_is_no_lease(transport: LocalTransport, place: Path) -> None:
    inside = home(place)
    os.mkfifo(inside / "lease.1")  # reading it would wait forever
    (inside / "lease.2").symlink_to("/etc/passwd")
    (inside / "lease.3").mkdir()
    (inside / f"lease.{'4' * 65}").write_text(live("long"))
    (inside / "lease.g").write_text(live("no name of ours"))
    (inside / "lease.5 $(touch pwned)").write_text(live("no name of ours"))
    before = sorted(inside.iterdir())
    ours = leases(place, transport)
    assert list_leases(transport, (str(place),)).leases == ()
    ours.take()
    assert sorted(inside.iterdir()) == sorted([*before, inside / f"lease.{ours.token}"])
    ours.release()
    assert sorted(inside.iterdir()) == before
    assert (inside / "lease.1").is_fifo()
    assert (inside / "lease.2").is_symlink()


def test_the_holder_is_only_text(transport: LocalTransport, place: Path) -> None:
    canary = place / "canary"
    hostile = f"$(touch {canary}) `touch {canary}`; touch {canary} \\n\\c %s * '\""
    assert transport.run(lease_command("take", place, "f" * 24, "60", hostile)).exit_code == 0
    with pytest.raises(LockedError) as caught:
        leases(place, transport).take()
    assert hostile in str(caught.value)
    assert not canary.exists()
    drop_lease(transport, "f" * 24, (str(place),))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_stands_in_place_of_a_state_directory_is_passed_over(
    transport: LocalTransport, tmp_path: Path, kind: str
) -> None:
    taken_up, free = tmp_path / "taken-up", tmp_path / "free"
    taken_up.mkdir()
    free.mkdir()
    foreign(taken_up / f"netbench-{ME}", kind)
    before = sorted((path, path.lstat().st_mode) for path in taken_up.rglob("*"))
    places = (str(taken_up), str(free))
    ours = Leases({"a1": transport}, places=places)
    ours.take()
    survey = list_leases(transport, places)
    (lease,) = survey.leases
    assert (lease.state, lease.place, survey.place) == ("live", str(free), str(free))
    assert len(survey.odd) == 1
    assert f"netbench-{ME}" in survey.odd[0]
    with pytest.raises(LockedError):
        Leases({"a1": transport}, places=places).take()
    ours.release()
    assert list(free.iterdir()) == []
    assert sorted((path, path.lstat().st_mode) for path in taken_up.rglob("*")) == before
    alone = Leases({"a1": transport}, places=(str(taken_up),))
    alone.take()
    with pytest.raises(PreflightError, match=rf"no lease: no lease could be made: .*netbench-{ME}"):
        alone.require(["a1"])


@pytest.fixture(params=["full", "read-only"])
def no_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that takes no file any more."""
    if ME != 0:
        pytest.skip("only root can mount")
    found = tmp_path / request.param
    found.mkdir()
    options = "size=4k,mode=1777" if request.param == "full" else "ro,mode=1777"
    made = subprocess.run(
        ["mount", "-n", "-t", "tmpfs", "-o", options, "tmpfs", found], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {made.stderr.decode()}")
    try:
        if request.param == "full":
            (found / "other").write_bytes(b"x" * 4096)
        yield found
    finally:
        subprocess.run(["umount", "-n", "-l", found], check=True)


def test_a_place_without_room_is_passed_over_for_the_next(
    transport: LocalTransport, no_room: Path, place: Path
) -> None:
    places = (str(no_room), str(place))
    ours = Leases({"a1": transport}, places=places)
    ours.take()
    assert not ours.missing
    survey = list_leases(transport, places)
    assert [lease.place for lease in survey.leases] == [str(place)]
    assert survey.place == str(place)
    ours.hold(3000)
    ours.release()
    assert list(place.iterdir()) == []
    assert not list(no_room.glob("netbench-*"))
    alone = list_leases(transport, (str(no_room),))
    assert (alone.place, str(no_room) in alone.reasons) == ("", True)
    nowhere = Leases({"a1": transport}, places=(str(no_room),))
    nowhere.take()
    with pytest.raises(PreflightError, match=f"{no_room.name}: .*cannot be written to"):
        nowhere.require(["a1"])


@pytest.mark.parametrize("stale", [False, True])
def test_of_processes_that_race_exactly_one_wins(place: Path, stale: bool) -> None:
    """A hundred times in all shells; also over what a dead run left."""
    shells = cycle(SHELLS)
    for number in range(100):
        if stale:
            write(place, f"{number:024x}", f"{BOOT} 0 1\nthe dead\n")
        racing = [
            sent(lease_command("take", place, token, "60", f"run {token}"), next(shells))
            for token in ("a" * 24, "b" * 24)
        ]
        answers = [said(*process) for process in racing]
        assert sorted(answer.split()[1] for answer in answers) == ["busy", "held"], answers
        (left,) = home(place).iterdir()
        winner = next(answer.split()[5] for answer in answers if " held " in answer)
        assert left.name == f"lease.{winner}"
        assert left.read_text().startswith(f"{BOOT} ")
        assert all(f"run {winner}" in answer for answer in answers)  # the others name it
        left.unlink()


def test_taking_and_giving_back_in_any_order_never_lets_two_in(place: Path) -> None:
    """A directory that only one can make shows that nobody else is inside."""
    inside = place / "inside"

    def churn(number: int, shell: str) -> list[str]:
        token, told = str(number) * 24, []
        for _ in range(12):
            if " held " not in said(*sent(lease_command("take", place, token, "60", token), shell)):
                continue
            try:
                inside.mkdir()
                inside.rmdir()
                told.append("held")
            except OSError:
                told.append("BOTH")
            said(*sent(lease_command("drop", place, token), shell))
        return told

    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(churn, range(4), [shell for shell, _ in zip(cycle(SHELLS), range(4), strict=False)]))
    assert {word for words in answers for word in words} == {"held"}
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("killed", range(12))
def test_a_process_killed_at_any_moment_blocks_nobody_for_longer_than_its_lease(place: Path, killed: int) -> None:
    process, _ = sent(lease_command("take", place, "a" * 24, "1", "the killed"))
    try:
        process.wait(0.004 * killed)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
    ours = leases(place, LocalTransport())
    until(lambda: taken(ours))
    for lease in list_leases(LocalTransport(), (str(place),)).leases:
        if lease.state in ("expired", "broken"):  # a draft may be left
            drop_lease(LocalTransport(), lease.token, (str(place),))
    ours.release()
    assert list(place.iterdir()) == []


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory as /tmp is, that other users get to."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o1777)
        yield Path(name)


@as_root
@pytest.mark.parametrize("shell", SHELLS)
def test_roots_lease_binds_everybody_and_others_only_their_own(common: Path, shell: str) -> None:
    """Whatever their umask. Nobody's is told to root, and not obeyed; root's stops nobody, who cannot remove it."""
    assert take_as(NOBODY, common, "a" * 24, 60, 0o77, shell).startswith("lease held ")
    second = take_as(NOBODY, common, "c" * 24, 60, 0, shell)
    assert second.startswith("lease busy ")
    assert second.endswith(f"user {NOBODY}\n")
    ours = leases(common, ShellTransport(shell))
    ours.take()
    survey = list_leases(ShellTransport(shell), (str(common),))
    assert [lease.token for lease in survey.leases] == [ours.token]
    assert survey.others == (f"lease {'a' * 24} of uid {NOBODY} in {common}",)
    assert survey.me == "0"
    for token in ("a" * 24, "c" * 24):  # also a renewal finds root's there
        busy = take_as(NOBODY, common, token, 60, 0o77, shell)
        assert busy.startswith("lease busy ")
        assert f" 0 {ours.token} " in busy
    said(*sent(lease_command("drop", common, ours.token), shell, NOBODY))
    assert states(LocalTransport(), common) == ["live"]
    ours.release()
    assert take_as(NOBODY, common, "a" * 24, 60, 0o77, shell).startswith("lease held ")
    said(*sent(lease_command("drop", common, "a" * 24), shell, NOBODY))
    assert list(common.iterdir()) == []


@as_root
@pytest.mark.parametrize("shell", SHELLS)
def test_another_users_broken_lease_is_no_lease_and_stays(common: Path, shell: str) -> None:
    file = write(common, "9" * 24, "garbage", NOBODY)
    ours = leases(common, ShellTransport(shell))
    ours.take()
    ours.release()
    assert file.read_text() == "garbage"
    assert [path.name for path in common.iterdir()] == [f"netbench-{NOBODY}"]


@as_root
@pytest.mark.parametrize("shell", SHELLS)
def test_a_lease_of_roots_that_cannot_be_read_binds_names_its_file_and_expires(
    common: Path, tmp_path: Path, shell: str
) -> None:
    """Its age is the kernel's own for the file; here the clock that it is compared with is six hours ahead."""
    file = write(common, "5" * 24, live("root's"))
    file.chmod(0o600)
    answer = take_as(NOBODY, common, "a" * 24, 60, shell=shell)
    assert answer.startswith("lease busy ")
    assert f"cannot be read: {file} of uid 0" in answer
    told = said(*sent(lease_command("list", common), shell, NOBODY))
    assert f"lease unreadable 0 {MOST} 0 {'5' * 24} {common} " in told.replace(f" 1 {MOST - 1} 0 ", f" 0 {MOST} 0 ")
    ahead = common / "bin"
    ahead.mkdir(mode=0o755)
    (ahead / "date").write_text(f"#!/bin/sh\necho $(($(/bin/date +%s) + {MOST + 5}))\n")
    (ahead / "date").chmod(0o755)
    (ahead / "sh").symlink_to(str(shutil.which(shell)))
    path = f"{ahead}:{os.environ['PATH']}"
    later = said(*sent(lease_command("take", common, "a" * 24, "60", "x", path=path), user=NOBODY))
    assert later.startswith("lease held ")
    assert file.exists()  # it is root's


@as_root
def test_an_own_lease_that_cannot_be_read_binds_too(common: Path) -> None:
    file = write(common, "5" * 24, live("mine"), NOBODY)
    file.chmod(0)
    assert f"cannot be read: {file} of uid {NOBODY}" in take_as(NOBODY, common, "a" * 24)


@as_root
def test_only_a_directory_that_its_owner_alone_can_write_to_speaks_for_him(common: Path) -> None:
    """One that looks like root's, and one of root's that all can write to, bind nobody."""
    (common / "netbench-0").mkdir()
    os.chown(common / "netbench-0", NOBODY, NOBODY)
    (common / "netbench-0" / f"lease.{'6' * 24}").write_text(live("forged"))
    assert take_as(NOBODY, common, "a" * 24).startswith("lease held ")
    os.chown(common / "netbench-0", 0, 0)
    (common / "netbench-0").chmod(0o777)
    assert take_as(NOBODY, common, "a" * 24).startswith("lease held ")
    told = said(*sent(lease_command("list", common), user=NOBODY))
    assert f"odd {common}/netbench-0 belongs to uid 0 with mode drwxrwxrwx" in told
    (common / "netbench-0").chmod(0o755)
    assert take_as(NOBODY, common, "a" * 24).startswith("lease busy ")


class At(LocalTransport):
    """A machine of its own: leases lie in another directory."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = place
        place.mkdir(exist_ok=True)

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        name, verb, _, *rest = command.argv
        return super().run(replace(command, argv=(name, verb, str(self._place), *rest)), on_output)


def test_keep_going_drops_the_busy_node_alone(place: Path) -> None:
    machines = {name: At(place / name) for name in ("a1", "a1-pod", "a2", "a2-pod")}
    nodes = {name: name[:2] for name in machines}
    other = leases(place, {"a2-pod": machines["a2-pod"]})
    other.take()
    with pytest.raises(LockedError, match="another run uses a2-pod") as caught:
        leases(place, machines, nodes=nodes).take()
    assert "--keep-going" in caught.value.remedy
    for path in place.glob("a*/netbench-*/lease.*"):
        if path.name != f"lease.{other.token}":
            path.unlink()
    ours = leases(place, machines, nodes=nodes, keep_going=True)
    ours.take()
    assert set(ours.lost) == {"a2", "a2-pod"}
    assert {why.failure for why in ours.lost.values()} == {FailureClass.BUSY}
    assert all("another run uses a2-pod: " in str(why.reason) for why in ours.lost.values())
    ours.require(list(machines))
    ours.hold(5000)
    ours.release()
    assert [path.name for path in place.glob("a*/netbench-*/lease.*")] == [f"lease.{other.token}"]
    everywhere = leases(place, machines)
    other.release()
    everywhere.take()
    nothing_left = leases(place, machines, nodes=nodes, keep_going=True)
    with pytest.raises(LockedError):
        nothing_left.take()
    assert set(nothing_left.lost) == set(machines)
    nothing_left.release()
    everywhere.release()
    assert not list(place.glob("a*/netbench-*"))


def test_keep_going_loses_what_is_taken_over_meanwhile_and_what_cannot_be_leased(place: Path) -> None:
    broken = Counting()
    broken.broken = True
    machines = {"a1": At(place / "a1"), "a2": At(place / "a2"), "a3": broken}
    ours = leases(place, machines, keep_going=True, margin=0, term=1)
    ours.take()
    ours.require(["a1", "a2", "a3"])
    assert set(ours.lost) == {"a3"}
    assert "no lease: the test cut the link" in str(ours.lost["a3"].reason)
    other = leases(place, {"a2": machines["a2"]})
    until(lambda: taken(other))
    ours.hold(600)
    assert set(ours.lost) == {"a2", "a3"}
    with pytest.raises(PreflightError, match="no endpoint could be leased"):
        ours.require(["a2", "a3"])
    ours.release()
    other.release()


@pytest.mark.parametrize(
    "said_instead",
    [b"", b"lease held", b"lease held -1 5 0 aa /tmp x", b"lease held 1 99999999999 0 aa /tmp x", b"\xff\0lease\n" * 9],
)
def test_an_endpoint_that_gives_no_answer_guards_nothing(said_instead: bytes, place: Path) -> None:
    ours = leases(place, FakeTransport({("netbench-lease",): Reply(said_instead)}))
    ours.take()
    assert ours.missing["a1"].failure is FailureClass.PARSE
    with pytest.raises(PreflightError, match="no answer about its lease"):
        ours.require(["a1"])


def test_what_an_endpoint_says_of_leases_is_bounded() -> None:
    text = b"lease live 1 2 0 aa /tmp " + b"x" * 5000 + b"\nnoplace " + b"y" * 5000 + b"\nodd " + b"z" * 5000 + b"\n"
    survey = list_leases(FakeTransport({("netbench-lease",): Reply(text)}))
    assert len(survey.leases[0].holder) == 300
    assert len(survey.reasons) == 1000
    assert len(survey.odd[0]) == 300
    assert list_leases(FakeTransport({("netbench-lease",): Reply(b"other 1 2 3 4\nme\n")})) == Survey(())


def test_a_list_that_fails_is_an_error() -> None:
    failed = Reply(stderr=b"sh: out of memory", exit_code=2)
    with pytest.raises(TransportError, match="out of memory"):
        list_leases(FakeTransport({("netbench-lease",): failed}))


def test_more_endpoints_are_looked_at_than_taken(place: Path) -> None:
    """Looking takes nothing, and tells errors by endpoint."""
    broken = Counting()
    broken.broken = True
    surveys, errors = leases(place, {"a1": LocalTransport(), "a2": broken}).look()
    assert surveys["a1"].place == str(place)
    assert list(errors) == ["a2"]
    assert list(place.iterdir()) == []


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
    assert list_leases(transport, [str(place)]).leases == ()


def test_there_is_no_room_for_a_lease(tmp_path: Path) -> None:
    ours = leases(tmp_path / "not-there", LocalTransport())
    ours.take()
    with pytest.raises(PreflightError, match=r"no lease could be made: .*not-there: no such directory"):
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


def states(transport: Transport, place: Path) -> list[str]:
    return [lease.state for lease in list_leases(transport, (str(place),)).leases]
