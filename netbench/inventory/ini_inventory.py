"""The INI form of an inventory: ``[group]``, ``[group:vars]``, ``[group:children]``."""

from __future__ import annotations

import re
import shlex

from netbench.inventory.literals import literal
from netbench.inventory.place import Place, Variable
from netbench.inventory.tree import UNGROUPED, Group, Tree
from netbench.inventory.words import did_you_mean, shown

SECTIONS = ("hosts", "vars", "children")

_HEADER = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_SECRET = re.compile(r"pass|secret|token|key|become", re.IGNORECASE)
_CHILD = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")


def read_ini_inventory(text: str, file: str, tree: Tree) -> None:
    """Add what the text says to the tree. Raises InventoryError with file and line."""
    group, section = tree.groups[UNGROUPED], "hosts"
    for number, raw in enumerate(text.split("\n"), start=1):
        line, place = raw.strip(), Place(file, number)
        if not line or line.startswith(("#", ";")):
            continue
        if match := _HEADER.fullmatch(line):
            section = match[2] or "hosts"
            if section not in SECTIONS:
                raise place.error(f"[{match[1]}:{section}] is no kind of section", did_you_mean(section, SECTIONS))
            group = tree.group(match[1], place, declared=section != "vars")
        elif section == "hosts":
            _host(tree, group, line, place)
        elif section == "vars":
            variable = _assignment(line, line, place, "write KEY = VALUE")
            group.written[variable.name] = variable
        else:
            _child(tree, group, line, place)


def _host(tree: Tree, group: Group, line: str, place: Place) -> None:
    if line.startswith("[") and line.count(":") < 2:  # more of them: an IPv6 address
        raise place.error(f"{shown(line)} is not the head of a section", "write [GROUP], without blanks")
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        name = line.split(maxsplit=1)[0]  # not the line: a password may be in it
        raise place.error(f"{shown(name)}: {str(error).lower()}", "close the quotes, or quote the quote") from None
    remedy = "write KEY=VALUE, without blanks around =; quote a value with blanks"
    variables = [_assignment(word, line, place, remedy) for word in words[1:]]
    tree.add_hosts(group, words[0] if words else "", place, variables)


def _assignment(text: str, line: str, place: Place, remedy: str) -> Variable:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        what = "a part of the line" if _SECRET.search(line) else shown(text)
        raise place.error(f"{what} is not a variable", remedy)
    return Variable(name, literal(value, place), place)


def _child(tree: Tree, group: Group, line: str, place: Place) -> None:
    match = _CHILD.fullmatch(line)
    if match is None:
        raise place.error(f"{shown(line)} is not a group", f"below [{group.name}:children] write one group a line")
    tree.group(match[1], place, declared=False)
    group.children.setdefault(match[1], place)
