"""Passwords and passphrases: from the environment or from private files, never from inventories or arguments."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netbench.errors import UsageError

PASSWORD, PASSPHRASE = "NETBENCH_SSH_PASSWORD", "NETBENCH_SSH_PASSPHRASE"
VARIABLES = frozenset(name + suffix for name in (PASSWORD, PASSPHRASE) for suffix in ("", "_FILE"))
LARGEST = 4096  # bytes of a file with a secret


@dataclass(frozen=True)
class Credentials:
    """What SSH may use besides keys and the agent. Shown by no repr; no object of the model holds one."""

    password: str | None = field(default=None, repr=False)  # to log in with
    passphrase: str | None = field(default=None, repr=False)  # of encrypted key files


def read_credentials(environment: Mapping[str, str]) -> Credentials:
    """From ``NETBENCH_SSH_PASSWORD`` and ``NETBENCH_SSH_PASSPHRASE``, or the files that these with ``_FILE`` name.

    Raises UsageError for a file that others can read, that is not there, or that is no secret's.
    """
    return Credentials(_secret(PASSWORD, environment), _secret(PASSPHRASE, environment))


def _secret(name: str, environment: Mapping[str, str]) -> str | None:
    value, file = environment.get(name), environment.get(f"{name}_FILE")
    if value and file:
        raise UsageError(f"{name} and {name}_FILE are both set", "unset one of them")
    return _read(f"{name}_FILE", Path(file)) if file else value or None


def _read(variable: str, path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO must not block
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{variable}: {path} is not a regular file", "name a file that holds the secret")
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise UsageError(
                    f"{variable}: {path} is not yours alone (mode {stat.S_IMODE(status.st_mode):04o})",
                    "make it yours: chown it to your user, and chmod 600",
                )
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{variable}: {path} cannot be read: {reason}", "check the path") from error
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 1 or not lines[0] or len(data) > LARGEST:
        raise UsageError(f"{variable}: {path} does not hold one line of text", "write the secret there, and no more")
    return lines[0]
