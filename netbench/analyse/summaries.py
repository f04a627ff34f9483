"""What a run's numbers come to: per probe, per metric, per cell. Frozen and JSON-able; no words for people in here."""

from __future__ import annotations

from dataclasses import dataclass

from netbench.model import Cell, Flag, Outcome, Pair
from netbench.stats import Estimate, Ratio


@dataclass(frozen=True)
class Value:
    """One sample and where it stands."""

    round: int
    pair: Pair
    value: float  # in the metric's unit
    place: float = 0.0  # when within its round, from -0.5 to 0.5


@dataclass(frozen=True)
class Failure:
    """A step without a result: its last attempt failed, or it was never run (class CANCELLED, reason "not run")."""

    step: str  # Step.id
    round: int
    pair: Pair
    outcome: Outcome


@dataclass(frozen=True)
class StepFlag:
    """A flag and the step that raised it."""

    step: str  # Step.id
    flag: Flag


@dataclass(frozen=True)
class CellSummary:
    """One metric in one cell.

    ``estimate`` is over the values there are: it must only be shown together with ``ok`` of ``planned`` where they
    differ. It is None where there are none; then ``failures`` or ``excluded`` say why, or the tool did not report this
    metric. ``ratio`` is to the same metric in the cell baseline -> baseline, within rounds and on common pairs of nodes
    where there are any; None in that cell itself, without a baseline, where a value is not above zero, and for metrics
    that are not their probe's first.
    """

    cell: Cell
    planned: int  # steps: rounds x pairs of nodes
    ok: int  # steps that ended with a result
    watched: int = 0  # of these, steps whose ends told what else they did meanwhile
    values: tuple[Value, ...] = ()
    estimate: Estimate | None = None
    ratio: Ratio | None = None
    failures: tuple[Failure, ...] = ()
    flags: tuple[StepFlag, ...] = ()
    excluded: str = ""  # why no step was planned for it

    @property
    def rounds(self) -> int:
        """In how many rounds there is a value."""
        return len({value.round for value in self.values})

    @property
    def complete(self) -> bool:
        """Whether every planned step gave a value."""
        return 0 < self.planned == len(self.values)


@dataclass(frozen=True)
class MetricSummary:
    """One metric of one probe over the whole matrix. ``unit`` is an SI base unit, or "1"."""

    probe: str
    metric: str  # empty where no step of the probe gave a result, so that not even the metric is known
    unit: str
    cells: tuple[CellSummary, ...]  # in the order of Plan.cells

    def cell(self, cell: Cell) -> CellSummary:
        """The summary of that cell; KeyError where there is none."""
        for summary in self.cells:
            if summary.cell == cell:
                return summary
        raise KeyError(cell)


@dataclass(frozen=True)
class ProbeSummary:
    """All metrics of one probe; the first is the one its matrix shows."""

    probe: str
    metrics: tuple[MetricSummary, ...]  # at least one

    @property
    def primary(self) -> MetricSummary:
        return self.metrics[0]


@dataclass(frozen=True)
class Analysis:
    """A whole run."""

    kinds: tuple[str, ...]
    baseline: str  # a kind, or the empty string
    rounds: int
    probes: tuple[ProbeSummary, ...]  # in the plan's order
    steps: int  # planned
    ok: int
    retried: int  # steps that took more than one attempt

    @property
    def baseline_cell(self) -> Cell | None:
        return Cell(self.baseline, self.baseline) if self.baseline else None
