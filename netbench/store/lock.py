"""Only one process at a time runs a run: a lock the kernel drops with the process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from netbench.errors import LockedError
from netbench.store import files

LOCK = ".lock"


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold the run's lock. LockedError at once where another process has it, RunDirError where the disk refuses."""
    lock = FileLock(str(directory / LOCK), timeout=0, mode=files.FILE)
    with files.explained(directory / LOCK, "write"):
        try:
            lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"{directory}: this run is going on in another process",
                "wait until that has ended; nothing was changed",
            ) from error
    try:
        yield
    finally:
        lock.release()
