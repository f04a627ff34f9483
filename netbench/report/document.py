"""What a report is made of, whatever it is written as. All text is plain: no markup, no escapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Align(str, Enum):
    """How a column is set."""

    LEFT = "left"
    RIGHT = "right"
    CENTER = "center"


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    text: str


@dataclass(frozen=True)
class Notice:
    """Sentences that must not be overlooked."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of the header's length. ``notes`` explain the marks in its cells, each beginning with its mark."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...] = ()  # of the header's length; empty: all to the left
    caption: str = ""  # a sentence that stands above it
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeBlock:
    """Lines to be copied as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class BulletList:
    """Short paragraphs, one below the other."""

    items: tuple[str, ...]


Block: TypeAlias = Paragraph | Notice | Table | CodeBlock | BulletList


@dataclass(frozen=True)
class Section:
    """A title, what stands below it, and sections of the next level."""

    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole report in one language."""

    title: str
    lang: str
    blocks: tuple[Block, ...]  # before the first section
    sections: tuple[Section, ...]
