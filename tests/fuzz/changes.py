"""A fuzzer's bytes as changes to a valid document: mutations of raw JSON seldom get past the parser."""

from __future__ import annotations

import copy
from typing import Any

# what a place in a document may become; the rest of the bytes, as text, is one more
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1e308, 5e-324, 10**400, -(2**63), 0.5, float("nan"), float("inf")),
    *("", "0", "x", "-x", "a/b", "../x", "\x00", "\x1b[2J", "\u202e", "\ud800", "y" * 5000, "host", "1e999"),
    *([], {}, [[]], [None], {"": None}, {"x": {"x": []}}),
)


class Choices:
    """Takes decisions from bytes, one after the other; when they are used up, every decision is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bytes:
        return self._data[self._at :]

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit`` - 1."""
        size = (max(limit - 1, 0).bit_length() + 7) // 8
        taken = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(taken, "big") % limit if limit else 0


def changed(document: Any, choices: Choices) -> Any:
    """A copy of plain data with one to four places removed, repeated, exchanged or replaced."""
    root = {"": copy.deepcopy(document)}
    for _ in range(1 + choices.below(4)):
        places = list(_places(root))
        container, key = places[choices.below(len(places))]
        action = choices.below(8)
        if action == 0 and container is not root:
            del container[key]
        elif action == 1 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif action == 2:
            other, name = places[choices.below(len(places))]
            container[key] = copy.deepcopy(other[name])
        elif action == 3 and isinstance(container, dict) and container is not root:
            container[choices.left[:40].decode("utf-8", "replace")] = container.pop(key)
        elif action == 4:
            container[key] = choices.left[:200].decode("utf-8", "surrogateescape")
        else:
            container[key] = copy.deepcopy(VALUES[choices.below(len(VALUES))])
    return root[""]


def _places(value: Any) -> Any:
    """Every (container, key) in it, each found once."""
    todo = [value]
    while todo:
        container = todo.pop()
        for key, inner in list(container.items() if isinstance(container, dict) else enumerate(container)):
            yield container, key
            if isinstance(inner, dict | list):
                todo.append(inner)
