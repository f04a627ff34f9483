"""The ownership rule: which files of this machine netbench believes.

A path is trusted where this user or root owns it and every directory and link on the way to it, and nobody else can
write to any of them. Three cases are not writable by others though their modes look so: a sticky directory such as
/tmp on the way, a read-only file system (a ConfigMap in a pod), and the private group of the owner (RHEL's umask 002).
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path

from netbench.errors import UntrustedError

ROOT = 0
MOST_LINKS = 40  # as the kernel's own limit
_ACL = "system.posix_acl_access"


def resolve(path: Path | str) -> Path:
    """The real path, after every directory and link on the way, and the end of it, was found trusted.

    Raises UntrustedError; OSError where something is not there or cannot be looked at.
    """
    here, rest = "/", _words(os.fspath(Path.cwd() / path))
    _judge(here, os.lstat(here), path, on_the_way=True)
    links = 0
    while rest:
        word = rest.pop()
        if word == "..":
            here = os.path.dirname(here)  # noqa: PTH120 - the links before it are resolved
            continue
        there = os.path.join(here, word)  # noqa: PTH118
        status = os.lstat(there)
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            _judge_owner(there, status, path)
            target = os.readlink(there)  # noqa: PTH115 - a Path would lose what is before ".."
            rest += _words(target)
            here = "/" if target.startswith("/") else here
        else:
            if stat.S_ISCHR(status.st_mode):  # who can write to /dev/null writes no file
                _judge_owner(there, status, path)
            else:
                _judge(there, status, path, on_the_way=bool(rest) or stat.S_ISDIR(status.st_mode))
            here = there
    return Path(here)


def read(path: Path, largest: int) -> bytes:
    """What is in a trusted regular file of at most ``largest`` bytes. Raises UntrustedError, OSError."""
    real = resolve(path)
    _judge_type(real.lstat(), path)  # before it is opened, too: some devices act on that
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        judge_file(descriptor, path)
        return read_descriptor(descriptor, path, largest)
    finally:
        os.close(descriptor)


def judge_file(descriptor: int, path: Path, *, writers: bool = True) -> os.stat_result:
    """Raise UntrustedError unless it is a regular file of ours or root's that nobody else can write to.

    ``writers`` False: who can write to it does not matter, for its mode and its content are about to be changed.
    """
    status = os.fstat(descriptor)
    _judge_type(status, path)
    if writers:
        _judge(descriptor, status, path)
    else:
        _judge_owner(descriptor, status, path)
    return status


def judge_directory(descriptor: int, path: Path) -> os.stat_result:
    """Raise UntrustedError unless it is a directory of ours or root's in which nobody else can write, sticky or not."""
    status = os.fstat(descriptor)
    _judge(descriptor, status, path)
    return status


def judge_link(path: Path) -> None:
    """Raise UntrustedError for a symbolic link of another user's. Raises OSError."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        _judge_owner(str(path), status, path)


def read_descriptor(descriptor: int, path: Path, largest: int) -> bytes:
    """Everything in an open file. Raises UntrustedError for more than ``largest`` bytes, before memory is used."""
    size = os.fstat(descriptor).st_size
    pieces: list[bytes] = []
    left = largest + 1 if size <= largest else 0
    while left > 0 and (piece := os.read(descriptor, min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    if left <= 0:
        raise UntrustedError(
            f"{path}: is larger than {largest // (1 << 20)} MiB", "move it away; it is no file of ours"
        )
    return b"".join(pieces)


def owner(status: os.stat_result) -> str:
    """The name of its owner, or the number where it has none."""
    return user_name(status.st_uid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def believed(uid: int) -> bool:
    """Whether files of that user count: this process's user, and root."""
    return uid in (ROOT, os.geteuid())


def _judge_type(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UntrustedError(f"{path}: is not a regular file", "name a regular file, or move it away")


def _judge(where: str | int, status: os.stat_result, path: Path | str, *, on_the_way: bool = False) -> None:
    """``where``: what is judged, a path or a descriptor of ``path`` itself; the error names both."""
    if not (on_the_way and status.st_uid == _roots_owner()):
        _judge_owner(where, status, path)
    writers = _writers(where, status)
    if not writers or (on_the_way and (status.st_mode & stat.S_ISVTX or _read_only(where))):
        return
    who = "other users" if "o" in writers else f"members of the group {_group(status)}"
    place = where if isinstance(where, str) else str(path)
    raise UntrustedError(
        f"{_told(where, path)}: not trusted: {who} can write to it (owner {owner(status)}, mode {_mode(status)})",
        f"check what it holds, then run: chmod {_deep(where, status)}{writers}-w {shlex.quote(place)}",
    )


def _judge_owner(where: str | int, status: os.stat_result, path: Path | str) -> None:
    if believed(status.st_uid):
        return
    me = user_name(os.geteuid())
    whose = f"only files of {me}" + ("" if os.geteuid() == ROOT else " or root") + " count"
    place = where if isinstance(where, str) else str(path)
    option = "-h " if stat.S_ISLNK(status.st_mode) else _deep(where, status)
    raise UntrustedError(
        f"{_told(where, path)}: not trusted: {owner(status)} owns it (mode {_mode(status)}); {whose}",
        f"check what it holds, then run: chown {option}{shlex.quote(me.removeprefix('uid '))} {shlex.quote(place)}",
    )


def _deep(where: str | int, status: os.stat_result) -> str:
    """The option for all that is in a directory, where that is what was asked for."""
    return "-R " if isinstance(where, int) and stat.S_ISDIR(status.st_mode) else ""


def _told(where: str | int, path: Path | str) -> str:
    return str(path) if isinstance(where, int) or where == str(path) else f"{path}: {where}"


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"


def _writers(where: str | int, status: os.stat_result) -> str:
    """Who else can write, as chmod names them: "g", "o", "go" or nobody."""
    group = status.st_mode & stat.S_IWGRP and not _private_group(where, status)
    return ("g" if group else "") + ("o" if status.st_mode & stat.S_IWOTH else "")


def _private_group(where: str | int, status: os.stat_result) -> bool:
    """Whether its group is its owner alone: of the same name and without members, and no access list adds others."""
    try:
        user, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name} and not _has_acl(where)


def _has_acl(where: str | int) -> bool:
    try:
        return bool(os.getxattr(where, _ACL))
    except OSError:
        return False


def _read_only(where: str | int) -> bool:
    return bool(os.statvfs(where).f_flag & os.ST_RDONLY)


def _roots_owner() -> int:
    """Who owns "/": root, but for a user namespace that does not know root; whoever it is can do anything anyway."""
    return os.lstat("/").st_uid


def _group(status: os.stat_result) -> str:
    try:
        return grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        return f"gid {status.st_gid}"


def _words(path: str) -> list[str]:
    """The names in a path, the last one first."""
    return [word for word in reversed(path.split("/")) if word not in ("", ".")]
