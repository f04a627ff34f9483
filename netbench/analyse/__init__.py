"""From records to numbers, and from numbers to findings."""

from netbench.analyse.aggregate import aggregate
from netbench.analyse.causes import Bound, Cause, Why, bounds
from netbench.analyse.findings import ANOMALIES, Code, Confidence, Finding
from netbench.analyse.interpret import interpret
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary, ProbeSummary

__all__ = [
    "ANOMALIES",
    "Analysis",
    "Bound",
    "Cause",
    "CellSummary",
    "Code",
    "Confidence",
    "Finding",
    "MetricSummary",
    "ProbeSummary",
    "Why",
    "aggregate",
    "bounds",
    "interpret",
]
