"""From records to numbers, and from numbers to findings."""

from netbench.analyse.aggregate import aggregate
from netbench.analyse.causes import Bound, Cause, Why, bounds
from netbench.analyse.findings import ANOMALIES, Code, Confidence, Finding
from netbench.analyse.interpret import interpret
from netbench.analyse.precision import expected_rounds, unsettled
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary, ProbeSummary
from netbench.analyse.views import LEAST_ROUNDS
from netbench.analyse.zones import OtherZone

__all__ = [
    "ANOMALIES",
    "LEAST_ROUNDS",
    "Analysis",
    "Bound",
    "Cause",
    "CellSummary",
    "Code",
    "Confidence",
    "Finding",
    "MetricSummary",
    "OtherZone",
    "ProbeSummary",
    "Why",
    "aggregate",
    "bounds",
    "expected_rounds",
    "interpret",
    "unsettled",
]
