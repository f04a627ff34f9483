"""Means with their uncertainty, and comparisons in a model of the whole run."""

from netbench.stats.blocks import BlockModel, Contrast, Drift, Observation, Outlier
from netbench.stats.means import (
    CONFIDENCE,
    Estimate,
    Interval,
    Ratio,
    estimate,
    rounds_needed,
)
from netbench.stats.student import f_p_value, holm, t_p_value, t_quantile
from netbench.stats.welch import independent_ratio

__all__ = [
    "CONFIDENCE",
    "BlockModel",
    "Contrast",
    "Drift",
    "Estimate",
    "Interval",
    "Observation",
    "Outlier",
    "Ratio",
    "estimate",
    "f_p_value",
    "holm",
    "independent_ratio",
    "rounds_needed",
    "t_p_value",
    "t_quantile",
]
