"""Findings: what is claimed, and above all what is not."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from netbench.analyse import Code, Confidence, Finding, aggregate, interpret
from netbench.model import Cell, FailureClass, Flag, InstanceType, Measurement, Pair, Plan, Step
from tests.analyse.runs import TYPE, Make, failed, make_manifest, make_plan, make_records, measurement

KINDS = ("host", "pod")
HOST, INTO, OUT, POD = (Cell(a, b) for a, b in (("host", "host"), ("host", "pod"), ("pod", "host"), ("pod", "pod")))
TYPES = {TYPE: InstanceType(TYPE, 6e9, 1e6, 8, "a table")}
LINE = 6e9 * 1460 / 1538


def one(value: float, metric: str = "throughput", unit: str = "bit/s", **more: float) -> Measurement:
    return measurement((metric, value, unit), *((name, number, "1") for name, number in more.items()))


def findings(plan: Plan, make: Make, **changes: object) -> tuple[Finding, ...]:
    manifest = make_manifest(plan, types=TYPES)
    return interpret(aggregate(plan, make_records(plan, make)), plan, replace(manifest, **changes))  # type: ignore[arg-type]


def of(found: Sequence[Finding], code: Code) -> list[Finding]:
    return [finding for finding in found if finding.code is code]


def plan_of(rounds: int = 3, probes: Sequence[str] = ("throughput",), **changes: object) -> Plan:
    return make_plan(KINDS, probes, rounds, **changes)  # type: ignore[arg-type]


def noisy(seed: int, into: float = 1.0, spread: float = 0.01) -> Make:
    random = Random(seed)  # noqa: S311 - nothing is secret here
    return lambda step: one(1e9 * (into if step.cell.destination == "pod" else 1) * random.gauss(1, spread))


def test_a_large_difference_is_clear_and_in_the_right_direction() -> None:
    found = findings(plan_of(), noisy(2, into=0.7))
    (into,), (out,) = of(found, Code.INTO), of(found, Code.OUT_OF)
    assert (into.confidence, into.params["kind"], into.params["baseline"]) == (Confidence.CLEAR, "pod", "host")
    assert into.params["ratio"] == pytest.approx(0.7, rel=0.03)
    assert set(into.cells) == {HOST, INTO, OUT, POD}
    assert (into.params["n"], into.params["planned"], into.params["comparisons"]) == (6, 6, 2)
    assert into.params["confidence"] == 0.95
    assert into.params["p"] < 0.001
    assert out.confidence is Confidence.NOISE
    (overall,) = of(found, Code.OVERALL)
    ratio = into.params["ratio"]
    assert overall.params["clear"] == [{"direction": "into", "kind": "pod", "baseline": "host", "ratio": ratio}]


@pytest.mark.parametrize("quiet", [1.0, 0.12])
def test_where_there_is_no_difference_one_is_claimed_in_5_of_100_runs_at_most(quiet: float) -> None:
    """All comparisons together, as Holm promises; three kinds make six of them.

    ``quiet``: how much cells out of other kinds vary, as a share of how much those out of the host do.
    """
    plan = make_plan(probes=("throughput",))

    def unaffected(seed: int) -> Make:
        random = Random(seed)  # noqa: S311 - nothing is secret here
        return lambda step: one(1e9 * random.gauss(1, 0.03 * (1 if step.cell.source == "host" else quiet)))

    runs = 300
    wrong = sum(
        any(f.confidence is Confidence.CLEAR for f in found if f.code in (Code.INTO, Code.OUT_OF))
        for found in (findings(plan, unaffected(seed)) for seed in range(runs))
    )
    assert wrong / runs <= 0.05


@pytest.mark.parametrize("rounds", [1, 2])
def test_fewer_than_three_rounds_support_no_statement_on_noise(rounds: int) -> None:
    found = findings(plan_of(rounds), noisy(1, into=0.5))
    assert {f.confidence for f in found if f.code in (Code.INTO, Code.OUT_OF)} == {Confidence.UNKNOWN}
    assert of(found, Code.FEW_ROUNDS)[0].params == {"rounds": rounds, "least": 3}
    assert of(found, Code.RESOLUTION) == []


def test_rounds_that_failed_take_the_certainty_with_them() -> None:
    plan = plan_of()
    records = make_records(plan, noisy(1, into=0.5))
    lost = [
        failed(r, FailureClass.BUSY, "busy") if s.round > 1 else r for s, r in zip(plan.steps, records, strict=True)
    ]
    found = interpret(aggregate(plan, lost), plan, make_manifest(plan))
    (into,) = of(found, Code.INTO)
    assert (into.confidence, into.params["n"], into.params["planned"]) == (Confidence.UNKNOWN, 2, 6)
    (failures,) = of(found, Code.FAILURES)
    assert failures.params == {"probe": "throughput", "failed": 8, "planned": 12, "classes": ["busy"]}


def test_where_there_is_nothing_to_compare_that_is_said() -> None:
    plan = plan_of(excluded={HOST: "no second host", OUT: "no second host"})
    into = of(findings(plan, noisy(1)), Code.INTO)[0]
    assert (into.params["n"], into.params["ratio"], into.confidence) == (0, None, Confidence.UNKNOWN)
    assert of(findings(plan, noisy(1)), Code.OVERALL)[0].params["missing"] == [
        {"direction": "into", "kind": "pod", "baseline": "host", "ratio": None},
    ]


def test_sources_that_differ_from_each_other_are_told() -> None:
    found = findings(plan_of(), lambda step: one({INTO: 4e9, POD: 2.5e8}.get(step.cell, 1e9)))
    (into,) = of(found, Code.INTO)
    assert into.params["ratio"] == pytest.approx(1)
    assert (into.params["least"], into.params["most"]) == (pytest.approx(0.25), pytest.approx(4))


def test_without_a_baseline_kinds_are_compared_with_each_other() -> None:
    found = findings(plan_of(baseline=""), noisy(2, into=0.5))
    (into,), (overall,) = of(found, Code.INTO), of(found, Code.OVERALL)
    assert (into.params["kind"], into.params["baseline"], into.confidence) == ("pod", "host", Confidence.CLEAR)
    assert [entry["kind"] for entry in overall.params["others"]] == ["pod"]
    assert len(of(found, Code.NO_BASELINE)) == 1


def test_kinds_that_are_not_the_baseline_are_compared_too() -> None:
    found = findings(make_plan(probes=("throughput",), rounds=5), lambda step: one(_three(step)))
    compared = {(f.params["kind"], f.params["baseline"]): f for f in of(found, Code.OUT_OF)}
    assert set(compared) == {("terway-eni", "host"), ("terway", "host"), ("terway", "terway-eni")}
    assert compared["terway", "terway-eni"].params["ratio"] == pytest.approx(0.5)
    assert compared["terway", "terway-eni"].confidence is Confidence.CLEAR
    assert {f.params["comparisons"] for f in of(found, Code.OUT_OF)} == {6}


def _three(step: Step) -> float:
    return {"host": 1e9, "terway-eni": 9e8, "terway": 4.5e8}[step.cell.source] * (1 + step.round / 50)


def test_a_cell_that_its_row_and_column_do_not_explain_is_odd_and_the_others_are_not() -> None:
    odd, random = Cell("terway", "host"), Random(5)  # noqa: S311 - nothing is secret here
    plan = make_plan(probes=("throughput",), rounds=5)
    found = findings(plan, lambda step: one(_three(step) * random.gauss(1, 0.01) * (0.8 if step.cell == odd else 1)))
    (finding,) = of(found, Code.CELL_ODD)
    assert finding.cells == (odd,)
    assert finding.params["ratio"] == pytest.approx(0.8, abs=0.03)
    assert of(findings(plan, lambda step: one(_three(step) * random.gauss(1, 0.01))), Code.CELL_ODD) == []


def test_with_two_kinds_no_single_cell_can_be_called_odd() -> None:
    assert of(findings(plan_of(5), lambda step: one(2e9 if step.cell == POD else 1e9)), Code.CELL_ODD) == []


def test_a_drift_over_the_run_is_told() -> None:
    random = Random(1)  # noqa: S311 - nothing is secret here
    found = findings(plan_of(5), lambda step: one(1e9 * (1 - 0.05 * step.round) * random.gauss(1, 0.003)))
    (finding,) = of(found, Code.DRIFT)
    assert (finding.params["highest"], finding.params["lowest"]) == (1, 5)
    assert finding.params["trend"] == pytest.approx(0.75 / 0.95, rel=0.01)
    assert of(findings(plan_of(5), noisy(1)), Code.DRIFT) == []


def test_a_single_value_far_from_the_others_is_told() -> None:
    random = Random(1)  # noqa: S311 - nothing is secret here
    found = findings(
        plan_of(5), lambda step: one(random.gauss(1e9, 5e6) * (0.7 if step.cell == POD and step.round == 4 else 1))
    )
    (finding,) = of(found, Code.OUTLIERS)
    assert (finding.cells, finding.params["round"], finding.params["values"]) == ((POD,), 4, 1)
    assert finding.params["ratio"] == pytest.approx(0.7, rel=0.05)


@pytest.mark.parametrize(
    ("factors", "code", "reached"),
    [
        ((0.99, 0.99, 0.99, 0.99), Code.LIMIT_ALL, 4),
        ((0.99, 0.7, 0.99, 0.7), Code.LIMIT_SOME, 2),
        ((0.7, 0.7, 0.7, 0.7), Code.LIMIT_NONE, 0),
    ],
)
def test_which_cells_reach_the_limit(factors: tuple[float, ...], code: Code, reached: int) -> None:
    shares = dict(zip((HOST, INTO, OUT, POD), factors, strict=True))
    found = findings(plan_of(), lambda step: one(LINE * shares[step.cell]))
    (finding,) = (f for f in found if f.code in (Code.LIMIT_ALL, Code.LIMIT_SOME, Code.LIMIT_NONE))
    assert (finding.code, finding.confidence) == (code, Confidence.CLEAR)
    assert (finding.params["reached"], finding.params["cells"], finding.params["limit"]) == (reached, 4, 6e9)
    assert finding.params["payload"] == pytest.approx(0.949, abs=0.0005)
    assert finding.params["lowest"] == pytest.approx(min(factors))
    assert finding.params["source"] == ["a table"]


def test_a_cell_close_to_the_threshold_is_not_clear() -> None:
    found = findings(plan_of(), lambda step: one(LINE * (0.952 + 0.01 * (step.round - 2))))
    assert of(found, Code.LIMIT_ALL)[0].confidence is Confidence.NOISE


def test_the_slower_end_and_the_lowest_mtu_make_the_limit() -> None:
    plan = plan_of()
    plan = replace(
        plan, endpoints=tuple(replace(e, instance_type="s" if e.node == "ecs-02" else TYPE) for e in plan.endpoints)
    )
    manifest = make_manifest(
        plan,
        facts=lambda e: {"mtu": "8500" if e.kind == "host" else "1400"},
        types={**TYPES, "s": InstanceType("s", 2e9)},
    )
    found = interpret(aggregate(plan, make_records(plan, lambda step: one(1.89e9))), plan, manifest)
    (finding,) = of(found, Code.LIMIT_ALL)
    assert (finding.params["limit"], finding.params["mtu"]) == (2e9, 1400)
    assert finding.params["payload"] == pytest.approx(1360 / 1438)
    assert of(found, Code.TYPES_DIFFER)[0].params["types"] == [TYPE, "s"]
    assert of(found, Code.FACTS_DIFFER)[0].params["fact"] == "mtu"


def test_a_limit_that_is_not_known_is_said_to_be_so() -> None:
    found = findings(plan_of(instance_type="unheard-of"), noisy(1))
    (finding,) = of(found, Code.LIMIT_UNKNOWN)
    assert (finding.params["types"], finding.confidence) == (["unheard-of"], Confidence.UNKNOWN)


def test_a_baseline_that_does_not_fill_its_line_calls_for_a_look() -> None:
    found = findings(plan_of(), lambda step: one(LINE * (0.6 if step.cell == HOST else 0.99)))
    (finding,) = of(found, Code.BASELINE_BELOW_LIMIT)
    assert (finding.cells, finding.params["share"]) == ((HOST,), pytest.approx(0.6))


def test_more_than_the_limit_is_odd_too() -> None:
    found = findings(plan_of(), lambda step: one(LINE * (1.2 if step.cell == POD else 1)))
    (finding,) = of(found, Code.ABOVE_LIMIT)
    assert (finding.cells, finding.params["share"]) == ((POD,), pytest.approx(1.2))


def test_nobody_expects_a_single_stream_to_reach_a_packet_limit() -> None:
    found = findings(plan_of(probes=("pps",)), lambda step: one(4e5, "pps_received", "packets/s"))
    (finding,) = of(found, Code.LIMIT_NONE)
    assert (finding.params["limit"], finding.params["payload"], finding.params["mtu"]) == (1e6, 1.0, None)
    assert of(found, Code.BASELINE_BELOW_LIMIT) == []


def test_a_unit_without_limits_is_not_held_against_any() -> None:
    found = findings(plan_of(probes=("http",)), lambda step: one(4e4, "requests", "requests/s"))
    assert not {f.code for f in found} & {Code.LIMIT_ALL, Code.LIMIT_SOME, Code.LIMIT_NONE, Code.LIMIT_UNKNOWN}


@pytest.mark.parametrize(("count", "expected"), [(1000.0, []), (100000.0, [(POD,)])])
def test_retransmits_are_judged_by_their_share(count: float, expected: list[tuple[Cell, ...]]) -> None:
    """45 s at 5.7 Gbit/s are 22 million segments."""
    found = findings(plan_of(), lambda step: one(5.7e9, retransmits=count if step.cell == POD else 10.0))
    assert [f.cells for f in of(found, Code.RETRANSMITS)] == expected


def test_flags_are_gathered_by_code() -> None:
    def make(step: Step) -> Measurement:
        flags = [Flag("generator-ceiling", f"round {step.round}")] if step.cell in (HOST, POD) else []
        return measurement(("throughput", 1e9, "bit/s"), flags=flags)

    (finding,) = of(findings(plan_of(), make), Code.FLAGGED)
    assert finding.cells == (HOST, POD)
    assert (finding.params["flag"], finding.params["steps"], finding.params["detail"]) == (
        "generator-ceiling",
        6,
        "round 1",
    )


def test_endpoints_that_did_not_take_part_do_not_make_facts_differ() -> None:
    plan = plan_of()
    manifest = make_manifest(plan, facts=lambda e: {"iperf3": "3.12"})
    stranger = replace(manifest.environment[0], endpoint="stranger", facts={"iperf3": "3.9"})
    manifest = replace(manifest, environment=(*manifest.environment, stranger))
    assert of(interpret(aggregate(plan, make_records(plan, noisy(1))), plan, manifest), Code.FACTS_DIFFER) == []
    mixed = make_manifest(plan, facts=lambda e: {"iperf3": "3.12" if e.node == "ecs-01" else "3.9"})
    (finding,) = of(interpret(aggregate(plan, make_records(plan, noisy(1))), plan, mixed), Code.FACTS_DIFFER)
    assert finding.params["values"] == {"3.12": ["ecs-01", "pod-ecs-01"], "3.9": ["ecs-02", "pod-ecs-02"]}


def test_unlike_pairs_of_nodes_are_told() -> None:
    pairs = (Pair("ecs-01", "ecs-02"), Pair("ecs-03", "ecs-04"))
    plan = plan_of(pairs=pairs)
    assert of(findings(plan, noisy(1)), Code.PAIRS_DIFFER) == []
    plan = replace(plan, steps=tuple(s for s in plan.steps if s.cell != POD or s.pair == pairs[0]))
    found = findings(plan, noisy(1))
    assert len(of(found, Code.PAIRS_DIFFER)) == 1
    assert of(found, Code.FEWER_PAIRS) == [Finding(Code.FEWER_PAIRS, {"wanted": 2, "found": 1}, (POD,))]


def test_the_resolution_says_how_wide_intervals_are_and_what_would_narrow_them() -> None:
    found = findings(plan_of(), lambda step: one(1e9 * (1 + (step.round - 2) * (0.05 if step.cell == POD else 0.001))))
    (finding,) = of(found, Code.RESOLUTION)
    assert POD in finding.cells
    assert finding.params["needed"] == math.ceil(3 * (finding.params["half"] / 0.02) ** 2)
    assert 0.05 < finding.params["half"] < 0.5


def test_findings_are_json() -> None:
    found = findings(plan_of(), noisy(1))
    assert json.dumps([dataclasses.asdict(finding) for finding in found], allow_nan=False)
