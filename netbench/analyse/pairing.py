"""Which value of one cell belongs to which value of another: that of the same round, on the same nodes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean

from netbench.analyse.summaries import Value

Paired = tuple[tuple[float, ...], tuple[float, ...]]


def pair_values(values: Sequence[Value], references: Sequence[Value]) -> Paired | None:
    """Values and references paired by position; None where nothing can be paired or a number is not above zero.

    By round and pair of nodes. Two cells that were measured on no common pair of nodes are paired by round alone, with
    the geometric mean over the pairs of each.
    """
    if any(value.value <= 0 for value in (*values, *references)):
        return None
    if {value.pair for value in values} & {value.pair for value in references}:
        ours: dict[object, float] = {(value.round, value.pair): value.value for value in values}
        theirs: dict[object, float] = {(value.round, value.pair): value.value for value in references}
    else:
        ours, theirs = _by_round(values), _by_round(references)
    common = [key for key in ours if key in theirs]
    return (tuple(ours[key] for key in common), tuple(theirs[key] for key in common)) if common else None


def _by_round(values: Sequence[Value]) -> dict[object, float]:
    rounds: dict[object, list[float]] = {}
    for value in values:
        rounds.setdefault(value.round, []).append(value.value)
    return {number: geometric_mean(found) for number, found in rounds.items()}
