"""Patterns that narrow an inventory, as Ansible's --limit: names, wildcards, ``~regex``, ``a:b``, ``:&c``, ``:!d``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase

from netbench.errors import InventoryError, UsageError
from netbench.inventory.lineage import Lineage
from netbench.inventory.place import Place
from netbench.inventory.ranges import expand
from netbench.inventory.tree import Tree
from netbench.inventory.words import did_you_mean, is_ip, shown

_PIECE = re.compile(r"(?:\[[^\[\]]*\]|[^:])+")  # colons in brackets separate nothing
_SUBSCRIPT = re.compile(r"(.+)\[(?:(-?[0-9]{1,9})|([0-9]{1,9})[:-]([0-9]{0,9}))\]")
_RANGE = re.compile(r"\[[^\[\]]*:")


def select(pattern: str, tree: Tree, lineage: Lineage) -> set[str]:
    """The names of the hosts a pattern stands for: unions first, then intersections, then exclusions.

    Raises UsageError where a part of it matches nothing, or nothing is left.
    """
    pieces = _split(pattern)
    matcher = _Matcher(pattern, tree, lineage)
    plain = [piece for piece in pieces if not piece.startswith(("&", "!"))]
    hosts = {host for piece in plain or ["all"] for host in matcher.hosts(piece)}
    for piece in pieces:
        if piece.startswith("&"):
            hosts &= set(matcher.hosts(piece[1:]))
    for piece in pieces:
        if piece.startswith("!"):
            hosts -= set(matcher.hosts(piece[1:]))
    if not hosts:
        raise UsageError(f"--limit {shown(pattern)} leaves no host", "widen it; `all` stands for every host")
    return hosts


def _split(pattern: str) -> list[str]:
    pieces: list[str] = []
    for part in pattern.split(","):
        pieces += [part] if is_ip(part.strip()) else _PIECE.findall(part)
    return [piece.strip() for piece in pieces if piece.strip()]


class _Matcher:
    def __init__(self, pattern: str, tree: Tree, lineage: Lineage) -> None:
        self._pattern = pattern
        self._tree = tree
        self._lineage = lineage

    def hosts(self, piece: str) -> list[str]:
        """The hosts one piece stands for, in the order of the inventory."""
        plain = piece.startswith("~") or "[" not in piece
        found = self._named(piece) if plain else self._bracketed(piece)
        if found is None:
            raise self._error(
                f"nothing is named {shown(piece)}", did_you_mean(piece, {**self._tree.groups, **self._tree.hosts})
            )
        return found

    def _error(self, message: str, remedy: str) -> UsageError:
        return UsageError(f"--limit {shown(self._pattern)}: {message}", remedy)

    def _named(self, piece: str) -> list[str] | None:
        """Hosts of groups of that name, or else hosts of that name; with wildcards both. None: neither is there."""
        matches, wild = self._test(piece)
        groups = [name for name in self._tree.groups if matches(name)]
        hosts = dict.fromkeys(host for name in groups for host in self._lineage.members(name))
        if wild or not groups:
            hosts |= dict.fromkeys(host for host in self._tree.hosts if matches(host))
        return list(hosts) if groups or hosts else None

    def _test(self, piece: str) -> tuple[Callable[[str], object], bool]:
        if piece.startswith("~"):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # re has opinions on brackets inside of brackets
                    return re.compile(piece[1:]).match, True
            except (re.error, OverflowError, RecursionError) as error:
                raise self._error(f"{shown(piece)} is not a regular expression: {error}", "see Python's re") from None
        if any(character in piece for character in "*?["):
            return lambda name: fnmatchcase(name, piece), True
        return piece.__eq__, False

    def _bracketed(self, piece: str) -> list[str] | None:
        """An index into a group, hosts as inventories write them, or a wildcard such as ecs-0[12]; in that order."""
        match = _SUBSCRIPT.fullmatch(piece)
        named = self._named(match[1]) if match else None
        if match and named is not None:
            return self._subscripted(piece, named, *match.groups()[1:])
        return self._range(piece) if _RANGE.search(piece) else self._named(piece)

    def _subscripted(self, piece: str, hosts: list[str], one: str | None, first: str | None, last: str) -> list[str]:
        """One host by its index, or hosts from index to index, both included."""
        try:
            chosen = [hosts[int(one)]] if one else hosts[int(first or 0) : int(last) + 1 if last else None]
        except IndexError:
            chosen = []
        if not chosen:
            raise self._error(f"{shown(piece)} is out of range: it has {len(hosts)} hosts", "indexes begin with 0")
        return chosen

    def _range(self, piece: str) -> list[str] | None:
        """The hosts of a range as inventories have it, such as ecs-[01:20]."""
        try:
            names = expand(piece, Place("--limit"))
        except InventoryError:
            return None
        return names if all(name in self._tree.hosts for name in names) else None
