"""--precision against a fixed plan that reaches the same: how much time it takes, and whether it tells the truth."""

from __future__ import annotations

import os
from statistics import median

import pytest

from netbench.analyse import Code, Finding
from netbench.model import Precision
from netbench.plan import eta
from netbench.simulator import World, simulate, true_ratio
from netbench.simulator.campaign import Simulated
from tests.simulator.claims import PROBES, one_process_a_core

WANTED, MOST = 0.02, 60
CAMPAIGNS = max(10, int(os.environ.get("NETBENCH_CAMPAIGNS", "1000")) // 20)

#: As fleets are: what leaves terway varies more than the rest, and latency more than throughput.
WORLD = World(
    noise=0.01,
    noise_of={f"terway->{kind}": 0.025 for kind in World().kinds},
    into={"terway": 0.9},
    out_of={"terway-eni": 0.97},
)
pytestmark = pytest.mark.timeout(3600)


def _compare(seed: int) -> tuple[float, float, int, int, bool]:
    """Seconds with --precision and with a fixed plan, comparisons covered and made, whether all was reached."""
    adaptive = simulate(WORLD, PROBES, rounds=3, seed=seed, precision=Precision(WANTED, MOST))
    reached = _precision(adaptive)
    fixed = next(
        campaign
        for rounds in range(3, MOST + 1)
        if (campaign := simulate(WORLD, PROBES, rounds=rounds, seed=seed, precision=Precision(WANTED, rounds)))
        and (_precision(campaign).params["reached"] or rounds == MOST)
    )
    views = [f for f in adaptive.findings() if f.code in (Code.INTO, Code.OUT_OF)]
    covered = sum(_covers(finding) for finding in views)
    return eta(adaptive.plan), eta(fixed.plan), covered, len(views), bool(reached.params["reached"])


def _covers(finding: Finding) -> bool:
    low, high = finding.params["low"], finding.params["high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    return low <= true_ratio(WORLD, finding) <= high


def _precision(campaign: Simulated) -> Finding:
    (finding,) = (finding for finding in campaign.findings() if finding.code is Code.PRECISION)
    half = finding.params["half"]
    assert isinstance(half, float)
    assert (half <= WANTED) == finding.params["reached"]
    return finding


def test_precision_takes_less_time_than_a_fixed_plan() -> None:
    found = one_process_a_core(_compare, range(CAMPAIGNS))
    ratio = median(adaptive / fixed for adaptive, fixed, *_ in found)
    covered = sum(entry[2] for entry in found) / sum(entry[3] for entry in found)
    reached = sum(entry[4] for entry in found)
    print(f"\n--precision 2%, {len(found)} campaigns: {ratio:.2f} of the time of the shortest fixed plan that does it,")
    print(f"which nobody knows beforehand; reached in {reached}; 95 % intervals cover the truth in {covered:.1%}")
    assert all(entry[4] for entry in found)
    assert ratio < 0.8
    # looking after each round, and stopping when it looks narrow enough, costs a little of the 95 %
    assert covered >= 0.9
