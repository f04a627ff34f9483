"""SECURITY.md names a test for each promise: the tests are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_promise_names_tests_that_exist() -> None:
    rows = [
        line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| attack"))
    ]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[^`:]*)", row.rpartition(" | ")[2])
        assert named, row
        for path in named:
            assert (ROOT / path).exists(), path
