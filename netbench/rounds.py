"""Rounds on request: a run goes on until its ratios are known as well as is wanted, or its budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from netbench.analyse import aggregate, unsettled
from netbench.model import Plan, StepRecord
from netbench.plan import eta, extend_plan


class Store(Protocol):
    """Where records are and the plan goes; a run directory."""

    def records(self) -> Sequence[StepRecord]: ...

    def write_plan(self, plan: Plan) -> object: ...


class MoreRounds:
    """Decides after each round whether there is another, and of which cells. The stored plan grows with it."""

    def __init__(
        self, plan: Plan, store: Store, clock: Callable[[], float] = time.monotonic, spent: float = 0.0
    ) -> None:
        """``spent``: seconds that earlier sessions of the run took."""
        self.plan, self._store, self._clock = plan, store, clock
        self._begun = clock() - spent

    def __call__(self) -> Plan | None:
        """The plan with one more round, which is stored already; None where there is none to be."""
        plan, precision = self.plan, self.plan.precision
        if precision is None or plan.rounds >= precision.max_rounds:
            return None
        cells = unsettled(aggregate(plan, self._store.records()), precision.wanted)
        if not cells:
            return None
        longer = extend_plan(plan, cells)
        ends = self._clock() - self._begun + eta(longer) - eta(plan)
        if precision.max_seconds is not None and ends > precision.max_seconds:
            return None
        self._store.write_plan(longer)
        self.plan = longer
        return longer
