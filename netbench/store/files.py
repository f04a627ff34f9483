"""Files that are whole or not there, private to their owner, with errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from netbench.errors import RunDirError

DIRECTORY, FILE = 0o700, 0o600  # raw outputs and addresses are nobody else's business; the umask has no say in it

_ELSEWHERE = "or choose another place with --reports"
_REMEDIES = {
    errno.ENOSPC: f"free space on that file system, {_ELSEWHERE}",
    errno.EDQUOT: f"free space within your quota, {_ELSEWHERE}",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: f"mount that file system writable, {_ELSEWHERE}",
    errno.EACCES: f"give your user the right to it (ls -ld shows who has it), {_ELSEWHERE}",
    errno.EPERM: f"give your user the right to it (ls -ld shows who has it), {_ELSEWHERE}",
    errno.EEXIST: f"move what is there away, {_ELSEWHERE}",
    errno.ENOTDIR: f"a part of that path is a file; move it away, {_ELSEWHERE}",
    errno.ENOENT: "check the name; the run may be incomplete",
    errno.ENAMETOOLONG: "use shorter names for nodes and kinds",
}


@contextlib.contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into a RunDirError that names the path and a remedy. ``doing``: "write", "read", "create"."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, f"check the file system that holds {path.parent}")
        raise RunDirError(f"cannot {doing} {path}: {error.strerror or error}", remedy) from error


def make_directory(path: Path) -> bool:
    """Make it, private; False where there is something of that name."""
    try:
        path.mkdir(mode=DIRECTORY)
    except FileExistsError:
        return False
    path.chmod(DIRECTORY)
    return True


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that after a crash at any moment either the old content is there or the new one."""
    beside = path.with_name(f".{path.name}.tmp")
    with explained(path, "write"):
        try:
            with _private(beside, os.O_TRUNC) as descriptor:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            beside.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        _sync_directory(path.parent)


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file and wait until it is on disk. What a failure wrote of it is taken back."""
    with explained(path, "write"):
        new = not path.exists()
        with _private(path, os.O_APPEND) as descriptor:
            size = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        if new:
            _sync_directory(path.parent)


def append_quick(path: Path, data: bytes) -> None:
    """Add to the end of a file; a crash of the machine may lose it."""
    with explained(path, "write"), _private(path, os.O_APPEND) as descriptor:
        _write_all(descriptor, data)


def truncate(path: Path, size: int) -> None:
    """Cut a file off after ``size`` bytes."""
    with explained(path, "write"), _private(path, 0) as descriptor:
        os.ftruncate(descriptor, size)


def read(path: Path) -> bytes:
    """The whole file."""
    with explained(path, "read"):
        return path.read_bytes()


@contextlib.contextmanager
def _private(path: Path, flags: int) -> Iterator[int]:
    """The file, open for writing; made where it is not there. A symbolic link is not followed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, FILE)
    try:
        os.fchmod(descriptor, FILE)
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_directory(path: Path) -> None:
    """A new name is on disk only when its directory is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
