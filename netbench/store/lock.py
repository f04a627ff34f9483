"""Only one process at a time runs a run: a lock the kernel drops with the process, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from netbench.errors import LockedError
from netbench.store import files

LOCK = ".lock"


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold the run's lock. LockedError at once where another process has it, RunDirError where the disk refuses."""
    with ExitStack() as until_the_end:
        with files.explained(directory / LOCK, "write"):
            descriptor = until_the_end.enter_context(files.held_open(directory, LOCK))
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(
                    f"{directory}: this run is going on in another process",
                    "wait until that has ended; nothing was changed",
                ) from None
        yield
