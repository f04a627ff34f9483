"""YAML text to plain values that remember their lines.

Built on ruamel.yaml's events rather than its loaders: no tag can make an object, and nesting and aliases are counted
while they are read. Plain scalars mean what they mean to Ansible (YAML 1.1: ``yes`` is a boolean).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from netbench.inventory.place import Place
from netbench.inventory.words import said, shown

DEEPEST = 64  # mappings and lists inside of each other
MOST_ALIASED = 100_000  # values that aliases may repeat, all together

_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= {form: True for word in ("yes", "true", "on") for form in (word, word.title(), word.upper())}
_WORDS |= {form: False for word in ("no", "false", "off") for form in (word, word.title(), word.upper())}
# 010 and 0x10 stay text: as a zone or a name they are meant as they are written
_INTEGER = re.compile(r"[-+]?(?:0|[1-9](?:_?[0-9]){0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]{1,3})?|[0-9]+[eE][-+]?[0-9]{1,3})")

_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_TEXT_TAGS = ("!", "!!str", "tag:yaml.org,2002:str", "!unsafe")
_CORE = ("!!", "tag:yaml.org,2002:")
_CORE_TAGS = tuple(prefix + name for prefix in _CORE for name in ("int", "float", "bool", "null", "map", "seq"))


class Block(dict[str, object]):
    """A mapping of a file: values by key, and the line of every key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Vault:
    """A value encrypted with ansible-vault, which only Ansible can read."""


def read_yaml(text: str, file: str) -> object:
    """A document as Blocks, lists, text, numbers, booleans and None. JSON is YAML too.

    Raises InventoryError with the line for whatever is not YAML, for duplicate keys, foreign tags, and what is nested
    or repeated beyond reason.
    """
    return _Reader(file, _events(text, file)).document()


def _events(text: str, file: str) -> Iterator[Any]:
    """What ruamel.yaml's parser finds, and its failures as InventoryErrors."""
    line = 1
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            line = event.end_mark.line + 1
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1 if mark else line)
        problem = said(str(error.problem or error.context or "this is not YAML"))
        remedy = "indent with blanks" if r"'\t'" in problem else "check indentation, colons and quotes up to that line"
        raise place.error(f"not YAML: {problem}", remedy) from error
    except YAMLError as error:  # a character that YAML does not allow; it has a position, no mark
        place = Place(file, text.count("\n", 0, getattr(error, "position", 0)) + 1)
        raise place.error(f"not YAML: {said(str(error))}", "remove that character") from error
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        # odd directives and \U escapes beyond Unicode fail inside of the parser
        remedy = "check directives and the escapes in double quotes from that line on"
        raise Place(file, line).error(f"not YAML: {said(str(error))}", remedy) from error


class _Reader:
    def __init__(self, file: str, events: Iterator[Any]) -> None:  # of Event; YAML's grammar says which comes next
        self._file = file
        self._events = events
        self._anchors: dict[str, tuple[object, int] | None] = {}  # None: still being read
        self._count = 0  # values so far, those repeated by aliases included
        self._aliased = 0

    def document(self) -> object:
        value: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._place(event).error("a second document begins", "remove the line with ---")
                value = self._value(next(self._events), 0)
            elif isinstance(event, StreamEndEvent):
                break
        return value

    def _place(self, event: Event) -> Place:
        return Place(self._file, event.start_mark.line + 1)

    def _value(self, event: NodeEvent, depth: int) -> object:
        self._count += 1
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            raise self._place(event).error(f"nested deeper than {DEEPEST} levels", "flatten it")
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = None
        value: object
        if isinstance(event, ScalarEvent):
            value = self._scalar(event)
        else:
            self._check_tag(event)
            value = self._block(event, depth) if isinstance(event, MappingStartEvent) else self._list(depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._count - before + 1
        return value

    def _alias(self, event: AliasEvent) -> object:
        found = self._anchors.get(event.anchor, ())
        if not found:
            what = "is used before its anchor" if found == () else "stands inside of what it repeats"
            raise self._place(event).error(f"the alias {shown('*' + event.anchor)} {what}", "write the value out")
        value, weight = found
        self._aliased += weight
        self._count += weight
        if self._aliased > MOST_ALIASED:
            raise self._place(event).error(f"aliases repeat more than {MOST_ALIASED} values", "write fewer of them")
        return value

    def _list(self, depth: int) -> list[object]:
        values = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            values.append(self._value(event, depth + 1))
        return values

    def _block(self, start: MappingStartEvent, depth: int) -> Block:
        block = Block(start.start_mark.line + 1)
        merged: list[Block] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise self._place(event).error("a key is not plain text", "write KEY: VALUE")
            key, place = _joined(event.value), self._place(event)
            value = self._value(next(self._events), depth + 1)
            if key == "<<" and event.implicit[0]:
                merged += self._merged(value, place)
                continue
            if key in block:
                raise place.error(
                    f"the key {shown(key)} is here a second time; the first is in line {block.lines[key]}",
                    "remove one of them",
                )
            block[key] = value
            block.lines[key] = event.start_mark.line + 1
        for other in merged:  # what is written here wins, then the first of several
            for key in other:
                if key not in block:
                    block[key] = other[key]
                    block.lines[key] = other.lines[key]
        return block

    def _merged(self, value: object, place: Place) -> list[Block]:
        blocks = value if isinstance(value, list) else [value]
        found = [block for block in blocks if isinstance(block, Block)]
        if len(found) != len(blocks):
            raise place.error("<< is not followed by a mapping", "write <<: *ANCHOR, the anchor being a mapping's")
        return found

    def _scalar(self, event: ScalarEvent) -> object:
        tag = _tag(event)
        if tag == "!vault":
            return Vault()
        self._check_tag(event)
        if tag in _TEXT_TAGS or (tag is None and not event.implicit[0]):
            return _joined(event.value)
        return _plain(_joined(event.value))

    def _check_tag(self, event: NodeEvent) -> None:
        tag = _tag(event)
        if tag is not None and tag not in (*_TEXT_TAGS, *_CORE_TAGS):
            raise self._place(event).error(
                f"the tag {shown(tag)} is not supported", "only plain YAML values can be read: remove the tag"
            )


def _tag(event: NodeEvent) -> str | None:
    tag = getattr(event, "tag", None)
    return None if tag is None else str(tag)


def _joined(text: str) -> str:
    """JSON writes what is beyond U+FFFF as two surrogates; YAML's escapes do not know that."""
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if _SURROGATES.search(text) else text
    )


def _plain(text: str) -> object:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
