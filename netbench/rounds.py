"""Rounds on request: a run goes on until its ratios are known as well as is wanted, or its budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable

from netbench.analyse import aggregate, unsettled
from netbench.model import Plan
from netbench.plan import eta, extend_plan
from netbench.store import RunDir


class MoreRounds:
    """Decides after each round whether there is another, and of which cells. The run directory's plan grows with it."""

    def __init__(self, plan: Plan, directory: RunDir, clock: Callable[[], float] = time.monotonic) -> None:
        self._plan, self._directory, self._clock = plan, directory, clock
        self._begun = clock()

    def __call__(self) -> Plan | None:
        """The plan with one more round, which is stored already; None where there is none to be."""
        plan, precision = self._plan, self._plan.precision
        if precision is None or plan.rounds >= precision.max_rounds:
            return None
        cells = unsettled(aggregate(plan, self._directory.records()), precision.wanted)
        if not cells:
            return None
        longer = extend_plan(plan, cells)
        ends = self._clock() - self._begun + eta(longer) - eta(plan)
        if precision.max_seconds is not None and ends > precision.max_seconds:
            return None
        self._directory.write_plan(longer)
        self._plan = longer
        return longer
