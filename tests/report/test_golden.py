"""Whole reports, compared exactly. ``NETBENCH_REGENERATE=1`` writes them again: read the difference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tabulate

from netbench.report import build_document, render
from tests.report.campaigns import CAMPAIGNS

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_report(name: str, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabulate, "WIDE_CHARS_MODE", False)  # it pads otherwise where wcwidth happens to be installed
    campaign = CAMPAIGNS[name]()
    text = render(build_document(campaign.manifest, campaign.plan, campaign.records, lang, campaign.other))
    path = GOLDEN / f"{name}.{lang}.md"
    if os.environ.get("NETBENCH_REGENERATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}.{lang}.md" for name in CAMPAIGNS for lang in ("en", "zh")
    }
