"""Two independent groups of values: what was measured in two runs, at two times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netbench.stats.blocks import Contrast


def independent_ratio(groups: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Contrast:
    """How values compare with references that nothing pairs them with; the mean over several such groups.

    On the log scale, after B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947) 28-35. All values are above zero, and no group is empty; the spread is
    unknown where one has a single value. Raises ValueError otherwise.
    """
    sides = [side for group in groups for side in group]
    if not sides or any(not side or min(side) <= 0 for side in sides):
        raise ValueError("only groups of numbers above zero have ratios")
    logs = [np.log(np.asarray(side, dtype=np.float64)) for side in sides]
    means = [float(log.mean()) for log in logs]
    estimate = sum(ours - theirs for ours, theirs in zip(means[::2], means[1::2], strict=True)) / len(groups)
    if any(len(log) < 2 for log in logs):
        return Contrast(estimate, math.inf, 0.0)
    parts = [float(log.var(ddof=1)) / len(log) / len(groups) ** 2 for log in logs]
    spread = sum(part**2 / (len(log) - 1) for part, log in zip(parts, logs, strict=True))
    fewest = min(len(log) for log in logs) - 1
    return Contrast(estimate, math.sqrt(sum(parts)), sum(parts) ** 2 / spread if spread > 0 else float(fewest))
