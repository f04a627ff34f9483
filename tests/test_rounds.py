"""Rounds on request, on simulated campaigns: the real plan, runner, parsers and analysis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netbench.analyse import Code, Finding
from netbench.model import Precision, StepRecord
from netbench.rounds import MoreRounds
from netbench.simulator import World, simulate
from netbench.simulator.campaign import Simulated
from tests.simulator.claims import PROBES

THROUGHPUT = {"throughput": PROBES["throughput"]}


def precision(campaign: Simulated) -> Finding:
    (finding,) = (finding for finding in campaign.findings() if finding.code is Code.PRECISION)
    return finding


def test_rounds_go_on_until_it_is_reached() -> None:
    campaign = simulate(World(noise=0.02), THROUGHPUT, rounds=3, precision=Precision(0.02, 40), seed=1)
    finding = precision(campaign)
    assert finding.params["reached"]
    assert finding.params["half"] <= 0.02  # type: ignore[operator]
    assert 4 <= campaign.plan.rounds < 40
    assert len(campaign.records) == len(campaign.plan.steps)


def test_what_is_known_well_enough_costs_no_more_time() -> None:
    noise = {"host->terway": 0.06, "terway->terway": 0.06}
    campaign = simulate(World(noise=0.005, noise_of=noise), THROUGHPUT, rounds=3, precision=Precision(0.03, 60), seed=2)
    counts = {str(summary.cell): len(summary.values) for summary in campaign.analysis().probes[0].primary.cells}
    assert precision(campaign).params["reached"]
    assert counts["host->terway"] > 2 * counts["terway-eni->host"]
    assert counts["host->host"] == campaign.plan.rounds  # what others are compared with goes on


def test_a_budget_that_is_spent_is_said_to_be_so() -> None:
    campaign = simulate(World(noise=0.1), THROUGHPUT, rounds=3, precision=Precision(0.01, 4), seed=1)
    finding = precision(campaign)
    assert campaign.plan.rounds == 4
    assert not finding.params["reached"]
    assert (finding.params["spent"], finding.params["rounds"]) == ("rounds", 4)
    assert finding.params["half"] > 0.01  # type: ignore[operator]


def test_no_round_begins_that_would_end_after_the_time() -> None:
    campaign = simulate(World(noise=0.1), THROUGHPUT, rounds=3, seed=1)
    now = [0.0]
    kept: list[StepRecord] = list(campaign.records)

    class Store:
        def records(self) -> list[StepRecord]:
            return kept

        def write_plan(self, plan: object) -> None:
            """Not needed."""

    each = sum(step.seconds + 0.8 for step in campaign.plan.steps) / 3
    plan = replace(campaign.plan, precision=Precision(0.01, 50, max_seconds=100 + each))
    more = MoreRounds(plan, Store(), clock=lambda: now[0])
    now[0] = 101.0
    assert more() is None
    now[0] = 99.0
    longer = more()
    assert longer is not None
    assert longer.rounds == 4


def test_a_probe_without_any_result_is_not_called_precise() -> None:
    from netbench.model import FailureClass

    campaign = simulate(World(failures={FailureClass.REFUSED: 1.0}), THROUGHPUT, rounds=3, precision=Precision(0.02, 5))
    assert not precision(campaign).params["reached"]
    assert campaign.plan.rounds == 3  # more of nothing would tell nothing


@pytest.mark.parametrize("wanted", [None, Precision(0.9, 30)])
def test_without_need_there_are_no_more_rounds(wanted: Precision | None) -> None:
    assert simulate(World(noise=0.01), THROUGHPUT, rounds=3, precision=wanted).plan.rounds == 3
