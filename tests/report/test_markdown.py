"""What is text stays text: checked with a markdown parser, not with our own idea of markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from netbench.report.document import Align, Block, BulletList, CodeBlock, Document, Notice, Paragraph, Section, Table
from netbench.report.markdown import escape, render
from netbench.visible import visible
from tests.report.campaigns import HOSTILE

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PLAIN = {"text", "softbreak"}
NASTY = st.text(st.sampled_from("a1 |`*_<>[]()!#~$&;:/\\-+=.@{}\n\t\x1b\x00é网‮"), max_size=12)


def parse(*blocks: Block) -> list[Token]:
    return PARSER.parse(render(Document("t", "en", blocks, ())))


def inline(tokens: list[Token]) -> list[list[Token]]:
    return [token.children or [] for token in tokens if token.type == "inline"]


def shown(children: list[Token]) -> str:
    return "".join(child.content for child in children if child.type not in ("softbreak",))


def assert_only_text(text: str, children: list[Token]) -> None:
    assert {child.type for child in children} <= {"text", "text_special"}
    assert " ".join(shown(children).split()) == " ".join(visible(text).split())


@given(NASTY)
def test_a_paragraph_of_anything_is_a_paragraph(text: str) -> None:
    tokens = parse(Paragraph(text), Paragraph("end"))
    found = [token for token in tokens if token.type == "paragraph_open"]
    assert len(found) == 2 if visible(text).strip() else len(found) == 1
    if visible(text).strip():
        assert_only_text(text, inline(tokens)[1])


@given(NASTY, NASTY)
def test_a_list_of_anything_has_its_items(one: str, other: str) -> None:
    tokens = parse(BulletList((f"x{one}", f"x{other}")))
    children = inline(tokens)[1:]
    assert [token.type for token in tokens].count("list_item_open") == 2
    assert_only_text(f"x{one}", children[0])
    assert_only_text(f"x{other}", children[1])


@given(NASTY)
def test_a_bullet_of_anything_is_no_other_block(text: str) -> None:
    types = {token.type for token in parse(BulletList((text,)))}
    assert types <= {
        "heading_open", "inline", "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open",
        "list_item_close", "paragraph_open", "paragraph_close",
    }  # fmt: skip


@given(NASTY, NASTY)
def test_a_table_of_anything_has_its_cells(one: str, other: str) -> None:
    tokens = parse(Table((f"h{one}", "h"), ((f"x{one}", f"x{other}"), ("y", "z"))))
    children = inline(tokens)[1:]
    assert len(children) == 6
    for text, found in zip((f"h{one}", "h", f"x{one}", f"x{other}", "y", "z"), children, strict=True):
        assert_only_text(text, found)


@given(st.lists(NASTY, min_size=1, max_size=3))
def test_code_of_anything_ends_where_it_should(lines: list[str]) -> None:
    tokens = parse(CodeBlock(tuple(lines)), Paragraph("end"))
    (fence,) = (token for token in tokens if token.type == "fence")
    assert fence.content == "".join(f"{visible(line)}\n" for line in lines)
    assert shown(inline(tokens)[-1]) == "end"


@pytest.mark.parametrize("block", [Paragraph(HOSTILE), Notice(HOSTILE), BulletList((HOSTILE,))])
def test_hostile_text_has_no_html_no_links_no_terminal_sequences(block: Block) -> None:
    text = render(Document(HOSTILE, "en", (block,), (Section(HOSTILE),)))
    assert not {token.type for children in inline(PARSER.parse(text)) for token in children} & {
        "html_inline", "link_open", "code_inline", "em_open", "s_open", "image"
    }  # fmt: skip
    assert "<" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("ecs-01_a → 1.91 ± 0.02", "ecs-01_a → 1.91 ± 0.02"),  # what is harmless stays readable
        ("a|b", r"a\|b"),
        ("_a_", r"\_a\_"),
        ("a\r\nb\tc", "a  b c"),
        ("\x1b[1m\x07", r"\\x1b\[1m\\x07"),
        ("https://x www.y a@b.c 1 @ 2", r"https\://x www\.y a\@b.c 1 @ 2"),
        ("网络 &lt;", "网络 &amp;lt;"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_tables_are_aligned_and_keep_what_looks_like_a_number() -> None:
    table = Table(("a", "b"), (("007", "1e3"),), (Align.LEFT, Align.RIGHT), caption="c", notes=("¹ d",))
    assert render(Document("t", "en", (table,), ())).splitlines() == [
        "# t", "", "c", "", "| a   |   b |", "|:----|----:|", "| 007 | 1e3 |", "", "- ¹ d",
    ]  # fmt: skip


def test_sections_go_down_a_level() -> None:
    document = Document("t", "en", (), (Section("a", (Paragraph("p"),), (Section("b"),)), Section("c")))
    assert render(document) == "# t\n\n## a\n\np\n\n### b\n\n## c\n"
