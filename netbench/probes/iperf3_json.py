"""Read the JSON of iperf3 out of what an endpoint printed, in linear time and little memory, whatever it printed.

An endpoint may be anybody's: its text can be endless, nested at will, or full of what Python makes large objects of.
So the text is skimmed first, which counts brackets and passes over strings; the interim reports, which are most of a
long test and which nothing reads, are cut out; and only what is left, of a size that is known, becomes objects.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass
from netbench.probes.failures import check_size, over_limit

TOOL = "iperf3"
DEEPEST = 32  # levels of nesting; iperf3 has up to 6
DIGITS = 40  # of a whole number; 2 ** 64 has 20
LONGEST = 1024  # items of a list that is read; there are as many as streams, of which iperf3 takes 128
WORDS = 200  # characters of a text inside the JSON, such as a version
RECORD = 1024  # bytes of one stream in one interim report; 330 to 420 in 3.6 to 3.21
STREAM = 4096  # bytes of one stream in start and end; 850 to 1100
OBJECTS = 50  # in the output of one client that are looked at; there is one, and others' warnings
REST = 64 * 1024  # all else: versions, the test's options, warnings around the JSON

_OPENING = re.compile(rb"^\{", re.MULTILINE)
_TOKEN = re.compile(rb'"[^"\\]*"|["\[\]{}]')
_INTERVALS = re.compile(rb"\s{0,9}:\s{0,9}\[")


@dataclass(frozen=True)
class Size:
    """How many bytes of output a test may have."""

    streams: int
    reports: int  # interim ones

    @property
    def all(self) -> int:
        return self.ends + RECORD * self.reports * (self.streams + 1)

    @property
    def ends(self) -> int:
        """Without the interim reports. Even where each pair of bytes is an object, it stays under 30 MB in memory."""
        return REST + STREAM * self.streams


@dataclass(frozen=True)
class Section:
    """An object inside the JSON. Every access is checked; what is wrong raises ParseError naming the path."""

    path: str
    data: Mapping[str, object]

    def section(self, key: str) -> Section:
        return self._section(self._at(key), self.data.get(key))

    def sections(self, key: str) -> list[Section]:
        """The objects in a list."""
        items = self.data.get(key)
        if not isinstance(items, list) or len(items) > LONGEST:
            invalid(f"{self._at(key)} is not a list of at most {LONGEST}")
        return [self._section(f"{self._at(key)}[{i}]", item) for i, item in enumerate(items)]

    def number(self, key: str) -> float:
        """A finite number that is not negative."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            invalid(f"{self._at(key)} is not a number")
        number = float(value)
        if not math.isfinite(number) or number < 0:
            invalid(f"{self._at(key)} is {number:g}")
        return number

    def positive(self, key: str) -> float:
        """A finite number above zero."""
        number = self.number(key)
        if number == 0:
            invalid(f"{self._at(key)} is 0")
        return number

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or len(value) > WORDS:
            invalid(f"{self._at(key)} is not text")
        return value

    def has(self, key: str) -> bool:
        """Whether there is a value. iperf3's JSON library writes null for what is no number, as in 0 / 0."""
        return self.data.get(key) is not None

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    @staticmethod
    def _section(path: str, value: object) -> Section:
        if not isinstance(value, dict):
            invalid(f"{path} is missing")
        return Section(path, value)


def invalid(reason: str) -> NoReturn:
    """Refuse a JSON that is no result."""
    raise not_complete(reason)


def not_complete(reason: str) -> ParseError:
    """The error for a JSON that is no result."""
    return ParseError(f"{TOOL}: not a complete result: {reason}", failure=FailureClass.INVALID_RESULT)


def document(client: Completed, size: Size) -> Section | None:
    """The one JSON document of iperf3's in the output; None where there is none. Raises ParseError for several."""
    check_size(TOOL, client, size.all)
    documents = list(_documents(client.stdout, size.ends))
    if len(documents) > 1:
        raise ParseError(f"{TOOL}: {len(documents)} JSON documents where one is expected")
    return Section("", documents[0]) if documents else None


def _documents(data: bytes, limit: int) -> Iterator[dict[str, object]]:
    """Every JSON object of iperf3's among other lines: warnings may come before and after it.

    One starts at the beginning of a line. What is nested does not, and has a number for ``start``: an inner part of a
    truncated document is not taken for a whole one. Where text has been passed over in vain as often as it is long,
    it is not looked at again: whoever opens a thousand objects and closes none gets no thousandfold of our time.
    """
    position = vain = 0
    for _ in range(OBJECTS):
        opening = _OPENING.search(data, position)
        if opening is None or vain > len(data):
            return
        start = opening.start()
        parts, end, closed = _skim(data, start)
        value = _load(parts, limit) if closed else None
        if value is None:
            vain += end - start
            position = opening.end()
            continue
        position = end
        if isinstance(value.get("start"), dict) or "error" in value:
            yield value


def _skim(data: bytes, start: int) -> tuple[list[bytes], int, bool]:
    """The object that opens there, without its interim reports; where it ends, and whether its brackets say so."""
    depth, position, kept, cut, parts = 0, start, start, 0, list[bytes]()
    while token := _TOKEN.search(data, position):
        position = token.end()
        first = data[token.start()]
        if first == ord('"'):
            if position - token.start() == 1:  # not closed, or with a backslash in it
                position = _end_of_text(data, position)
                if position < 0:
                    return parts, len(data), False
            elif depth == 1 and token[0] == b'"intervals"' and (reports := _INTERVALS.match(data, position)):
                parts.append(data[kept : reports.end()])
                position, depth, cut = reports.end(), 2, 2
        elif first in b"[{":
            depth += 1
            if depth > DEEPEST:
                return parts, position, False
        else:
            depth -= 1
            if depth < cut:  # the end of the reports
                kept, cut = position - 1, 0
            if depth == 0:
                parts.append(data[kept:position])
                return parts, position, True
    return parts, len(data), False


def _end_of_text(data: bytes, start: int) -> int:
    """The position after the quote that ends a text; -1 where none does. Each backslash is looked at once."""
    end = start
    while (end := data.find(b'"', end)) >= 0:
        first = end
        while first > start and data[first - 1] == ord("\\"):
            first -= 1
        end += 1
        if (end - 1 - first) % 2 == 0:
            return end
        start = end
    return -1


def _load(parts: list[bytes], limit: int) -> dict[str, object] | None:
    size = sum(len(part) for part in parts)
    if size > limit:
        raise over_limit(TOOL, size, limit)
    try:
        value = json.loads(b"".join(parts).decode("utf-8", "replace"), parse_int=_whole)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole(digits: str) -> float:
    """Python takes quadratic time for a number of many digits, and 3.10 sets no limit."""
    return int(digits) if len(digits) <= DIGITS else math.inf
