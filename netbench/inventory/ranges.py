"""Host patterns: ``ecs-[01:20]``, ``rack-[a:f]``, ``node[1:9:2].example.com:2222``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from math import prod
from string import ascii_letters

from netbench.inventory.place import Place
from netbench.inventory.words import is_host_name, is_ip, shown

MOST_HOSTS = 65536  # that one pattern may stand for

_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\[\]]*\])+):([0-9]{1,9})")
_IN_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,9}))?")
_RANGE = re.compile(r"(?:([0-9]{1,9})?:([0-9]{1,9})|([A-Za-z]):([A-Za-z]))(?::([0-9]{1,9}))?")


def hosts_of(pattern: str, place: Place) -> tuple[list[str], int | None]:
    """The host names a pattern stands for, and the port behind it if there is one.

    Raises InventoryError for a range that cannot be, and for names that cannot be host names.
    """
    port: str | None = None
    if (match := _IN_BRACKETS.fullmatch(pattern)) and is_ip(match[1]):
        names, port = [match[1]], match[2]
    elif is_ip(pattern):  # the colons of an IPv6 address do not mean a port
        names = [pattern]
    else:
        if match := _WITH_PORT.fullmatch(pattern):
            pattern, port = match[1], match[2]
        names = expand(pattern, place)
    for name in names:
        if not is_host_name(name):
            raise place.error(
                f"{shown(name)} cannot be the name of a host",
                "use letters, digits, dots, dashes and underscores, and begin with a letter or digit",
            )
    return names, int(port) if port else None


def expand(pattern: str, place: Place) -> list[str]:
    """Every text a pattern with ranges stands for, in order; both ends are included, as in Ansible.

    Raises InventoryError for a range that cannot be, and for more than 65,536 texts.
    """
    parts = re.split(r"\[([^\[\]]*)\]", pattern)
    if any("[" in text or "]" in text for text in parts[::2]):
        raise place.error(f"{shown(pattern)}: a bracket has no partner", "write ranges as in ecs-[01:20]")
    ranges = [_range(text, place) for text in parts[1::2]]
    if prod(len(each.indexes) for each in ranges) > MOST_HOSTS:
        raise place.error(f"{shown(pattern)} stands for more than {MOST_HOSTS} hosts", "write smaller ranges")
    first, *others = parts[::2]
    return [
        first + "".join(chosen + text for chosen, text in zip(texts, others, strict=True))
        for texts in product(*(each.texts() for each in ranges))
    ]


@dataclass(frozen=True)
class _Range:
    indexes: range
    width: int | None  # digits to fill with zeros; None: the indexes are of letters

    def texts(self) -> list[str]:
        if self.width is None:
            return [ascii_letters[index] for index in self.indexes]
        return [str(index).zfill(self.width) for index in self.indexes]


def _range(text: str, place: Place) -> _Range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise place.error(f"{shown(f'[{text}]')} is not a range", "write [01:20], [a:f] or [1:9:2]")
    low, high, first, last, step = match.groups()
    if first:
        start, end, width = ascii_letters.index(first), ascii_letters.index(last), None
    else:
        low = low or "0"
        width = len(low) if low.startswith("0") and len(low) > 1 else 0
        if width and len(high) != width:
            raise place.error(f"[{text}]: its ends differ in length", f"fill both with zeros, as in [{low}:{high:0>3}]")
        start, end = int(low), int(high)
    if start > end:
        raise place.error(f"[{text}] ends before it begins", "write the smaller end first")
    if step and int(step) == 0:
        raise place.error(f"[{text}]: the step is 0", "count in steps of 1 or more")
    return _Range(range(start, end + 1, int(step) if step else 1), width)
