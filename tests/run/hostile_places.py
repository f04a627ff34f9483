"""A place with an attacker at work in it, and what must not change meanwhile. Needs root."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from netbench.model import Command, Completed
from netbench.transports.base import OnOutput
from netbench.transports.local import LocalTransport

ATTACKER = 65534
NEIGHBOUR = 2001  # another user, whose files and processes are none of ours either
LATE = 5.0  # seconds after its deadline by which all that netbench started must have ended
PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG = 36, 1
_libc = ctypes.CDLL(None, use_errno=True)
Tree = dict[str, tuple[object, ...]]


class Shell(LocalTransport):
    """This machine, with a directory first on the PATH whose ``sh`` is the shell under test."""

    def __init__(self, name: str, directory: Path) -> None:
        super().__init__()
        self._path = directory / name
        if not self._path.exists():
            self._path.mkdir()
            program = subprocess.run(("sh", "-c", f"command -v {name}"), capture_output=True, text=True, check=True)
            if name == "busybox":  # all of it: its rm, mv and ls differ, too
                subprocess.run((name, "--install", "-s", str(self._path)), check=True)
            else:
                (self._path / "sh").symlink_to(program.stdout.strip())

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        path = f"{self._path}:{os.environ['PATH']}"
        return super().run(replace(command, env={**command.env, "PATH": path}), on_output)


@dataclass
class Ground:
    """A place, canary trees beside it and in it, and victims."""

    place: Path
    canaries: tuple[Path, ...]
    victims: tuple[int, ...]
    before: tuple[Tree, ...]

    def unharmed(self) -> None:
        for path, before in zip(self.canaries, self.before, strict=True):
            now = tree(path)
            assert now == before, sorted(set(now.items()) ^ set(before.items()), key=str)
        for pid in self.victims:
            status = dict(line.partition(":\t")[::2] for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            assert status["State"][0] == "S", status["State"]
            assert int(status["SigPnd"], 16) == int(status["ShdPnd"], 16) == 0, "a victim was signalled"

    def left(self) -> list[str]:
        """Processes below this one that are neither victims nor zombies; zombies of no parent of ours are reaped."""
        found = []
        for pid, parent, state, line in processes():
            if pid in self.victims or pid == os.getpid() or "[hypothesis" in line:
                continue
            if state == "Z" and parent == os.getpid():
                continue
            if os.getpid() in ancestors(pid):
                found.append(f"{pid} {state} {line[:120]}")
        return found


def processes() -> Iterator[tuple[int, int, str, str]]:
    """Number, parent, state and command line of every process."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                state, parent, *_ = (path / "stat").read_text().rpartition(")")[2].split()
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            yield int(path.name), int(parent), state, line


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
        found.append(pid)
    return found


def tree(top: Path) -> Tree:
    """Kind, mode, owner, number, times and contents of all that is there."""
    found: Tree = {}
    for path in (top, *top.rglob("*")):
        data = path.lstat()
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(top))] = (
            data.st_mode,
            data.st_uid,
            data.st_gid,
            data.st_ino,
            data.st_mtime_ns,
            text,
        )
    return found


def canary(top: Path, owner: int) -> None:
    """A tree that somebody would miss; with names that our scripts write, move and remove."""
    names = ("notes", "lease.abc", "draft.abc.1", "job", "child", "out", "status", "room.1", "-rf", "a b", "*")
    for directory in (top, top / f"job.{'a' * 24}", top / "sub", top / "sub" / f"job.{'b' * 24}"):
        directory.mkdir(mode=0o755)
        for name in names:
            (directory / name).write_text(f"{directory} {name}\n")
    for path in (top, *top.rglob("*")):
        os.chown(path, owner, owner)


def start_victim(user: int) -> int:
    """A process that holds back every signal, so that one that was sent is seen; only KILL ends it."""
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.setsid()
        become(user)
        while True:
            time.sleep(3600)
    return pid


def become(user: int) -> None:
    """Another user, in a process that ends with its parent."""
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # last: a new user takes it away


@contextmanager
def ground(top: Path, mode: int, owner: int) -> Iterator[Ground]:
    """``mode`` and ``owner`` of the place."""
    place = top / "place"
    place.mkdir()
    for path in (place, *place.parents):
        if path == Path("/tmp"):
            break
        path.chmod(path.stat().st_mode | 0o055)  # pytest's own are closed to others
    place.chmod(mode)
    os.chown(place, owner, owner)
    canaries = (top / "of-root", top / "of-neighbour")
    for path, user in zip(canaries, (0, NEIGHBOUR), strict=True):
        canary(path, user)
    victims = (start_victim(0), start_victim(NEIGHBOUR))
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield Ground(place, canaries, victims, tuple(map(tree, canaries)))
    finally:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 0)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@contextmanager
def attacked(place: Ground, attack: Callable[[Ground, random.Random], None], seed: int) -> Iterator[None]:
    """The attacker at work there, in a process of his own, until it is over."""
    ready, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ready)
            become(ATTACKER)
            os.chdir(place.place)
            generator = random.Random(seed)  # noqa: S311
            first = True
            while True:
                with suppress(OSError):
                    attack(place, generator)
                if first:
                    os.close(said)
                    first = False
        finally:
            os._exit(1)
    os.close(said)
    try:
        os.read(ready, 1)  # the end of the file comes after his first round
        yield
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def soon_nothing_left(place: Ground, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while found := place.left():
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def exchange(one: str, other: str) -> None:
    """Both names at once, which no look at them in between can see. Raises OSError."""
    if _libc.renameat2(-100, one.encode(), -100, other.encode(), 2):
        raise OSError(ctypes.get_errno(), f"renameat2: {one}, {other}")


class Events:
    """What happens in a directory, as inotify tells it."""

    ALL = 0x0FFF

    def __init__(self, path: str) -> None:
        self._fd = _libc.inotify_init1(os.O_NONBLOCK)
        _libc.inotify_add_watch(self._fd, path.encode(), self.ALL)

    def wait(self, seconds: float) -> bool:
        """Whether something happened in that time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return bool(os.read(self._fd, 65536))
            except BlockingIOError:
                os.sched_yield()
        return False


assert sys.platform == "linux"
