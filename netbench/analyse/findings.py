"""What a finding is: data first; the sentences are made of it in ``report/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from netbench.model import Cell


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

    # traffic into or out of a kind against that of the baseline: probe, metric, kind, baseline, ratio, low, high,
    # confidence (of the interval, corrected), comparisons, least and most (ratios of single sources or destinations),
    # n of planned pairs of values. n = 0: nothing to compare
    INTO = "into"
    OUT_OF = "out-of"

    RESOLUTION = "resolution"  # what so many rounds can tell: probe, metric, rounds, cell, half (share), wanted, needed
    FEW_ROUNDS = "few-rounds"  # too few for any statement on noise: rounds, least
    NO_BASELINE = "no-baseline"  # nothing to compare with

    BASELINE_BELOW_LIMIT = "baseline-below-limit"  # probe, metric, unit, mean, limit, share
    ABOVE_LIMIT = "above-limit"  # more than the limit lets through: probe, metric, unit, mean, limit, share
    FAILURES = "failures"  # probe, failed, planned, classes (FailureClass values)
    RETRANSMITS = "retransmits"  # probe, metric, highest (share of all segments), above
    FLAGGED = "flagged"  # probe, flag, steps, detail (of the first)
    FACTS_DIFFER = "facts-differ"  # fact, values (each with its endpoints: "3.12: a, b")
    PAIRS_DIFFER = "pairs-differ"  # not all cells on the same pairs of nodes: -
    FEWER_PAIRS = "fewer-pairs"  # wanted, found
    TYPES_DIFFER = "types-differ"  # types

    # one probe in short: probe, metric, baseline; lists of {direction, kind, ratio}: clear, noise, unknown, missing
    OVERALL = "overall"


#: The findings that call for a look.
ANOMALIES = frozenset(
    {
        Code.BASELINE_BELOW_LIMIT,
        Code.ABOVE_LIMIT,
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

    CLEAR = "clear"  # the interval excludes the opposite
    NOISE = "within noise"  # it does not
    UNKNOWN = "unknown"  # too few rounds to tell, or nothing to tell it from


@dataclass(frozen=True)
class Finding:
    """Something the numbers say; ``cells`` are its evidence. JSON-able."""

    code: Code
    params: Mapping[str, object] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    confidence: Confidence = Confidence.CLEAR
