"""Which words are accepted from inventories and clusters, and how others are shown in messages.

They end up in command lines, file names and tables of other programs, so what could be an option, a shell character
or a terminal sequence is refused here, although nothing downstream goes through a shell unquoted.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable

LONGEST_NAME = 253  # of DNS
LONGEST_LABEL = 63

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_GROUP = re.compile(r"[^\W][\w.-]*")
_ADDRESS = re.compile(r"[A-Za-z0-9_:.%-]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DNS_SUBDOMAIN = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_LABEL_KEY = re.compile(rf"(?:{_DNS_LABEL}(?:\.{_DNS_LABEL})*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")


def is_host_name(text: str) -> bool:
    """Letters, digits, dots, dashes and underscores, not a dash or dot first; or an IP address."""
    return len(text) <= LONGEST_NAME and (_NAME.fullmatch(text) is not None or is_ip(text))


def is_group_name(text: str) -> bool:
    """Letters and digits of any script, dots, dashes and underscores."""
    return len(text) <= LONGEST_NAME and _GROUP.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address; a zone index as in fe80::1%eth0 is allowed."""
    if not _ADDRESS.fullmatch(text):  # ipaddress takes anything at all behind the percent sign
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_user(text: str) -> bool:
    """A login name; user@domain too."""
    return len(text) <= LONGEST_NAME and _USER.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """A zone, a kind, an instance type: up to 63 printable characters without blanks at its ends."""
    return 0 < len(text) <= LONGEST_LABEL and is_plain(text) and text == text.strip()


def is_plain(text: str) -> bool:
    """No control characters, nothing invisible but the blank, and not what a program would take for an option."""
    return text.isprintable() and not text.startswith("-")


def is_dns_subdomain(text: str) -> bool:
    """What Kubernetes takes for the name of a pod or node (DNS-1123)."""
    return len(text) <= LONGEST_NAME and _DNS_SUBDOMAIN.fullmatch(text) is not None


def is_dns_label(text: str) -> bool:
    """What Kubernetes takes for the name of a namespace or container (DNS-1123)."""
    return is_dns_subdomain(text) and len(text) <= LONGEST_LABEL and "." not in text


def is_label_key(text: str) -> bool:
    """What Kubernetes takes for the key of a label."""
    return len(text) <= LONGEST_NAME + LONGEST_LABEL and _LABEL_KEY.fullmatch(text) is not None


def shown(value: object) -> str:
    """A value for a message: one line, short, nothing in it that a terminal would obey."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple | set):
        return "a list"
    if value is None:
        return "empty"
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def said(text: str, longest: int = 300) -> str:
    """What another program said, for a message: one line without anything a terminal would obey."""
    plain = "".join(character if character.isprintable() else " " for character in text).strip()
    return plain if len(plain) <= longest else f"{plain[: longest - 3]}..."


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A remedy for a name that is not known: the closest ones, else some that exist.

    ``prefix`` is what all of them begin with; it makes nothing similar.
    """
    names = sorted(known)
    endings = {each.removeprefix(prefix): each for each in names}
    if close := difflib.get_close_matches(name.removeprefix(prefix), endings, n=2, cutoff=0.6):
        return f"did you mean {' or '.join(endings[each] for each in close)}?"
    if not names:
        return "there is none to choose from"
    return f"there is {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
