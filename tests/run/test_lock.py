"""The bastion's lock, between real processes and, where the tests run as root, real users."""

from __future__ import annotations

import fcntl
import grp
import os
import shlex
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netbench.errors import LockedError, PreflightError
from netbench.run import lockplaces
from netbench.run.lock import locked
from netbench.run.lockplaces import NAME, lock_group, places_for

NOBODY = 65534
A = "198.18.0.11"
HOLD = """
import os, sys
from netbench.run.lock import locked
gid, uid = int(sys.argv[2]), int(sys.argv[3])
if uid != os.geteuid():
    os.setgroups([gid]); os.setgid(gid); os.setuid(uid)
with locked(sys.argv[5:], (sys.argv[1],), sys.argv[4] or None):
    print("held", flush=True)
    sys.stdin.read()
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
pytestmark = pytest.mark.timeout(60)


@contextmanager
def other_process(
    place: Path, *addresses: str, user: int | None = None, gid: int = NOBODY, group: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock for these addresses until the end of the block."""
    uid = os.geteuid() if user is None else user
    argv = [sys.executable, "-c", HOLD, str(place), str(gid), str(uid), group, *addresses]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def in_child(uid: int, gid: int, do: Callable[[], object], groups: tuple[int, ...] = ()) -> str:
    """What ``do`` gives or raises in a process of another user."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
            said = str(do())
        except BaseException as error:
            said = f"{type(error).__name__}: {error} | {getattr(error, 'remedy', '')}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Path]:
    """A directory as /tmp is, which every user can come to."""
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        path = Path(base) / "tmp"
        path.mkdir()
        path.chmod(0o1777)
        yield path


def take(*places: Path, address: str = A, group: str | None = None) -> str:
    with locked([address], [str(place) for place in places], group):
        return "locked"


def test_the_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    with other_process(tmp_path, A, "198.18.0.12") as process:
        with pytest.raises(LockedError) as caught, locked(["198.18.0.10", "198.18.0.12"], (str(tmp_path),)):
            pass
        said = str(caught.value)
        assert "another run on this machine uses 198.18.0.12: " in said
        assert f"@{os.uname().nodename}, pid {process.pid}, since 20" in said
        assert shlex.join([A, "198.18.0.12"]) in said  # what was called
        with locked(["198.18.0.10", "198.18.0.13"], (str(tmp_path),)):
            pass  # other machines: no matter


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with other_process(tmp_path, A) as process:
        process.kill()
        process.wait(20)
        assert take(tmp_path) == "locked"


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_only_its_owner_can_open_it_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        for _ in range(2):
            assert take(tmp_path / "new") == "locked"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) & 0o022 == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_in_a_public_place_it_lies_in_a_private_directory(public: Path) -> None:
    assert take(public) == "locked"
    own = public / f"netbench-{os.geteuid()}"
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert [path.name for path in public.iterdir()] == [own.name]


def test_all_places_that_can_be_used_are(tmp_path: Path, public: Path) -> None:
    """A cron job lacks one place, a service another: they must meet."""
    one, two = tmp_path / "one", tmp_path / "two"
    with locked([A], (str(one), str(two), "/proc/netbench")):
        for places in ((one,), (two,), (Path("/proc/netbench"), two)):
            run = subprocess.run(
                [sys.executable, "-c", HOLD, str(places[-1]), "0", str(os.geteuid()), "", A],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            assert "LockedError" in run.stderr


def test_nowhere_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PreflightError, match=r"no place for the lock: .*file.*owner") as caught:
        take(tmp_path / "file" / "x")
    assert caught.value.remedy


@pytest.mark.parametrize("make", ["link", "dangling", "directory", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: str) -> None:
    path = tmp_path / NAME
    if make == "directory":
        path.mkdir()
    elif make == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / ("target" if make == "link" else "nowhere"))
        (tmp_path / "target").write_text("x")
    with pytest.raises(PreflightError, match=f"no place for the lock: {path}: "):
        take(tmp_path)


def test_a_file_that_others_can_open_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    (tmp_path / NAME).chmod(0o666)
    assert take(tmp_path) == "locked"
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_file_that_is_exchanged_meanwhile_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(tmp_path) == "locked"
    path, lockf, exchanged = tmp_path / NAME, fcntl.lockf, []

    def late(*arguments: int) -> None:
        lockf(*arguments)
        if not exchanged:
            exchanged.append(path.stat().st_ino)
            (tmp_path / "new").touch()
            (tmp_path / "new").replace(path)

    monkeypatch.setattr(fcntl, "lockf", late)
    with locked([A], (str(tmp_path),)):
        monkeypatch.undo()
        assert path.stat().st_ino not in exchanged
        run = subprocess.run(
            [sys.executable, "-c", HOLD, str(tmp_path), "0", str(os.geteuid()), "", A],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert "LockedError" in run.stderr


def test_a_file_that_is_always_exchanged_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: int) -> None:
        (tmp_path / NAME).unlink()

    monkeypatch.setattr(fcntl, "lockf", gone)
    with pytest.raises(PreflightError, match="exchanged again and again"):
        take(tmp_path)


# --- other users -------------------------------------------------------------------------------------------------


@needs_root
def test_each_user_has_a_directory_of_his_own(public: Path) -> None:
    with other_process(public, A, user=NOBODY):
        assert take(public) == "locked"
        assert in_child(1234, 1234, lambda: take(public)) == "locked"
        assert in_child(NOBODY, NOBODY, lambda: take(public)).startswith("LockedError")
    assert {path.name for path in public.iterdir()} == {"netbench-0", "netbench-1234", f"netbench-{NOBODY}"}


def lock_what_can_be(public: Path, how: int) -> str:
    """Everything another user can try: hold a lock on every file that he can open."""
    held = []
    for path in public.rglob("*"):
        try:
            descriptor = os.open(path, os.O_RDONLY if how == fcntl.LOCK_SH else os.O_RDWR)
            fcntl.lockf(descriptor, how | fcntl.LOCK_NB)
            held.append(str(path))
        except OSError:
            pass
    return str(held)


@needs_root
@pytest.mark.parametrize("how", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_no_other_user_can_hold_it(public: Path, how: int) -> None:
    assert take(public) == "locked"
    assert in_child(NOBODY, NOBODY, lambda: lock_what_can_be(public, how)) == "[]"


@needs_root
@pytest.mark.parametrize("kind", ["directory", "link", "fifo", "file"])
def test_what_another_user_puts_in_its_place_keeps_nobody_out(public: Path, kind: str) -> None:
    path, victim = public / "netbench-0", public.parent / "victim"
    victim.mkdir(mode=0o700)
    make: dict[str, Callable[[], object]] = {
        "directory": path.mkdir,
        "link": lambda: path.symlink_to(victim),
        "fifo": lambda: os.mkfifo(path),
        "file": path.touch,
    }
    assert in_child(NOBODY, NOBODY, make[kind]) == "None"
    away = path.rmdir if kind == "directory" else path.unlink
    for again in (False, True):
        with other_process(public, A):
            with pytest.raises(LockedError):
                take(public)
            if not again:  # ... and taking it away again lets nobody else in
                assert in_child(NOBODY, NOBODY, away) == "None"
            with pytest.raises(LockedError):
                take(public)
    assert list(victim.iterdir()) == []
    assert len(list(public.iterdir())) == 2  # the usual directory, and the one that nobody could foresee


@needs_root
def test_another_user_cannot_exchange_it(public: Path) -> None:
    own = public / "netbench-0"
    with locked([A], (str(public),)):
        for do in (own.rmdir, lambda: own.rename(public / "away"), (own / NAME).unlink, lambda: list(own.iterdir())):
            assert "PermissionError" in in_child(NOBODY, NOBODY, do)


# --- a group -----------------------------------------------------------------------------------------------------


@pytest.fixture
def team() -> str:
    """A group that this machine has."""
    return next(each.gr_name for each in grp.getgrall() if each.gr_gid not in (0, NOBODY))


@needs_root
def test_members_of_the_group_meet_and_others_do_not_come_in(public: Path, team: str) -> None:
    base, gid = public.parent, grp.getgrnam(team).gr_gid
    assert take(base, group=team) == "locked"  # root makes it
    place = base / f"netbench-lock-{team}"
    status, file = place.stat(), (place / NAME).stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, gid, 0o2770)
    assert (file.st_gid, stat.S_IMODE(file.st_mode)) == (gid, 0o660)
    with other_process(base, A, user=1234, gid=gid, group=team):
        for said in (
            in_child(4321, 4321, lambda: take(base, group=team), groups=(gid,)),
            in_child(0, 0, lambda: take(base, group=team)),
        ):
            assert said.startswith(f"LockedError: another run on this machine uses {A}: uid 1234")
        said = in_child(NOBODY, NOBODY, lambda: take(base, group=team))
        assert f"{place}/{NAME}: " in said
        assert "owner root, mode 2770: Permission denied" in said
        assert f"install -d -o root -g {team} -m 2770 {place}" in said
    assert in_child(NOBODY, NOBODY, lambda: lock_what_can_be(place, fcntl.LOCK_SH)) == "[]"


@needs_root
def test_a_member_s_file_is_the_groups_whatever_the_umask(public: Path, team: str) -> None:
    gid = grp.getgrnam(team).gr_gid
    take(public.parent, group=team)
    file = public.parent / f"netbench-lock-{team}" / NAME
    file.unlink()
    before = os.umask(0o077)
    try:
        assert in_child(1234, gid, lambda: take(public.parent, group=team)) == "locked"
    finally:
        os.umask(before)
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (1234, 0o660)
    assert in_child(4321, gid, lambda: take(public.parent, group=team)) == "locked"


@needs_root
@pytest.mark.parametrize(("owner", "group", "mode"), [(1234, None, 0o2770), (0, 1234, 0o2770), (0, None, 0o2777)])
def test_a_directory_that_root_did_not_make_for_the_group(
    public: Path, team: str, owner: int, group: int | None, mode: int
) -> None:
    place = public.parent / f"netbench-lock-{team}"
    place.mkdir()
    os.chown(place, owner, grp.getgrnam(team).gr_gid if group is None else group)
    place.chmod(mode)
    with pytest.raises(PreflightError, match=f"{place}: not trusted: owner .* mode {mode:04o}"):
        take(public.parent, group=team)


def test_the_group_is_named_by_the_environment_or_the_inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lock_group({}) is None
    assert lock_group({"lock_group": "ops"}) == "ops"
    monkeypatch.setenv("NETBENCH_LOCK_GROUP", "night")
    assert lock_group({"lock_group": "ops"}) == "night"
    for name in ("no-such-group", "../etc"):
        with pytest.raises(PreflightError, match=f"there is no group {name}"):
            places_for(None, name)


# --- the usual places --------------------------------------------------------------------------------------------


def test_roots_lies_in_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    first = places_for(None, None)[0]
    assert (str(first.path), first.mode, first.suffices) == ("/run/netbench/lock", 0o755, True)
    assert str(places_for(None, "root")[0].path) == "/run/netbench-lock-root/lock"


def test_other_users_lie_in_their_own_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/65534")
    monkeypatch.setenv("HOME", "/home/x")
    found = [str(place.directory) for place in places_for(None, None)]
    assert found[:2] == ["/run/user/65534/netbench", "/home/x/.local/state/netbench"]
    assert found[-2:] == ["/tmp/netbench-65534", "/var/tmp/netbench-65534"]
    assert lockplaces.PRIVATE == 0o600


@needs_root
def test_another_user_s_session_is_not_taken_for_one_s_own(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``su`` keeps XDG_RUNTIME_DIR and HOME."""
    session = public.parent / "session"
    session.mkdir(mode=0o777)
    session.chmod(0o777)
    os.chown(session, 1234, 1234)
    said = in_child(NOBODY, NOBODY, lambda: take(session / "netbench"))
    assert "uid 1234 owns it" in said
    assert list(session.iterdir()) == []


def test_threads_of_one_process_do_not_block(tmp_path: Path) -> None:
    """The lock is for processes; a library's second campaign must not wait for ever."""
    with locked([A], (str(tmp_path),)):
        thread = threading.Thread(target=take, args=(tmp_path,))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
