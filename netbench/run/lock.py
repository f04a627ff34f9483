"""The lock on the bastion: of two runs started here, only one gets to a node, before anything is touched.

One file for the whole machine, and in it one byte to lock for each address. The kernel keeps the locks and gives them
back when the process dies, however it dies: there is no stale lock, and nothing to clean. It needs no home directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import stat
import struct
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from netbench.errors import LockedError, PreflightError

PLACES = ("/run/lock", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108
NAME = "netbench.lock"
FLOCK = "hhqqi"  # struct flock: type, whence, start, length, pid


@contextmanager
def locked(addresses: Iterable[str], places: Sequence[str] = PLACES) -> Iterator[None]:
    """Hold the lock for these addresses. Raises LockedError, which names the process that holds one of them.

    An address means a machine only within a network namespace, so that is part of what is locked. It keeps other
    processes out, not other threads of this one.
    """
    descriptor = _open(places)
    try:
        for address in sorted(set(addresses)):
            _lock(descriptor, address)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, address: str) -> None:
    network = Path("/proc/self/ns/net").stat().st_ino
    offset = int.from_bytes(hashlib.sha256(f"{network} {address}".encode()).digest()[:7], "big")
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
    except (BlockingIOError, PermissionError):  # POSIX leaves the choice between EAGAIN and EACCES
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)
        pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[-1]
        raise LockedError(
            f"another run on this machine uses {address}: {_process(pid)}",
            "wait for it; the lock is free as soon as that process ends",
        ) from None


def _open(places: Sequence[str]) -> int:
    """The file's descriptor. In the first place everybody can write to, as all users must come to the same one."""
    for place in sorted(places, key=lambda place: not _public(place)):
        path = Path(place, NAME)
        try:
            if not path.exists():
                _make(path)
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except PermissionError as error:
            if path.exists():
                remedy = "every user must be able to write to it: chmod 666, or remove it while no run goes on"
                raise PreflightError(f"the lock {path} cannot be opened: {error.strerror}", remedy) from error
        except OSError:
            continue
    raise PreflightError(f"no place for the lock: tried {', '.join(places)}", "make one of them writable")


def _make(path: Path) -> None:
    """A file that all users can open, whatever this one's umask; there is no moment when it is theirs but shut."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{NAME}.", dir=path.parent)
    try:
        os.fchmod(descriptor, 0o666)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        Path(draft).unlink()


def _public(place: str) -> bool:
    try:
        return bool(Path(place).stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False


def _process(pid: int) -> str:
    """Who that is, since when, and what was called, as far as /proc tells."""
    home = Path(f"/proc/{pid}")
    try:
        uid = home.stat().st_uid
        ticks = int((home / "stat").read_text().rpartition(")")[2].split()[19])
        words = (home / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (OSError, ValueError, IndexError):
        return f"pid {pid}" if pid > 0 else "a process outside this container"
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    since = datetime.fromtimestamp(time.time() - age, timezone.utc)
    return f"{user}@{os.uname().nodename}, pid {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC: {' '.join(words).strip()}"
