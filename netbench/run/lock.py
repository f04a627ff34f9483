"""The lock on the bastion: of two runs started here, only one gets to a node, before anything is touched.

A file with one byte to lock for each address. The kernel keeps the locks and gives them back when the process dies,
however it dies: there is no stale lock, and nothing to clean. Where the file lies: see ``lockplaces``.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from netbench import trust
from netbench.errors import LockedError, PreflightError, UntrustedError
from netbench.run.lockplaces import Place, places_for

FLOCK = "hhqqi"  # struct flock: type, whence, start, length, pid
TRIES = 10  # to lock a file that somebody exchanges meanwhile


@contextmanager
def locked(addresses: Iterable[str], places: Sequence[str] | None = None, group: str | None = None) -> Iterator[None]:
    """Hold the lock for these addresses. Raises LockedError, which names the process that holds one of them.

    ``group``: of the users whose runs keep each other out; None: the runs of this user, and those of root, each for
    themselves. ``places``: directories to use instead of the usual ones.
    Raises PreflightError where there is no place for the lock, with the reason for each.

    An address means a machine only within a network namespace of a kernel, so these are part of what is locked. It
    keeps other processes out, not other threads of this one.
    """
    wanted = sorted(set(addresses))
    held: list[int] = []
    refused: list[tuple[str, str]] = []
    try:
        for place in places_for(places, group):
            try:
                held.append(_take(place, wanted))
                if place.suffices:
                    break
            except (OSError, UntrustedError) as error:
                refused.append(_explained(place, error))
        if not held:
            reasons = "; ".join(reason for reason, _ in refused)
            raise PreflightError(f"no place for the lock: {reasons}", refused[-1][1])
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)


def _take(place: Place, addresses: Sequence[str]) -> int:
    """The open file, with the locks for these addresses, that still is the one of that name."""
    for _ in range(TRIES):
        descriptor = place.open()
        try:
            for address in addresses:
                _lock(descriptor, address)
            with suppress(FileNotFoundError):
                if os.path.samestat(place.path.lstat(), os.fstat(descriptor)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OSError(errno.EBUSY, "it is exchanged again and again")


def _lock(descriptor: int, address: str) -> None:
    network = Path("/proc/self/ns/net").stat().st_ino
    kernel = Path("/proc/sys/kernel/random/boot_id").read_text().strip()  # home directories may be several machines'
    offset = int.from_bytes(hashlib.sha256(f"{kernel} {network} {address}".encode()).digest()[:7], "big")
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
    except (BlockingIOError, PermissionError):  # POSIX leaves the choice between EAGAIN and EACCES
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)
        pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[-1]
        raise LockedError(
            f"another run on this machine uses {address}: {_process(pid)}",
            "wait for it; the lock is free as soon as that process ends",
        ) from None


def _explained(place: Place, error: OSError | UntrustedError) -> tuple[str, str]:
    if isinstance(error, UntrustedError):
        return str(error), error.remedy
    return f"{place.path}: {_owner(place.path)}{error.strerror or error}", place.remedy


def _owner(path: Path) -> str:
    """Whose it is, or whose the directory is that it should be in."""
    for each in (path, *path.parents):
        with suppress(OSError):
            status = each.lstat()
            of = "" if each == path else f"{each} has "
            return f"{of}owner {trust.owner(status)}, mode {status.st_mode & 0o7777:04o}: "
    return ""


def _process(pid: int) -> str:
    """Who that is, since when, and what was called, as far as /proc tells."""
    home = Path(f"/proc/{pid}")
    try:
        uid = home.stat().st_uid
        ticks = int((home / "stat").read_text().rpartition(")")[2].split()[19])
        words = (home / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (OSError, ValueError, IndexError):
        return f"pid {pid}" if pid > 0 else "a process outside this container"
    user = trust.user_name(uid)
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    since = datetime.fromtimestamp(time.time() - age, timezone.utc)
    return f"{user}@{os.uname().nodename}, pid {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC: {' '.join(words).strip()}"
