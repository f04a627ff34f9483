"""Files that are whole or not there, private to their owner, with errors that say what to do.

A file is named by the directory that is judged (a run's) and a name in it, with at most one directory between. All of
them are opened one within the other and judged as they are open, so that nobody can exchange one meanwhile: only
directories and regular files of this user's or root's count, and nothing that others can write to.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from netbench import trust
from netbench.errors import RunDirError, UntrustedError

_NEITHER_LINK_NOR_WAIT = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
DIRECTORY, FILE = 0o700, 0o600  # raw outputs and addresses are nobody else's business; the umask has no say in it

_ELSEWHERE = "or choose another place with --reports"
_REMEDIES = {
    errno.ENOSPC: f"free space on that file system, {_ELSEWHERE}",
    errno.EDQUOT: f"free space within your quota, {_ELSEWHERE}",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: f"mount that file system writable, {_ELSEWHERE}",
    errno.EACCES: f"give your user the right to it (ls -ld shows who has it), {_ELSEWHERE}",
    errno.EPERM: f"give your user the right to it (ls -ld shows who has it), {_ELSEWHERE}",
    errno.ELOOP: "replace the symbolic link by the file itself",
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
    except UntrustedError as error:
        raise RunDirError(f"cannot {doing} {error}", error.remedy) from error
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


def write_whole(root: Path, name: str, data: bytes) -> None:
    """Write a file so that after a crash at any moment either the old content is there or the new one."""
    with explained(root / name, "write"), _opened(root, name) as (place, last):
        beside = f".{last}.tmp"
        try:
            with _private(place, beside, os.O_TRUNC, root / name) as descriptor:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            os.replace(beside, last, src_dir_fd=place, dst_dir_fd=place)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=place)
            raise
        os.fsync(place)


def append(root: Path, name: str, data: bytes) -> None:
    """Add to the end of a file and wait until it is on disk. What a failure wrote of it is taken back."""
    with explained(root / name, "write"), _opened(root, name) as (place, last):
        new = not _is_there(place, last)
        with _private(place, last, os.O_APPEND, root / name) as descriptor:
            size = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        if new:
            os.fsync(place)  # a new name is on disk only when its directory is


def append_quick(root: Path, name: str, data: bytes) -> None:
    """Add to the end of a file; a crash of the machine may lose it."""
    with (
        explained(root / name, "write"),
        _opened(root, name) as (place, last),
        _private(place, last, os.O_APPEND, root / name) as descriptor,
    ):
        _write_all(descriptor, data)


def truncate(root: Path, name: str, size: int) -> None:
    """Cut a file off after ``size`` bytes."""
    with (
        explained(root / name, "write"),
        _opened(root, name) as (place, last),
        _private(place, last, 0, root / name) as descriptor,
    ):
        os.ftruncate(descriptor, size)


def read(root: Path, name: str, largest: int) -> bytes:
    """The whole file, of at most ``largest`` bytes."""
    with explained(root / name, "read"), _opened(root, name) as (place, last):
        descriptor = os.open(last, os.O_RDONLY | _NEITHER_LINK_NOR_WAIT, dir_fd=place)
        try:
            trust.judge_file(descriptor, root / name)
            return trust.read_descriptor(descriptor, root / name, largest)
        finally:
            os.close(descriptor)


def exists(root: Path, name: str) -> bool:
    """Whether there is anything of that name, in a directory that counts."""
    with explained(root / name, "read"), _opened(root, name) as (place, last):
        return _is_there(place, last)


def listing(root: Path, name: str = "") -> list[str]:
    """The names in a directory that counts: ``root`` itself, or ``name`` in it."""
    with explained(root / name, "read"), _opened(root, f"{name}/" if name else "") as (place, _):
        return os.listdir(place)  # noqa: PTH208 - the open directory, not whatever has its name now


@contextlib.contextmanager
def held_open(root: Path, name: str) -> Iterator[int]:
    """A file that is made where it is missing, open to be locked; nobody else can open it."""
    with _opened(root, name) as (place, last), _private(place, last, 0, root / name) as descriptor:
        yield descriptor


@contextlib.contextmanager
def _opened(root: Path, name: str) -> Iterator[tuple[int, str]]:
    """The directory that ``name`` is in, open and judged, and the last part of the name."""
    between, _, last = name.rpartition("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    trust.judge_link(root)  # a link that others made must not choose among own directories
    outer = os.open(root, flags)
    try:
        trust.judge_directory(outer, root)
        if not between:
            yield outer, last
            return
        inner = os.open(between, flags | os.O_NOFOLLOW, dir_fd=outer)
        try:
            trust.judge_directory(inner, root / between)
            yield inner, last
        finally:
            os.close(inner)
    finally:
        os.close(outer)


@contextlib.contextmanager
def _private(place: int, name: str, flags: int, path: Path) -> Iterator[int]:
    """The file, open for writing; made where it is not there."""
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | _NEITHER_LINK_NOR_WAIT | flags, FILE, dir_fd=place)
    try:
        trust.judge_file(descriptor, path, writers=False)
        os.fchmod(descriptor, FILE)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_there(place: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=place)
    except FileNotFoundError:
        return False
    return True


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
