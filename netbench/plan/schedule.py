"""In which order steps run, which of them at the same time, and how long that takes.

What drifts while a run goes on (neighbours, temperature, the time of day) must not look like a difference between
cells, nor must what one step leaves behind for the next. So the order within a round changes from round to round:

- Every round is followed by its mirror image. A drift that is linear in time cancels out, and over any number of
  rounds each cell is in the first half of a round as often as in the second, give or take one.
- Rounds are the rows of a Williams design: E. J. Williams, "Experimental designs balanced for the estimation of
  residual effects of treatments", Australian Journal of Scientific Research A 2 (1949) 149-168. With n cells and k
  rounds one cell comes directly after a certain other at most ceil(k / (n - 1)) times; after n rounds (2n where n is
  odd) each did so equally often, and each cell was equally often at each place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from netbench.model import Plan, Step

T = TypeVar("T")

OVERHEAD = 0.8  # seconds a step takes besides its client: start server and client, fetch the output, stop both


def balanced_orders(items: Sequence[T], rounds: int, seed: str) -> list[tuple[T, ...]]:
    """For each round all the items, in the order described above; the seed says which item is which of the design."""
    count = len(items)
    # 0, n-1, 1, n-2, 2, ...: neighbours differ by another amount each time. The other rows add 1, 2, ... to it.
    # The mirror image of row i is row i + n/2 where n is even; where it is odd, mirror images are rows of their own.
    first = [place // 2 if place % 2 == 0 else count - 1 - place // 2 for place in range(count)]
    block = 2 * max(1, count // 2 if count % 2 == 0 else count)
    orders: list[tuple[T, ...]] = []
    for number in range(rounds):
        labels = list(items)
        Random(f"{seed}/{number // block}").shuffle(labels)  # noqa: S311 - nothing is secret here
        row, mirrored = divmod(number % block, 2)
        order = [labels[(place + row) % count] for place in first]
        orders.append(tuple(reversed(order)) if mirrored else tuple(order))
    return orders


def rotated(items: Sequence[T], by: int) -> tuple[T, ...]:
    """The items from number ``by`` on, then those before it."""
    start = by % len(items)
    return (*items[start:], *items[:start])


def in_waves(steps: Sequence[Step], max_parallel: int | None = None) -> tuple[Step, ...]:
    """The steps in the same order, with their waves, from 1.

    A step joins the wave of the step before it unless that has one of its nodes, is full (``max_parallel``), or
    belongs to another round or probe. So a wave is a stretch of the order, and no step overtakes another.
    """
    placed: list[Step] = []
    wave, size, busy = 0, 0, set[str]()
    for step in steps:
        nodes = {step.pair.source, step.pair.destination}
        same = bool(placed) and (placed[-1].round, placed[-1].probe) == (step.round, step.probe)
        if not same or busy & nodes or size == max_parallel:
            wave, size, busy = wave + 1, 0, set()
        placed.append(replace(step, wave=wave))
        busy |= nodes
        size += 1
    return tuple(placed)


def eta(plan: Plan, overhead: Mapping[str, float] | float = OVERHEAD) -> float:
    """How long the plan takes, in seconds: of each wave the longest step.

    ``overhead``: seconds a step takes besides its client, for all probes or by probe (0.8 for those it lacks).
    """
    longest: dict[int, float] = {}
    for step in plan.steps:
        extra = overhead.get(step.probe, OVERHEAD) if isinstance(overhead, Mapping) else overhead
        longest[step.wave] = max(longest.get(step.wave, 0.0), step.seconds + extra)
    return sum(longest.values())
