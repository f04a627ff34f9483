"""Which known_hosts files count, and what happens to a key that is in none of them.

Called by ``ssh.py`` with paramiko's own objects; it imports nothing of paramiko itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netbench import trust
from netbench.errors import HostKeyError, UntrustedError
from netbench.transports import knownhosts

_append_lock = threading.Lock()


def known_hosts_files(inventory_file: str | None, ssh_config: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files to read, the one that may be written first: inventory's, ssh_config's, the user's, the system's.

    Raises HostKeyError where others than this user and root could have written one of them: whoever writes there
    decides which machine is taken for which.
    """
    names: list[str] = [inventory_file] if inventory_file else []
    for option, default in (
        ("userknownhostsfile", "~/.ssh/known_hosts"),
        ("globalknownhostsfile", "/etc/ssh/ssh_known_hosts"),
    ):
        names += str(ssh_config.get(option, default)).split()
    files = tuple(Path(name).expanduser() for name in names if name != "/dev/null" and name.lower() != "none")
    for path in files:
        _require_trust(path)
    return files


class HostKeyPolicy:
    """paramiko's MissingHostKeyPolicy: refuse an unknown key with the remedy, or store it when that was asked for.

    A *changed* key of the same type never comes here: paramiko refuses it before.
    """

    def __init__(self, files: Sequence[Path], accept_new: bool) -> None:
        self._files = files
        self._accept_new = accept_new

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Called by paramiko; ``hostname`` is as known_hosts has it: ``[host]:port`` where the port is not 22."""
        shown: knownhosts.Key = (key.get_name(), key.get_base64())
        if not self._accept_new or not self._files:
            raise HostKeyError(
                f"{hostname}: its host key ({key.get_name()} {key.fingerprint}) is not in known_hosts",
                "compare it with the host's own and log in once with ssh to add it, or pass --accept-new-host-keys",
            )
        with _append_lock:
            for path in self._files:
                self._require_no_other(path, hostname, shown)
            knownhosts.add(self._files[0], hostname, shown)

    @staticmethod
    def _require_no_other(path: Path, hostname: str, shown: knownhosts.Key) -> None:
        """Raise HostKeyError where a file has another key for the host: then it is not a new host."""
        text = knownhosts.read_text(path)
        if knownhosts.is_revoked(hostname, shown, text):
            raise HostKeyError(f"{hostname}: its host key is revoked in {path}", "make a new key on the host")
        others = knownhosts.keys_for(hostname, text) | knownhosts.glued_keys_for(hostname, text)
        others.discard(shown)
        if not others:
            return
        if shown[0] in {kind for kind, _ in others}:
            raise knownhosts.changed(path, hostname)
        kinds = ", ".join(sorted(kind for kind, _ in others))
        raise HostKeyError(
            f"{hostname}: its host key is of type {shown[0]}; {path} has only {kinds} for it",
            "possible man-in-the-middle; verify the fingerprint, then add the key by hand with ssh-keyscan",
        )


def _require_trust(path: Path) -> None:
    try:
        size = trust.resolve(path).stat().st_size
    except UntrustedError as error:
        raise HostKeyError(f"{error}; {knownhosts.STRICTER}", error.remedy) from error
    except (OSError, ValueError):
        return  # it is not there, or cannot be looked at: then it is not read either
    if size > knownhosts.LARGEST:
        raise HostKeyError(f"{path}: is larger than {knownhosts.LARGEST >> 20} MiB", "name another known_hosts file")
