"""Lines of known_hosts files: which keys they have for a host, and adding one so that it is found again."""

from __future__ import annotations

import base64
import binascii
import errno
import fcntl
import fnmatch
import hashlib
import hmac
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netbench import trust
from netbench.errors import HostKeyError, UntrustedError

LARGEST = 64 << 20  # bytes of one file: half a million hosts
PATIENCE = 5.0  # seconds for another program that adds a key; whoever can read the file can lock it for ever

Key = tuple[str, str]  # type and base64
STRICTER = "netbench is stricter here than ssh, on purpose"


def keys_for(host: str, text: str) -> set[Key]:
    """The keys that a file's text has for ``host``, which is ``[host]:port`` where the port is not 22."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and not words[0].startswith(("#", "@")) and _names(host, words[0]):
            found.add((words[1], words[2]))
    return found


def glued_keys_for(host: str, text: str) -> set[Key]:
    """Keys in lines without an end of their own: an older netbench added them behind a line that lacked its newline."""
    found = set()
    for words in map(str.split, text.splitlines()):
        for word, kind, key in zip(words[2:], words[3:], words[4:], strict=False):
            if word.endswith(host) and kind.startswith(("ssh-", "ecdsa-", "sk-")):
                found.add((kind, key))
    return found


def is_revoked(host: str, key: Key, text: str) -> bool:
    """Whether a line marks that key as revoked for that host."""
    rows = (line.split() for line in text.splitlines() if line.startswith("@revoked"))
    return any(len(row) >= 4 and tuple(row[2:4]) == key and _names(host, row[1]) for row in rows)


def read_text(path: Path) -> str:
    """A trusted file's text; "" where there is none. Raises HostKeyError."""
    try:
        return trust.read(path, LARGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except UntrustedError as error:
        raise HostKeyError(f"{error}; {STRICTER}", error.remedy) from error
    except OSError as error:
        raise HostKeyError(f"{path}: cannot be read: {error.strerror}", "make it readable for your user") from error


def add(path: Path, host: str, key: Key) -> None:
    """Add a key on a line of its own, and see that it is found then, it alone.

    Raises HostKeyError where the file is not trusted, cannot be written to, or has another key for the host.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(path) as descriptor, _alone(descriptor):
            before = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            known = keys_for(host, before.decode("utf-8", "replace"))
            if known - {key}:
                raise changed(path, host)
            if not known:
                start = b"" if before.endswith(b"\n") or not before else b"\n"
                _write(descriptor, start + f"{host} {key[0]} {key[1]}\n".encode())
                os.fsync(descriptor)
    except UntrustedError as error:
        raise HostKeyError(f"{error}; {STRICTER}", error.remedy) from error
    except OSError as error:
        raise HostKeyError(
            f"{path}: cannot store a new host key: {error.strerror}", "make it writable, or add the key by hand"
        ) from error
    if keys_for(host, read_text(path)) != {key}:
        raise HostKeyError(
            f"{path}: the new host key of {host} is not found after it was added",
            "check the file's last lines, or add the key by hand",
        )


def changed(path: Path, host: str) -> HostKeyError:
    return HostKeyError(
        f"{host}: THE HOST KEY HAS CHANGED: {path} has another key for it",
        "possible man-in-the-middle; if reinstalled, ssh-keygen -R and verify the fingerprint",
    )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The trusted file, made where it is missing, open to be added to. Raises UntrustedError, OSError."""
    try:
        real = trust.resolve(path)
    except FileNotFoundError:
        real = trust.resolve(path.parent) / path.name
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(real, flags, 0o600)
    try:
        status = trust.judge_file(descriptor, path)
        if status.st_size > LARGEST:
            raise UntrustedError(f"{path}: is larger than {LARGEST >> 20} MiB", "move it away")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """Keep other processes of netbench from adding meanwhile, for as long as patience lasts.

    It is given up then: at worst two new lines have an empty one between them.
    """
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        if time.monotonic() > end:
            break
        time.sleep(0.05)
    yield  # closing the file gives the lock back


def _write(descriptor: int, data: bytes) -> None:
    """All of it at once, or none."""
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, data) != len(data):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _names(host: str, patterns: str) -> bool:
    """Whether the first word of a line stands for that host: hashed, or names and patterns between commas."""
    if patterns.startswith("|1|"):
        return _hashed(host, patterns)
    found = False
    for pattern in patterns.lower().split(","):
        negated = pattern.startswith("!")
        # brackets are no pattern here: they stand for themselves
        glob = pattern.lstrip("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(host.lower(), glob):
            if negated:
                return False
            found = True
    return found


def _hashed(host: str, word: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in word[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, host.encode(), hashlib.sha1).digest(), digest)
