"""Options of probes: what values they may have, and how they are read from a command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import NoneType, UnionType
from typing import Union, get_args, get_origin

from netbench.errors import UsageError


def check_range(probe: str, option: str, value: float, low: float, high: float) -> None:
    """Raise UsageError unless ``low <= value <= high``."""
    if not low <= value <= high:
        raise UsageError(f"{probe}: {option}={value} cannot be", f"choose a value from {low:g} to {high:g}")


def check_word(probe: str, option: str, value: str, words: Sequence[str]) -> None:
    """Raise UsageError unless it is one of the words that stand for a number."""
    if value not in words:
        raise UsageError(f"{probe}: {option}={value} cannot be", f"give {option} as a number, or as {', '.join(words)}")


def check_port(probe: str, port: int) -> None:
    """Raise UsageError unless it is a TCP or UDP port."""
    check_range(probe, "port", port, 1, 65535)


def convert(probe: str, option: str, hint: object, value: object) -> object:
    """The value as the option's type: ``int``, ``float``, ``str``, ``bool``, one of them ``| None``, or ``int | str``
    for a number that a word may stand for.

    Text, as it comes from a command line, is read; "none" is None where the option may be None. A value of any other
    type is for the probe itself to judge. Raises UsageError where it does not fit.
    """
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if NoneType in types and (value is None or (isinstance(value, str) and value.lower() in ("", "none"))):
        return None
    readers = [(wanted, read) for wanted, read in _READERS if wanted in types]
    for _, read in readers:
        with suppress(TypeError, ValueError, OverflowError):
            return read(value)
    if readers:
        raise UsageError(f"{probe}: {option}={value} cannot be", f"give {option} as {_WORDS[readers[0][0]]}")
    return value


_WORDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}
_BOOLS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLS:
        return _BOOLS[value.lower()]
    raise TypeError


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _int(value: object) -> int:
    if isinstance(value, str):
        return int(value)
    number = _float(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _str(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    return str(value)


_READERS: tuple[tuple[type, Callable[[object], object]], ...] = (
    (bool, _bool),
    (int, _int),
    (float, _float),
    (str, _str),
)
