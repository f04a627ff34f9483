"""Which known_hosts files count, and what happens to a key that is in none of them.

Called by ``ssh.py`` with paramiko's own objects; it imports nothing of paramiko itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netbench.errors import HostKeyError

_append_lock = threading.Lock()


def known_hosts_files(inventory_file: str | None, ssh_config: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files to read, the one that may be written first: inventory's, ssh_config's, the user's, the system's."""
    names: list[str] = [inventory_file] if inventory_file else []
    for option, default in (
        ("userknownhostsfile", "~/.ssh/known_hosts"),
        ("globalknownhostsfile", "/etc/ssh/ssh_known_hosts"),
    ):
        names += str(ssh_config.get(option, default)).split()
    return tuple(Path(name).expanduser() for name in names if name != "/dev/null")


class HostKeyPolicy:
    """paramiko's MissingHostKeyPolicy: refuse an unknown key with the remedy, or store it when that was asked for.

    A *changed* key never comes here: paramiko refuses it before.
    """

    def __init__(self, files: Sequence[Path], accept_new: bool) -> None:
        self._files = files
        self._accept_new = accept_new

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Called by paramiko; ``hostname`` is as known_hosts has it: ``[host]:port`` where the port is not 22."""
        if self._accept_new and self._files:
            self._store(self._files[0], f"{hostname} {key.get_name()} {key.get_base64()}\n")
            return
        raise HostKeyError(
            f"{hostname}: its host key ({key.get_name()} {key.fingerprint}) is not in known_hosts",
            "compare it with the host's own and log in once with ssh to add it, or pass --accept-new-host-keys",
        )

    @staticmethod
    def _store(path: Path, line: str) -> None:
        try:
            with _append_lock:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(line)
        except OSError as error:
            raise HostKeyError(
                f"{path}: a new host key cannot be stored ({error.strerror})",
                "make it writable, or add the key by hand",
            ) from error
