"""What a finding is: data first; the sentences are made of it in ``report/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from netbench.model import Cell
from netbench.stats import Contrast


class Code(str, Enum):
    """Every kind of finding, with its params. ``probe`` and ``metric`` name what it is about; numbers are in SI units.

    Intervals are given as ``low`` and ``high``, both None where unknown.
    """

    # does a cell reach the limit of its slower end? probe, metric, unit, reached, cells, lowest, highest (shares of
    # what the limit leaves for payload), limit (the lowest), payload (share), mtu, source
    LIMIT_ALL = "limit-all"
    LIMIT_SOME = "limit-some"
    LIMIT_NONE = "limit-none"
    LIMIT_UNKNOWN = "limit-unknown"  # probe, metric, unit, types (instance types without a known limit)

    # traffic into or out of a kind against that of another, named baseline: probe, metric, kind, baseline, ratio, low,
    # high, confidence (of the interval), p (adjusted for all comparisons of the run), comparisons, least and most
    # (ratios of single sources or destinations), n of planned values. n = 0: nothing to compare
    INTO = "into"
    OUT_OF = "out-of"

    # the widest interval of a compared ratio: probe, metric, rounds, half (share), wanted, needed
    RESOLUTION = "resolution"
    # --precision: wanted and half (shares), reached, spent ("rounds" or "time" where it was not), rounds; cells that
    # are not known that well
    PRECISION = "precision"
    FEW_ROUNDS = "few-rounds"  # too few for any statement on noise: rounds, least
    NO_BASELINE = "no-baseline"  # nothing to compare with

    BASELINE_BELOW_LIMIT = "baseline-below-limit"  # probe, metric, unit, mean, limit, share
    ABOVE_LIMIT = "above-limit"  # more than the limit lets through: probe, metric, unit, mean, limit, share
    # not what its row and its column make expected: probe, metric, ratio (to that), low, high, p (adjusted)
    CELL_ODD = "cell-odd"
    # single values far from the others: probe, metric, values, of; of the worst, whose cell is first, round and ratio
    OUTLIERS = "outliers"
    # rounds differ: probe, metric, rounds, lowest and highest (their numbers), ratio (of these), trend (last to first),
    # p
    DRIFT = "drift"
    FAILURES = "failures"  # probe, failed, planned, classes (FailureClass values)
    RETRANSMITS = "retransmits"  # probe, metric, highest (share of all segments), above
    FLAGGED = "flagged"  # probe, flag, steps, detail (of the first)
    FACTS_DIFFER = "facts-differ"  # fact, values (each with its endpoints: "3.12: a, b")
    PAIRS_DIFFER = "pairs-differ"  # not all cells on the same pairs of nodes: -
    FEWER_PAIRS = "fewer-pairs"  # wanted, found
    TYPES_DIFFER = "types-differ"  # types

    # across zones against within one, from two runs: probe, metric, run (the other), lists of
    # {source, destination, ratio, low, high}: lower, higher, noise; ratio (over all cells), low, high
    ZONES = "zones"

    # one probe in short: probe, metric, baseline; lists of {direction, kind, baseline, ratio}: clear, noise, unknown,
    # missing; others: clear differences between kinds that are not the baseline
    OVERALL = "overall"


#: The findings that call for a look.
ANOMALIES = frozenset(
    {
        Code.BASELINE_BELOW_LIMIT,
        Code.ABOVE_LIMIT,
        Code.CELL_ODD,
        Code.OUTLIERS,
        Code.DRIFT,
        Code.FAILURES,
        Code.RETRANSMITS,
        Code.FLAGGED,
        Code.FACTS_DIFFER,
        Code.PAIRS_DIFFER,
        Code.FEWER_PAIRS,
        Code.TYPES_DIFFER,
    }
)


class Confidence(str, Enum):
    """What the spread from round to round allows to say."""

    CLEAR = "clear"  # more than chance, with all that is compared taken into account
    NOISE = "within noise"  # it may be chance
    UNKNOWN = "unknown"  # too few rounds to tell, or nothing to tell it from


@dataclass(frozen=True)
class Finding:
    """Something the numbers say; ``cells`` are its evidence. JSON-able."""

    code: Code
    params: Mapping[str, object] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    confidence: Confidence = Confidence.CLEAR


def ratio_params(contrast: Contrast) -> dict[str, object]:
    """``ratio``, ``low`` and ``high`` of a finding's params."""
    interval = contrast.interval()
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"ratio": contrast.ratio, "low": low, "high": high}
