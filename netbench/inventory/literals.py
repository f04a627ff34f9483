"""Values in INI inventories: Python literals, as Ansible reads them, or JSON; anything else is text."""

from __future__ import annotations

import ast
import json
import re
import warnings

from netbench.inventory.place import Place
from netbench.inventory.words import shown

LONGEST_PYTHON = 16384  # characters of a Python literal; JSON may be longer

_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})?(?:\s*#.*)?")
_CONSTANTS = {"True": True, "False": False, "None": None}


def literal(text: str, place: Place) -> object:
    """The value that text stands for. Raises InventoryError for a JSON mapping with a key written twice."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text.startswith(("[", "{")):
        try:
            return json.loads(text, object_pairs_hook=_Pairs(place))
        except (ValueError, RecursionError):
            return _python(text)
    if text.startswith(("'", '"', "(")) or (len(text) <= 18 and _NUMBER.fullmatch(text)):
        return _python(text)
    return text


def _python(text: str) -> object:
    if len(text) > LONGEST_PYTHON:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's compiler has opinions on backslashes
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


class _Pairs:
    """Makes a JSON object a dict, and refuses to lose a key."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                raise self._place.error(f"the key {shown(key)} is there twice", "remove one of them")
            found[key] = value
        return found
