"""From records to summaries. Nothing is dropped: what has no number keeps its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netbench.analyse.comparisons import ratio_to_baseline
from netbench.analyse.summaries import Analysis, CellSummary, Failure, MetricSummary, ProbeSummary, StepFlag, Value
from netbench.errors import RunDirError
from netbench.model import Cell, FailureClass, Outcome, Plan, Step, StepRecord
from netbench.stats import estimate

NOT_RUN = Outcome(FailureClass.CANCELLED, "not run")
NOT_PLANNED = "no step of the plan measures it"

Latest = Mapping[str, StepRecord]


def aggregate(plan: Plan, records: Sequence[StepRecord]) -> Analysis:
    """Summarise a run. ``records``: all attempts, in the order they ended; of each step the last attempt counts.

    Raises RunDirError for a record of a step that is not in the plan.
    """
    planned = {step.id for step in plan.steps}
    latest: dict[str, StepRecord] = {}
    for record in records:
        if record.step not in planned:
            raise RunDirError(
                f"the plan has no step {record.step}", "the plan and the records belong to different runs"
            )
        if record.step not in latest or latest[record.step].attempt <= record.attempt:
            latest[record.step] = record
    return Analysis(
        kinds=plan.kinds,
        baseline=plan.baseline,
        rounds=plan.rounds,
        probes=tuple(_probe(plan, name, latest) for name in plan.probes),
        steps=len(plan.steps),
        ok=sum(record.outcome.ok for record in latest.values()),
        retried=sum(record.attempt > 1 for record in latest.values()),
    )


def _probe(plan: Plan, name: str, latest: Latest) -> ProbeSummary:
    steps = [step for step in plan.steps if step.probe == name]
    units = {
        sample.metric: sample.unit
        for step in steps
        if step.id in latest and latest[step.id].outcome.ok
        for sample in latest[step.id].measurement.samples
    }
    reasons = {exclusion.cell: exclusion.reason for exclusion in plan.exclusions}
    by_cell: dict[Cell, list[Step]] = {cell: [] for cell in plan.cells}
    for step in steps:
        by_cell.setdefault(step.cell, []).append(step)
    frames = [_frame(cell, by_cell[cell], reasons.get(cell, NOT_PLANNED), latest) for cell in plan.cells]
    places = _places(steps)
    metrics = []
    for metric, unit in (units or {"": "1"}).items():
        cells = tuple(_with_values(frame, by_cell[frame.cell], metric, latest, places) for frame in frames)
        metrics.append(MetricSummary(name, metric, unit, cells))
    return ProbeSummary(name, (ratio_to_baseline(metrics[0], plan.baseline), *metrics[1:]))


def _places(steps: Sequence[Step]) -> dict[str, float]:
    """When within its round each step runs, by step id: from -0.5 in the round's first wave to 0.5 in its last."""
    waves: dict[int, list[int]] = {}
    for step in steps:
        waves.setdefault(step.round, []).append(step.wave)
    ends = {number: (min(found), max(found)) for number, found in waves.items()}
    return {step.id: _place(step.wave, *ends[step.round]) for step in steps}


def _place(wave: int, first: int, last: int) -> float:
    return (wave - first) / (last - first) - 0.5 if last > first else 0.0


def _frame(cell: Cell, steps: Sequence[Step], reason: str, latest: Latest) -> CellSummary:
    """What all metrics of the cell have in common."""
    ended = [(step, latest[step.id] if step.id in latest else StepRecord(step.id, NOT_RUN)) for step in steps]
    return CellSummary(
        cell,
        planned=len(steps),
        ok=sum(record.outcome.ok for _, record in ended),
        watched=sum(record.outcome.ok and record.measurement.watched for _, record in ended),
        failures=tuple(
            Failure(step.id, step.round, step.pair, record.outcome) for step, record in ended if not record.outcome.ok
        ),
        flags=tuple(
            StepFlag(step.id, flag) for step, record in ended if record.outcome.ok for flag in record.measurement.flags
        ),
        excluded="" if steps else reason,
    )


def _with_values(
    frame: CellSummary, steps: Sequence[Step], metric: str, latest: Latest, places: Mapping[str, float]
) -> CellSummary:
    values = tuple(
        Value(step.round, step.pair, sample.value, places[step.id])
        for step in steps
        if step.id in latest and latest[step.id].outcome.ok
        for sample in latest[step.id].measurement.samples
        if sample.metric == metric
    )
    return replace(frame, values=values, estimate=estimate([v.value for v in values]) if values else None)
