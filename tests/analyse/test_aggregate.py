"""What a run comes to, cell by cell, when things went well and when they did not."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest

from netbench.analyse import aggregate
from netbench.errors import RunDirError
from netbench.model import Cell, FailureClass, Flag, Outcome, Pair, StepRecord
from tests.analyse.runs import constant, failed, make_plan, make_records, measurement

HOST, INTO, OUT, POD = (Cell(a, b) for a, b in (("host", "host"), ("host", "pod"), ("pod", "host"), ("pod", "pod")))
VALUES = {HOST: (2.0, 2.2, 1.8), INTO: (1.8, 1.98, 1.62), OUT: (2.0, 2.2, 1.8), POD: (1.0, 1.0, 1.0)}
PAIRS = (Pair("ecs-01", "ecs-02"), Pair("ecs-03", "ecs-04"))


def plan_of(**changes: object):  # type: ignore[no-untyped-def]
    return make_plan(**{"kinds": ("host", "pod"), "probes": ("throughput",), **changes})  # type: ignore[arg-type]


def test_a_cell_is_the_mean_of_its_rounds() -> None:
    plan = plan_of()
    analysis = aggregate(plan, make_records(plan, constant(VALUES)))
    metric = analysis.probes[0].primary
    assert (metric.metric, metric.unit) == ("throughput", "bit/s")
    assert [summary.cell for summary in metric.cells] == [HOST, INTO, OUT, POD]
    summary = metric.cell(HOST)
    assert summary.estimate is not None
    assert (summary.planned, summary.ok, summary.complete) == (3, 3, True)
    assert (summary.estimate.mean, summary.estimate.median) == (pytest.approx(2.0), 2.0)
    assert summary.estimate.sd == pytest.approx(0.2)
    assert [(value.round, value.value) for value in summary.values] == [(1, 2.0), (2, 2.2), (3, 1.8)]
    assert (analysis.steps, analysis.ok, analysis.retried) == (12, 12, 0)


def test_ratios_are_taken_within_rounds_so_that_a_drift_cancels_out() -> None:
    plan = plan_of()
    values = {**VALUES, POD: (1.0, 1.1, 0.9)}
    metric = aggregate(plan, make_records(plan, constant(values))).probes[0].primary
    ratio = metric.cell(INTO).ratio
    assert ratio is not None
    assert ratio.interval is not None
    assert ratio.value == pytest.approx(0.9)
    assert ratio.interval.half_width == pytest.approx(0, abs=1e-9)
    assert metric.cell(HOST).ratio is None


def test_the_last_attempt_counts_whatever_came_before() -> None:
    plan = plan_of(rounds=1)
    records = make_records(plan, lambda step: measurement(("throughput", 5.0, "bit/s")))
    first, second = failed(records[0], FailureClass.TIMEOUT, "slow"), replace(records[0], attempt=2)
    analysis = aggregate(plan, [first, *records[1:], second])
    assert (analysis.ok, analysis.retried) == (4, 1)
    assert analysis.probes[0].primary.cell(HOST).failures == ()
    worse = replace(failed(records[0], FailureClass.TIMEOUT, "slow"), attempt=2)
    analysis = aggregate(plan, [*records, worse])
    assert analysis.ok == 3
    summary = analysis.probes[0].primary.cell(HOST)
    assert summary.estimate is None
    assert [failure.outcome for failure in summary.failures] == [Outcome(FailureClass.TIMEOUT, "slow")]


def test_survivors_are_never_averaged_without_a_trace() -> None:
    plan = plan_of()
    records = make_records(plan, constant(VALUES))
    records[1] = failed(records[1], FailureClass.REFUSED, "refused")
    summary = aggregate(plan, records).probes[0].primary.cell(INTO)
    assert (summary.planned, summary.ok, len(summary.values), summary.complete) == (3, 2, 2, False)
    assert [(failure.step, failure.round) for failure in summary.failures] == [(plan.steps[1].id, 1)]
    assert summary.ratio is not None
    assert summary.ratio.n == 2


def test_steps_that_were_never_run_are_failures() -> None:
    plan = plan_of()
    records = make_records(plan, constant(VALUES))[:5]
    summary = aggregate(plan, records).probes[0].primary.cell(POD)
    assert (summary.ok, summary.planned) == (1, 3)
    assert {failure.outcome for failure in summary.failures} == {Outcome(FailureClass.CANCELLED, "not run")}


def test_an_excluded_cell_has_its_reason() -> None:
    plan = plan_of(excluded={POD: "no second pod"})
    summary = aggregate(plan, make_records(plan, constant(VALUES))).probes[0].primary.cell(POD)
    assert (summary.excluded, summary.planned, summary.estimate, summary.complete) == ("no second pod", 0, None, False)


def test_a_cell_that_no_step_measures_is_no_hole() -> None:
    plan = plan_of()
    plan = replace(plan, steps=tuple(step for step in plan.steps if step.cell != POD))
    summary = aggregate(plan, make_records(plan, constant(VALUES))).probes[0].primary.cell(POD)
    assert summary.excluded == "no step of the plan measures it"


def test_metrics_are_kept_apart_by_probe_and_keep_their_order() -> None:
    plan = plan_of(probes=("pps", "latency"))

    def make(step):  # type: ignore[no-untyped-def]
        if step.probe == "pps":
            return measurement(("pps_received", 5.0, "packets/s"), ("loss", 0.5, "1"))
        return measurement(("latency_avg", 1e-4, "s"), ("loss", 0.0, "1"))

    pps, latency = aggregate(plan, make_records(plan, make)).probes
    assert [metric.metric for metric in pps.metrics] == ["pps_received", "loss"]
    assert [metric.metric for metric in latency.metrics] == ["latency_avg", "loss"]
    means = [probe.metrics[1].cell(HOST).estimate for probe in (pps, latency)]
    assert [mean.mean for mean in means if mean] == [0.5, 0.0]
    assert latency.metrics[1].cell(INTO).ratio is None  # nothing has a ratio to zero


def test_a_metric_that_some_steps_do_not_report_is_known_by_its_count() -> None:
    plan = plan_of()

    def make(step):  # type: ignore[no-untyped-def]
        more = (("retransmits", 3.0, "1"),) if step.round == 1 else ()
        return measurement(("throughput", 5.0, "bit/s"), *more)

    summary = aggregate(plan, make_records(plan, make)).probes[0].metrics[1].cell(HOST)
    assert (summary.ok, len(summary.values), summary.complete) == (3, 1, False)


def test_a_probe_without_any_result_still_has_its_cells() -> None:
    plan = plan_of()
    records = [failed(record, FailureClass.PARSE, "?") for record in make_records(plan, constant(VALUES))]
    probe = aggregate(plan, records).probes[0]
    assert (probe.primary.metric, len(probe.primary.cells), len(probe.metrics)) == ("", 4, 1)
    assert all(len(summary.failures) == 3 for summary in probe.primary.cells)


def test_flags_are_kept_with_their_step() -> None:
    plan = plan_of(rounds=1)
    flag = Flag("cpu-bound", "0.99")
    records = make_records(plan, lambda step: measurement(("throughput", 5.0, "bit/s"), flags=[flag]))
    found = aggregate(plan, records).probes[0].primary.cell(HOST).flags
    assert [(entry.step, entry.flag) for entry in found] == [(plan.steps[0].id, flag)]


def test_without_a_baseline_there_are_no_ratios() -> None:
    plan = plan_of(baseline="")
    analysis = aggregate(plan, make_records(plan, constant(VALUES)))
    assert analysis.baseline_cell is None
    assert all(summary.ratio is None for summary in analysis.probes[0].primary.cells)


def test_a_record_of_another_plan_is_refused() -> None:
    with pytest.raises(RunDirError, match="no step stranger"):
        aggregate(plan_of(), [StepRecord("stranger", Outcome())])


def test_an_analysis_is_json() -> None:
    plan = plan_of(rounds=1, excluded={POD: "no second pod"})
    analysis = aggregate(plan, make_records(plan, constant(VALUES)))
    assert json.loads(json.dumps(dataclasses.asdict(analysis), allow_nan=False))["kinds"] == ["host", "pod"]


def test_ratios_are_taken_on_common_pairs_of_nodes_where_there_are_any() -> None:
    """The second pair is twice as fast; only hosts were measured on it."""
    plan = plan_of(pairs=PAIRS)
    plan = replace(plan, steps=tuple(s for s in plan.steps if s.cell == HOST or s.pair == PAIRS[0]))
    records = make_records(plan, lambda step: measurement(("throughput", 1.0 + (step.pair == PAIRS[1]), "bit/s")))
    metric = aggregate(plan, records).probes[0].primary
    assert metric.cell(INTO).ratio is not None
    assert metric.cell(INTO).ratio.value == pytest.approx(1)
    plan = replace(plan, steps=tuple(s for s in plan.steps if (s.cell == HOST) == (s.pair == PAIRS[1])))
    kept = [record for record in records if record.step in {step.id for step in plan.steps}]
    metric = aggregate(plan, kept).probes[0].primary
    assert metric.cell(INTO).ratio.value == pytest.approx(0.5)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_what_is_not_above_zero_has_no_ratio_and_spoils_no_others(bad: float) -> None:
    plan = plan_of()
    records = make_records(plan, constant({**VALUES, POD: (1.0, bad, 1.0)}))
    metric = aggregate(plan, records).probes[0].primary
    assert metric.cell(POD).ratio is None
    assert metric.cell(INTO).ratio is not None
    records = make_records(plan, constant({**VALUES, HOST: (1.0, bad, 1.0)}))
    assert all(summary.ratio is None for summary in aggregate(plan, records).probes[0].primary.cells)


def test_values_know_when_within_their_round_they_were_taken() -> None:
    plan = plan_of()
    metric = aggregate(plan, make_records(plan, constant(VALUES))).probes[0].primary
    assert [value.place for value in metric.cell(HOST).values] == [-0.5] * 3
    assert [value.place for value in metric.cell(POD).values] == [0.5] * 3
