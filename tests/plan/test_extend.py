"""Rounds that are added to a plan while it runs."""

from __future__ import annotations

from collections import Counter

from netbench.model import Cell, Plan, ZoneMode
from netbench.plan import build_plan, extend_plan
from netbench.probes.registry import load_probes
from netbench.simulator import fleet

PROBES = load_probes(("throughput", "latency"))


def plan_of(rounds: int, pairs: int = 2, max_parallel: int | None = None) -> Plan:
    return build_plan(
        fleet(("host", "pod")), PROBES, zone=ZoneMode.CROSS, rounds=rounds, pairs=pairs, max_parallel=max_parallel
    )


def test_a_round_of_everything_is_the_round_that_would_have_been_planned() -> None:
    plan = plan_of(3)
    everything = dict.fromkeys(PROBES, plan.cells)
    assert extend_plan(plan, everything) == plan_of(4)
    assert extend_plan(extend_plan(plan, everything), everything) == plan_of(5)


def test_what_was_planned_stays_as_it_is_and_only_what_is_wanted_comes() -> None:
    plan = plan_of(3)
    wanted = {"latency": {Cell("host", "pod"), Cell("pod", "pod")}}
    longer = extend_plan(plan, wanted)
    assert longer.steps[: len(plan.steps)] == plan.steps
    new = longer.steps[len(plan.steps) :]
    assert Counter(str(step.cell) for step in new) == {"host->pod": 2, "pod->pod": 2}
    assert {(step.probe, step.round) for step in new} == {("latency", 4)}
    assert min(step.wave for step in new) == plan.steps[-1].wave + 1
    assert len({step.id for step in longer.steps}) == len(longer.steps)
    assert longer.rounds == 4


def test_waves_are_no_wider_than_before() -> None:
    plan = plan_of(3, max_parallel=1)
    longer = extend_plan(plan, dict.fromkeys(PROBES, plan.cells))
    assert set(Counter(step.wave for step in longer.steps).values()) == {1}
    wide = plan_of(3)
    assert max(Counter(step.wave for step in wide.steps).values()) == 2
    for wave in {step.wave for step in extend_plan(wide, dict.fromkeys(PROBES, wide.cells)).steps}:
        nodes = [n for s in wide.steps if s.wave == wave for n in (s.pair.source, s.pair.destination)]
        assert len(nodes) == len(set(nodes))
