"""A document as GitHub-flavoured markdown. Whatever its text says, it stays text: no markup, no HTML, no links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tabulate import tabulate

from netbench.report.document import Block, BulletList, CodeBlock, Document, Notice, Paragraph, Section, Table
from netbench.visible import visible

_MARKUP = re.compile(r"[\\`*\[\]|~$#<&]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is none
_LINKS = re.compile(r"(?i)(?=://)|(?<=www)(?=\.)|(?=@\w)")  # what makes GitHub see a link or a mention
_OPENING = re.compile(r"^(\d*)([-+>=.)])")  # a list, a quotation, an underline below the line before
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def render(document: Document) -> str:
    """The document as markdown; ends with a newline."""
    blocks = [f"# {escape(document.title)}", *map(_block, document.blocks)]
    for section in document.sections:
        blocks += _section(section, 2)
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Text from anywhere as inline markdown that shows just that text, on one line."""
    escaped = _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), visible(text))
    return _LINKS.sub(r"\\", escaped)


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {escape(section.title)}"
    yield from map(_block, section.blocks)
    for inner in section.sections:
        yield from _section(inner, level + 1)


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _line(block.text)
    if isinstance(block, Notice):
        return f"> **{escape(block.text)}**"
    if isinstance(block, BulletList):
        return _bullets(block.items)
    if isinstance(block, CodeBlock):
        return _code(block)
    return _table(block)


def _line(text: str) -> str:
    """A line on its own: what opens a block at its beginning must not."""
    return _OPENING.sub(r"\1\\\2", escape(text).lstrip())


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {_line(item)}" for item in items)


def _code(block: CodeBlock) -> str:
    lines = [visible(line) for line in block.lines]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((fence, *lines, fence))


def _table(table: Table) -> str:
    header = [escape(text) for text in table.header]
    rows = [[escape(text) for text in row] for row in table.rows]
    align = [align.value for align in table.align] or ["left"] * len(header)
    grid = str(tabulate(rows, headers=header, tablefmt="pipe", colalign=align, disable_numparse=True))
    parts = (_line(table.caption) if table.caption else "", grid, _bullets(table.notes))
    return "\n\n".join(part for part in parts if part)
