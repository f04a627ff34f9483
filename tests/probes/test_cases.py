"""Every case's output gives its samples, or its error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netbench.errors import ParseError

from .casefile import CASES, FOLDER, PROBES, Case, read_case

OK = [case for case in CASES if case.ok]
FAILED = [case for case in CASES if not case.ok]


def test_every_probe_has_cases_of_both_kinds() -> None:
    for name in PROBES:
        assert any(case.name.startswith(f"{name}/") for case in OK)
        assert any(case.name.startswith(f"{name}/") for case in FAILED)


@pytest.mark.parametrize("case", OK, ids=lambda case: case.name)
def test_ok(case: Case) -> None:
    measurement = case.probe.parse(case.completed)
    got = {sample.metric: sample.value for sample in measurement.samples}
    assert got == pytest.approx(case.expected["samples"], rel=1e-9, abs=1e-12)
    assert list(got) == [metric.name for metric in case.probe.metrics if metric.name in got]
    units = {metric.name: metric.unit for metric in case.probe.metrics}
    assert {sample.metric: sample.unit for sample in measurement.samples} == {name: units[name] for name in got}
    assert dict(measurement.facts) == case.expected["facts"]
    assert [flag.code for flag in measurement.flags] == case.expected["flags"]
    assert all(flag.detail for flag in measurement.flags)


@pytest.mark.parametrize("case", FAILED, ids=lambda case: case.name)
def test_failed(case: Case) -> None:
    with pytest.raises(ParseError) as caught:
        case.probe.parse(case.completed)
    assert caught.value.failure.value == case.expected["failure"]
    assert case.expected["message"] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert case.expected["remedy"] in caught.value.remedy


@pytest.mark.parametrize("case", [case for case in OK if case.name.startswith("pps/")], ids=lambda case: case.name)
def test_received_pps_is_what_arrived_over_the_time_of_the_receiver(case: Case) -> None:
    document: dict[str, Any] = json.JSONDecoder().raw_decode(case.completed.text)[0]
    end, size = document["end"], document["start"]["test_start"]["blksize"]
    if "sum_received" in end:
        by_hand = end["sum_received"]["bytes"] / size / end["sum_received"]["seconds"]
    else:
        by_hand = (end["sum"]["packets"] - end["sum"]["lost_packets"]) / end["sum"]["seconds"]
    assert case.probe.parse(case.completed).samples[0].value == pytest.approx(by_hand, rel=0.001)


@pytest.mark.parametrize("name", ["client-sigint", "client-sigterm"])
@pytest.mark.parametrize("version", ["3.6", "3.12", "3.16", "3.19.1"])
def test_partial_sums_are_refused_without_their_error_too(version: str, name: str) -> None:
    case = read_case(FOLDER / "throughput" / f"v{version}-{name}.json")
    document = json.loads(case.completed.stdout)
    assert document["end"]["sum_sent"]["bytes"] > 0
    del document["error"]
    partial = case.completed.__class__(0, json.dumps(document).encode(), b"")
    with pytest.raises(ParseError, match="not a complete result") as caught:
        case.probe.parse(partial)
    assert caught.value.failure.value == "invalid-result"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda case: case.pop("stderr"), "the keys are not"),
        (lambda case: case.update(note="x"), "the keys are not"),
        (lambda case: case["expected"].pop("flags"), "expected has the keys"),
        (lambda case: case["expected"].update(failure="busy"), "expected has the keys"),
    ],
)
def test_a_case_with_other_keys_fails(tmp_path: Path, change: Any, message: str) -> None:
    data = json.loads((FOLDER / "latency" / "iputils-ok.json").read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / "latency" / "changed.json"
    path.parent.mkdir()
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(AssertionError, match=message):
        read_case(path)
