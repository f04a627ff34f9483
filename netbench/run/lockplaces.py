"""Where the bastion's lock lies: only where nobody else can write, open, hold or exchange it.

- root: ``/run/netbench``; where that cannot be (a container with a read-only /run), as any other user in /tmp.
- any other user: private directories of his own, in the session's runtime directory, at home, in /tmp and /var/tmp. A
  run locks in all of these that it can use: a cron job has no session, and a service may have no home, yet two runs of
  one user must meet. Nobody can take away a directory that is there: /tmp is sticky.
- where the settings name a group: ``/run/netbench-lock-GROUP``, which root made for it; all its members' runs meet.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from netbench import trust
from netbench.errors import PreflightError, UntrustedError

NAME = "lock"
GROUP_VARIABLE = "NETBENCH_LOCK_GROUP"
PRIVATE, SHARED = 0o600, 0o660  # modes of the file
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True)
class Place:
    """A directory for the lock; of this user alone, or of the group with that number."""

    directory: Path
    mode: int = 0o700  # of the directory, where it is made
    group: int | None = None
    suffices: bool = False  # where it can be used, no other place is needed

    @property
    def path(self) -> Path:
        return self.directory / NAME

    @property
    def remedy(self) -> str:
        if self.group is None:
            return f"make the directory writable for your user: {self.directory}"
        name = grp.getgrgid(self.group).gr_name
        quoted = shlex.quote(str(self.directory))
        return (
            f"as root, run: install -d -o root -g {shlex.quote(name)} -m 2770 {quoted} (after every boot: tmpfiles.d); "
            f"users need to be members of the group"
        )

    def open(self) -> int:
        """The lock's file, made where it is missing. Raises UntrustedError, OSError."""
        with self._opened() as directory:
            try:
                descriptor = os.open(NAME, _FLAGS, dir_fd=directory)
            except FileNotFoundError:
                self._make(directory)
                descriptor = os.open(NAME, _FLAGS, dir_fd=directory)
            try:
                self._judge(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            return descriptor

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The directory, made where it is missing; nobody else can exchange it, or what is in it."""
        parent = self.directory.parent
        if self.group is None:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        real = trust.resolve(parent) / self.directory.name
        with suppress(FileExistsError):
            if self.group is None:
                real.mkdir(mode=self.mode)
            elif os.geteuid() == trust.ROOT:
                real.mkdir(mode=0o700)
                os.chown(real, trust.ROOT, self.group)
                real.chmod(0o2770)
        directory = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(directory)
            if self.group is None:
                _own(status, self.directory)
                if status.st_mode & 0o022:
                    os.fchmod(directory, self.mode)
            elif status.st_uid != trust.ROOT or status.st_gid != self.group or status.st_mode & 0o002:
                raise UntrustedError(
                    f"{self.directory}: not trusted: owner {trust.owner(status)}, gid {status.st_gid}, "
                    f"mode {stat.S_IMODE(status.st_mode):04o}; it must be root's, of the group, and closed to others",
                    self.remedy,
                )
            yield directory
        finally:
            os.close(directory)

    def _make(self, directory: int) -> None:
        """The file with its final mode, whatever the umask; no moment comes when it is there but shut."""
        draft = f".{NAME}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, _FLAGS | os.O_CREAT | os.O_EXCL, PRIVATE, dir_fd=directory)
        try:
            if self.group is not None:
                os.fchown(descriptor, -1, self.group)
            os.fchmod(descriptor, PRIVATE if self.group is None else SHARED)
            with suppress(FileExistsError):
                os.link(draft, NAME, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
        finally:
            os.close(descriptor)
            os.unlink(draft, dir_fd=directory)

    def _judge(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UntrustedError(f"{self.path}: is not a regular file", f"remove it: {self.path}")
        mode = PRIVATE if self.group is None else SHARED
        if self.group is None:
            _own(status, self.path)
        if status.st_mode & 0o777 & ~mode:
            try:
                os.fchmod(descriptor, mode)
            except PermissionError:
                raise UntrustedError(
                    f"{self.path}: not trusted: others can open it (owner {trust.owner(status)}, "
                    f"mode {stat.S_IMODE(status.st_mode):04o})",
                    f"let its owner run: chmod {mode:o} {shlex.quote(str(self.path))}",
                ) from None


def lock_group(settings: Mapping[str, object]) -> str | None:
    """The group whose members' runs keep each other out: by the environment, or else by the inventory's settings."""
    named = os.environ.get(GROUP_VARIABLE) or settings.get("lock_group")
    return str(named) if named else None


def places_for(given: Sequence[str] | None, group: str | None) -> list[Place]:
    """Where to lock, in all of them. Raises PreflightError for a group that there is not."""
    if group is not None:
        return [Place(Path((given or ("/run",))[0], f"netbench-lock-{group}"), group=_gid(group))]
    if given is not None:
        return [each for place in given for each in _beneath(Path(place))]
    if os.geteuid() == trust.ROOT:
        return [Place(Path("/run/netbench"), mode=0o755, suffices=True), *_temporary()]
    session = os.environ.get("XDG_RUNTIME_DIR")
    homes = [Path(home, ".local", "state") for home in dict.fromkeys(_homes())]
    own = [Place(base / "netbench") for base in ([Path(session)] if session else []) + homes]
    return [*own, *_temporary()]


def _temporary() -> list[Place]:
    return [*_beneath(Path("/tmp")), *_beneath(Path("/var/tmp"))]  # noqa: S108 - a private directory there


def _beneath(place: Path) -> list[Place]:
    """The place itself where it is private, and in one that all can write to the directories that are this user's own.

    Where somebody else has taken the usual name, there is another that nobody can foresee; it is found again by its
    owner. What another run may have made is locked in, too: of two runs, the later one sees both.
    """
    usual = f"netbench-{os.geteuid()}"
    with suppress(OSError):
        if place.stat().st_mode & stat.S_IWOTH:
            if not _may_be_own(place / usual) and not _own_names(place, usual):
                (place / f"{usual}.{secrets.token_hex(8)}").mkdir(mode=0o700)
            names = ([usual] if _may_be_own(place / usual) else []) + _own_names(place, usual)
            return [Place(place / name) for name in names]
    return [Place(place)]


def _own_names(place: Path, usual: str) -> list[str]:
    with os.scandir(place) as entries:
        names = sorted(entry.name for entry in entries if entry.name.startswith(f"{usual}."))
    return [name for name in names if _may_be_own(place / name)]


def _may_be_own(path: Path) -> bool:
    """Whether it is a directory of this user's, or nothing yet."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return True
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _homes() -> Iterator[str]:
    if home := os.environ.get("HOME"):
        yield home
    with suppress(KeyError):
        yield pwd.getpwuid(os.geteuid()).pw_dir


def _gid(name: str) -> int:
    try:
        if "/" in name:
            raise KeyError
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise PreflightError(
            f"no place for the lock: there is no group {name}",
            f"make the group, or change {GROUP_VARIABLE} or netbench_lock_group",
        ) from None


def _own(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid():
        raise UntrustedError(
            f"{path}: not trusted: owner {trust.owner(status)}, mode {stat.S_IMODE(status.st_mode):04o}; "
            f"it must be of {trust.user_name(os.geteuid())}",
            f"let its owner or root remove it: {path}",
        )
