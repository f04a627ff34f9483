"""Many simulated campaigns at once, and what was claimed in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from random import Random
from typing import TypeVar

from netbench.analyse import Code, Confidence, Finding
from netbench.model import ZoneMode
from netbench.probes.registry import load_probes
from netbench.simulator import Drift, Simulated, World, not_interleaved, simulate, true_ratio

#: Findings that say that something differs from something else.
DIFFERENCES = (Code.INTO, Code.OUT_OF, Code.CELL_ODD)
PROBES = load_probes()
T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """One campaign in short."""

    false: tuple[str, ...]  # claims of what is not so
    found: bool  # the planted effect, with the right sign
    covered: int  # comparisons whose 95 % interval holds the truth
    compared: int
    planted: int  # comparisons that the planted effect changes, of one probe
    planted_covered: int


def nothing_differs(seed: int) -> Verdict:
    """Noise of 1 to 10 %, a drift of up to 20 % of any shape, three probes, five rounds."""
    return judge(_drifting(seed), seed)


def drifting(seed: int) -> Verdict:
    """Nothing differs, but the run ends 20 % below where it began; 2 % noise."""
    return judge(World(noise=0.02, drift=-0.2), seed)


def drifting_without_interleaving(seed: int) -> Verdict:
    """The same campaigns in the order of the reference report's first try."""
    return judge(World(noise=0.02, drift=-0.2), seed, interleave=False)


def one_kind_differs(seed: int) -> Verdict:
    """5 % up or down, of any kind, into or out of it; 2 % noise, a drift of up to 20 %, five rounds."""
    random = Random(f"planted/{seed}")  # noqa: S311 - nothing is secret here
    world = replace(_drifting(seed), noise=0.02)
    effect = {random.choice(world.kinds): random.choice((0.95, 1.05))}
    return judge(replace(world, into=effect) if random.random() < 0.5 else replace(world, out_of=effect), seed)


def judge(world: World, seed: int, *, interleave: bool = True, rounds: int = 5) -> Verdict:
    order = {} if interleave else {"order": not_interleaved}
    campaign = simulate(world, PROBES, rounds=rounds, seed=seed, **order)
    return verdict(world, campaign)


def verdict(world: World, campaign: Simulated, zone: ZoneMode = ZoneMode.SAME) -> Verdict:
    findings = [finding for finding in campaign.findings() if finding.code in DIFFERENCES]
    views = [finding for finding in findings if finding.code is not Code.CELL_ODD]
    claimed = [finding for finding in findings if finding.confidence is Confidence.CLEAR]
    planted = [finding for finding in views if _planted(world, finding, zone)]
    covered = {id(finding): _covers(finding, true_ratio(world, finding, zone)) for finding in views}
    return Verdict(
        false=tuple(_name(finding) for finding in claimed if not _right(world, finding, zone)),
        found=bool(planted) and all(f.confidence is Confidence.CLEAR and _right(world, f, zone) for f in planted),
        covered=sum(covered.values()),
        compared=len(views),
        planted=len(planted),
        planted_covered=sum(covered[id(finding)] for finding in planted),
    )


def one_process_a_core(make: Callable[[int], T], seeds: Iterable[int]) -> list[T]:
    """What ``make`` gives for each seed. Threads that hand over to each other are quickest on one core."""
    cores = sorted(os.sched_getaffinity(0))
    context = get_context("forkserver")
    counter = context.Value("i", 0)
    with ProcessPoolExecutor(len(cores), context, _pin, (cores, counter)) as pool:
        return list(pool.map(make, seeds, chunksize=5))


def _pin(cores: list[int], counter: object) -> None:
    with counter.get_lock():  # type: ignore[attr-defined]
        index = counter.value  # type: ignore[attr-defined]
        counter.value += 1  # type: ignore[attr-defined]
    os.sched_setaffinity(0, {cores[index % len(cores)]})


def _drifting(seed: int) -> World:
    random = Random(f"world/{seed}")  # noqa: S311 - nothing is secret here
    return World(noise=random.uniform(0.01, 0.1), drift=random.uniform(-0.2, 0.2), shape=random.choice(tuple(Drift)))


def _planted(world: World, finding: Finding, zone: ZoneMode) -> bool:
    return abs(true_ratio(world, finding, zone) - 1) > 1e-9 and finding.params["probe"] == "throughput"


def _right(world: World, finding: Finding, zone: ZoneMode) -> bool:
    if finding.code is Code.CELL_ODD:
        return False  # worlds here have no odd cell
    truth, ratio = true_ratio(world, finding, zone), finding.params["ratio"]
    assert isinstance(ratio, float)
    return abs(truth - 1) > 1e-9 and (truth > 1) == (ratio > 1)


def _covers(finding: Finding, truth: float) -> bool:
    low, high = finding.params["low"], finding.params["high"]
    return isinstance(low, float) and isinstance(high, float) and low <= truth <= high


def _name(finding: Finding) -> str:
    return f"{finding.params['probe']} {finding.code.value} {finding.params.get('kind', finding.cells)}"
