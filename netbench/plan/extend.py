"""One more round, of the cells that are not yet known well enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from netbench.model import Cell, Pair, Plan, Step
from netbench.plan.ids import step_ids
from netbench.plan.schedule import balanced_orders, in_waves, rotated


def extend_plan(plan: Plan, wanted: Mapping[str, Collection[Cell]]) -> Plan:
    """The plan with another round, of the ``wanted`` cells by probe. What was planned before stays as it is.

    The order goes on as if that many rounds had been planned at once, but for the cells that are left out. No wave is
    wider than those before.
    """
    number = plan.rounds + 1
    known: dict[tuple[str, Cell], dict[Pair, Step]] = {}
    for step in plan.steps:
        known.setdefault((step.probe, step.cell), {}).setdefault(step.pair, step)
    steps = []
    for probe in rotated(tuple(plan.probes), number - 1):
        cells = tuple(cell for cell in plan.cells if (probe, cell) in known)
        order = balanced_orders(cells, number, f"{plan.seed}/{probe}")[-1] if cells else ()
        steps += [
            replace(step, round=number)
            for cell in order
            if cell in wanted.get(probe, ())
            for step in known[probe, cell].values()
        ]
    identities = [(step.round, step.probe, step.cell, step.pair) for step in (*plan.steps, *steps)]
    ids = step_ids(identities)[len(plan.steps) :]
    widest = max(Counter(step.wave for step in plan.steps).values(), default=1)
    last = max((step.wave for step in plan.steps), default=0)
    more = in_waves([replace(step, id=name) for step, name in zip(steps, ids, strict=True)], widest)
    return replace(plan, rounds=number, steps=(*plan.steps, *(replace(s, wave=last + s.wave) for s in more)))
