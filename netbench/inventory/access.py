"""How a host is reached: Ansible's connection variables as an Access."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from netbench import trust
from netbench.errors import UntrustedError
from netbench.inventory.place import Place, Variable, Variables
from netbench.inventory.schema import HostVariables
from netbench.inventory.words import is_host_name, is_ip, is_user, shown
from netbench.model import Access, LocalAccess, SshAccess

ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")

_OPTION = re.compile(r"proxyjump\s*[=\s]\s*(\S+)", re.IGNORECASE)
_HOP = re.compile(r"(?:(?P<user>.+)@)?(?:\[(?P<ip>[^\[\]]+)\]|(?P<host>[^:\[\]@]+))(?::(?P<port>[0-9]{1,5}))?")


def host_access(name: str, values: HostVariables, variables: Variables, base: Path) -> Access:
    """How commands get to a host. ``variables`` are where ``values`` come from; ``base``: relative paths start there.

    Raises InventoryError for SSH arguments other than a jump host.
    """
    if values.ansible_connection == "local":
        return LocalAccess()
    return SshAccess(
        host=values.ansible_host or name,
        port=values.ansible_port,
        user=values.ansible_user,
        key_file=_local(variables.get("ansible_ssh_private_key_file"), base),
        proxy_jump=_jump(name, variables),
        known_hosts=_local(variables.get("netbench_known_hosts"), base),
    )


def local_path(text: str, place: Place, base: Path) -> str:
    """A trusted path on this machine: ``~`` expanded, relative ones starting from the inventory's directory.

    What is not there is left to whoever opens it. Raises InventoryError for a file that others could have written.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise place.error(f"{shown(text)}: there is no such home directory", "write the whole path") from None
    require_trust(base.absolute() / path, place)
    return str(base.absolute() / path)


def require_trust(path: Path, place: Place) -> None:
    """Raise InventoryError where others than this user and root could have written that file."""
    try:
        trust.resolve(path)
    except UntrustedError as error:
        raise place.error(str(error), error.remedy) from error
    except (OSError, ValueError):
        return


def _local(variable: Variable | None, base: Path) -> str | None:
    return local_path(str(variable.value), variable.place, base) if variable else None


def _jump(name: str, variables: Variables) -> str | None:
    found = None
    for variable in (variables[key] for key in ARGUMENTS if key in variables):
        for jump in _jumps(variable, name):
            if found not in (None, jump):
                raise variable.place.error(
                    f"host {name} has two different jump hosts, {found} and {jump}",
                    "name one of them, or both in a row as -J FIRST,SECOND",
                )
            found = jump
    return found


def _jumps(variable: Variable, host: str) -> list[str]:
    """The jump hosts that ssh arguments name; anything else in them is an error."""
    owner = f"{variable.name} of host {host}"
    try:
        words = iter(shlex.split(str(variable.value)))
    except ValueError as error:
        raise variable.place.error(f"{owner}: {str(error).lower()}", "close the quotes") from None
    found = []
    for word in words:
        jump = None
        if word.startswith("-J"):
            jump = word[2:] or next(words, "")
        elif word.startswith("-o") and (match := _OPTION.fullmatch((word[2:] or next(words, "")).strip())):
            jump = match[1]
        if jump is None:
            raise variable.place.error(
                f"{owner} holds {shown(word)}; only a jump host (-J HOST, -o ProxyJump=HOST) can be read from it",
                "put other options into ~/.ssh/config, which is honoured",
            )
        if jump.lower() != "none" and not all(_is_hop(hop) for hop in jump.split(",")):
            raise variable.place.error(f"{owner}: {shown(jump)} is not a jump host", "write it as user@host:port")
        found.append(jump)
    return found


def _is_hop(text: str) -> bool:
    match = _HOP.fullmatch(text)
    if match is None:
        return False
    user, ip, host, port = match.group("user", "ip", "host", "port")
    known = is_ip(ip) if ip else is_host_name(host)
    return known and (user is None or is_user(user)) and (port is None or 0 < int(port) < 65536)
