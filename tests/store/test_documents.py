"""What is written is what is read, and what cannot be read is named."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings

from netbench.errors import RunDirError
from netbench.model import Manifest, Plan, StepRecord
from netbench.store.documents import SCHEMA, decode, encode
from tests.store import models

unhurried = settings(deadline=None)


@unhurried
@given(models.records)
def test_records_come_back_as_they_were(record: StepRecord) -> None:
    line = encode(record, "samples.jsonl")
    assert b"\n" not in line
    assert decode(StepRecord, line, "samples.jsonl") == record


@unhurried
@given(models.manifests)
def test_manifests_come_back_as_they_were(manifest: Manifest) -> None:
    assert decode(Manifest, encode(manifest, "manifest.json", indent=1), "manifest.json") == manifest


@unhurried
@given(models.plans)
def test_plans_come_back_as_they_were(plan: Plan) -> None:
    assert decode(Plan, encode(plan, "plan.json", indent=1), "plan.json") == plan


def test_a_line_is_readable_by_hand() -> None:
    line = encode(models.record("r01-pps-host~host-a1~a2"), "samples.jsonl").decode()
    assert line.startswith(
        '{"schema": 1, "step": "r01-pps-host~host-a1~a2", "outcome": {"failure": null, "reason": ""}, "attempt": 1'
    )
    assert '"flags": [{"code": "cpu-bound", "detail": "节点"}]' in line


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_not_written(value: float) -> None:
    with pytest.raises(RunDirError, match=r"^samples\.jsonl: cannot keep a number that is not finite"):
        encode(models.record("r01", value=value), "samples.jsonl")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_not_read(number: str) -> None:
    line = encode(models.record("r01", value=1.5), "f").replace(b"1.5", number.encode())
    with pytest.raises(RunDirError, match=r"^f, line 3: not JSON: .* is not a finite number"):
        decode(StepRecord, line, "f, line 3")


def test_text_that_is_not_unicode_becomes_question_marks() -> None:
    manifest = dataclasses.replace(models.MANIFEST, command=("--inventory", "caf\udce9.yaml"))
    assert decode(Manifest, encode(manifest, "f"), "f").command == ("--inventory", "caf?.yaml")


def test_a_newer_schema_says_what_to_do() -> None:
    document = json.loads(encode(models.MANIFEST, "f")) | {"schema": SCHEMA + 1}
    with pytest.raises(RunDirError, match="written by a newer netbench") as caught:
        decode(Manifest, json.dumps(document).encode(), "f")
    assert "newer" in caught.value.remedy


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f: not JSON"),
        (b"\xff\xfe", "f: not JSON"),
        (b"[" * 100_000, "f: not JSON"),
        (b"[]", "f: not a JSON object"),
        (b"{}", "f: it has no schema number"),
        (b'{"schema": true}', "f: it has no schema number"),
        (b'{"schema": "1"}', "f: it has no schema number"),
        (b'{"schema": 1}', "f: step: Field required"),
        (b'{"schema": 1, "step": "s", "outcome": {"failure": "tired"}}', r"f: outcome\.failure: Input should be"),
        (b'{"schema": 1, "step": 7, "outcome": {}}', "f: step: Input should be a valid string"),
    ],
)
def test_what_is_not_a_record_is_named(data: bytes, message: str) -> None:
    with pytest.raises(RunDirError, match=f"^{message}") as caught:
        decode(StepRecord, data, "f")
    assert caught.value.remedy
