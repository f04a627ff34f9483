"""Traffic into each kind, and out of it, against the baseline and against each other: what may be claimed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netbench.analyse.comparisons import Comparison
from netbench.analyse.findings import Confidence, Finding, ratio_params
from netbench.analyse.summaries import MetricSummary
from netbench.stats import CONFIDENCE, holm

LEAST_ROUNDS = 3  # from two values a spread is a guess; a statement on noise needs more

#: What all comparisons of a run may together claim wrongly: in 40 of 1,000 runs without any difference. With what odd
#: cells may (``oddities``) this stays below 5 %.
ALPHA = 0.04

Compared = tuple[MetricSummary, Comparison]


def views(compared: Sequence[Compared]) -> list[Finding]:
    """A finding for each comparison, in the same order. All comparisons of a run have to be given at once.

    A difference is CLEAR where Holm's adjusted p-value, over all comparisons, is at most ``ALPHA``. The interval is
    each comparison's own, at 95 %. Where there is nothing to compare, ratio is None and n is 0.
    """
    told = [index for index, (_, comparison) in enumerate(compared) if _can_tell(comparison)]
    adjusted = dict(zip(told, holm([_p_value(compared[index][1]) for index in told]), strict=True))
    return [
        _finding(metric, comparison, adjusted.get(index), len(told))
        for index, (metric, comparison) in enumerate(compared)
    ]


def _can_tell(comparison: Comparison) -> bool:
    contrast = comparison.contrast
    return contrast is not None and contrast.p_value is not None and comparison.rounds >= LEAST_ROUNDS


def _p_value(comparison: Comparison) -> float:
    p_value = comparison.contrast.p_value if comparison.contrast else None
    return 1.0 if p_value is None else p_value


def _finding(metric: MetricSummary, comparison: Comparison, adjusted: float | None, comparisons: int) -> Finding:
    contrast = comparison.contrast
    params: Mapping[str, object] = {
        "probe": metric.probe,
        "metric": metric.metric,
        "kind": comparison.kind,
        "baseline": comparison.reference,
        "comparisons": comparisons,
        "planned": comparison.planned,
        "n": comparison.n,
        **(ratio_params(contrast) if contrast else dict.fromkeys(("ratio", "low", "high"))),
        "p": adjusted,
        "confidence": CONFIDENCE,
        "least": comparison.least,
        "most": comparison.most,
    }
    return Finding(comparison.code, params, comparison.cells, _confidence(adjusted))


def _confidence(adjusted: float | None) -> Confidence:
    if adjusted is None:
        return Confidence.UNKNOWN
    return Confidence.CLEAR if adjusted <= ALPHA else Confidence.NOISE
