"""What every report holds, whatever the run was like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netbench.analyse import aggregate
from netbench.errors import RunDirError, UsageError
from netbench.model import Cell, Outcome, StepRecord
from netbench.report import Table, build_document, matrices, render
from netbench.report.document import CodeBlock, Document, Notice, Paragraph, Section
from tests.analyse.runs import make_manifest, make_plan, make_records, measurement
from tests.report.campaigns import CAMPAIGNS, full, lab, partial, simulate, single


def tables(section: Section) -> list[Table]:
    found = [block for block in section.blocks if isinstance(block, Table)]
    return found + [table for inner in section.sections for table in tables(inner)]


def document(name: str, lang: str = "en") -> Document:
    campaign = CAMPAIGNS[name]()
    return build_document(campaign.manifest, campaign.plan, campaign.records, lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_tables_are_rectangular_and_have_no_holes(name: str, lang: str) -> None:
    for section in document(name, lang).sections:
        for table in tables(section):
            assert {len(row) for row in table.rows} == {len(table.header)}
            assert len(table.align) in (0, len(table.header))
            assert all(text for row in table.rows for text in row)


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if name != "hostile"])
def test_the_summary_fits_on_a_page(name: str) -> None:
    text = render(replace(document(name), sections=document(name).sections[:1]))
    assert sum(1 + len(line) // 160 for line in text.splitlines()) < 55


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if name != "hostile"])
def test_addresses_are_not_told(name: str) -> None:
    text = render(document(name))
    assert "198.18." not in text
    assert "IP" in text


def test_every_mark_has_its_note_and_every_note_its_mark() -> None:
    campaign = partial()
    for table in matrices(aggregate(campaign.plan, campaign.records)):
        marks = {mark for row in table.rows for text in row for mark in text.split() if mark in "¹²³"}
        assert marks == {note.split()[0] for note in table.notes}


def test_a_cell_without_all_its_values_says_so() -> None:
    campaign = partial()
    throughput = matrices(aggregate(campaign.plan, campaign.records))[0]
    assert throughput.rows[0][3].endswith("4 of 6 ¹")
    assert throughput.rows[1][2] == "n/a ²"
    assert throughput.notes[1].startswith("² cannot be measured: terway-eni runs in cn-hangzhou-b only")


def test_matrices_follow_the_order_of_kinds_and_the_language() -> None:
    campaign = full()
    english, chinese = (matrices(aggregate(campaign.plan, campaign.records), lang)[0] for lang in ("en", "zh"))
    assert english.header[1:] == campaign.plan.kinds == tuple(row[0] for row in english.rows)
    assert [row[1:] for row in english.rows] == [row[1:] for row in chinese.rows]
    assert english.caption != chinese.caption


def test_one_value_a_cell_has_no_spread() -> None:
    campaign = single()
    table = matrices(aggregate(campaign.plan, campaign.records))[0]
    assert not any("±" in text for row in table.rows for text in row)
    assert "unknown" in table.caption


def test_a_run_on_the_test_bed_says_so_before_anything_else() -> None:
    campaign = lab()
    first = build_document(campaign.manifest, campaign.plan, campaign.records).blocks[0]
    assert isinstance(first, Notice)
    assert "no statement about any product" in first.text
    assert all(note in first.text for note in campaign.manifest.lab_notes)
    assert not isinstance(document("full").blocks[0], Notice)


@pytest.mark.parametrize(
    ("status", "word"),
    [("partial", "PARTIAL"), ("interrupted", "INTERRUPTED"), ("running", "NOT FINISHED"), ("other", "PARTIAL")],
)
def test_a_run_that_is_not_complete_says_so_first(status: str, word: str) -> None:
    campaign = full()
    manifest = replace(campaign.manifest, status=status)
    first = build_document(manifest, campaign.plan, campaign.records).sections[0].blocks[0]
    assert isinstance(first, Notice)
    assert first.text.startswith(word)


def test_different_command_lines_are_all_shown_and_each_once() -> None:
    plan = make_plan(kinds=("host", "terway"), probes=("http", "latency"), rounds=2)
    odd_one = replace(plan.steps[0], client=(*plan.steps[0].client, "a b"))
    plan = replace(plan, steps=(odd_one, *plan.steps[1:]))
    built = build_document(make_manifest(plan, command=()), plan, make_records(plan, simulate()))
    (code,) = (block for section in built.sections for block in section.blocks if isinstance(block, CodeBlock))
    assert code.lines == (
        "# http, on the source",
        "wrk -d 10 http://IP:8080/ 'a b'",
        "wrk -d 10 http://IP:8080/",
        "# Latency, on the source",
        "ping -c 30 IP",
    )


def test_a_kind_that_costs_much_shows_in_the_summary() -> None:
    plan = make_plan(kinds=("host", "pod"), probes=("throughput",))
    slow = {Cell("host", "pod"), Cell("pod", "pod")}
    records = make_records(
        plan, lambda step: measurement(("throughput", (1e9 if step.cell in slow else 2e9) + step.round, "bit/s"))
    )
    (table,) = tables(build_document(make_manifest(plan), plan, records).sections[0])
    assert [row[0] for row in table.rows] == ["host → host", "into pod", "out of pod"]
    assert table.rows[1][1] == "×0.500 (0.500–0.500), clear"


def test_unknown_facts_are_said_to_be_unknown() -> None:
    built = document("interrupted")
    texts = [block.text for section in built.sections for block in section.blocks if isinstance(block, Paragraph)]
    assert "kubectl unknown, Kubernetes unknown, netbench 0.1.0." in texts
    assert any(text.startswith("Unknown on all endpoints: system, kernel,") for text in texts)


def test_what_cannot_be_reported() -> None:
    campaign = full()
    with pytest.raises(UsageError, match="language fr"):
        build_document(campaign.manifest, campaign.plan, campaign.records, "fr")
    with pytest.raises(RunDirError, match="no step stranger"):
        build_document(campaign.manifest, campaign.plan, [StepRecord("stranger", Outcome())])
