"""From records to numbers, and from numbers to findings."""

from netbench.analyse.aggregate import aggregate
from netbench.analyse.findings import ANOMALIES, Code, Confidence, Finding
from netbench.analyse.interpret import interpret
from netbench.analyse.precision import unsettled
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary, ProbeSummary
from netbench.analyse.zones import OtherZone

__all__ = [
    "ANOMALIES",
    "Analysis",
    "CellSummary",
    "Code",
    "Confidence",
    "Finding",
    "MetricSummary",
    "OtherZone",
    "ProbeSummary",
    "aggregate",
    "interpret",
    "unsettled",
]
