"""What does not fit the rest of one probe's numbers: cells, single values, rounds. All of it stays in the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netbench.analyse.findings import Code, Finding, ratio_params
from netbench.analyse.summaries import Analysis, MetricSummary
from netbench.analyse.views import LEAST_ROUNDS
from netbench.model import Cell
from netbench.stats import BlockModel, Contrast, Outlier

ALPHA = 0.005  # of calling any cell of a run odd where none is
ALPHA_DRIFT = 0.01  # of each probe
ALPHA_OUTLIER = 0.01  # of each probe
LEAST_KINDS = 3  # with two, a cell that is off shows in all four cells alike


def oddities(analysis: Analysis, metric: MetricSummary, model: BlockModel | None, probes: int) -> Iterator[Finding]:
    """Odd cells, outliers and drift. ``probes``: how many share the error that odd cells may have."""
    if model is None or analysis.rounds < LEAST_ROUNDS:
        return
    about: dict[str, object] = {"probe": metric.probe, "metric": metric.metric}
    for cell, contrast, p_value in _odd_cells(analysis, model, ALPHA / probes):
        yield Finding(Code.CELL_ODD, {**about, **ratio_params(contrast), "p": p_value}, (cell,))
    yield from _outliers(about, model)
    yield from _drift(about, model)


def _odd_cells(analysis: Analysis, model: BlockModel, alpha: float) -> list[tuple[Cell, Contrast, float]]:
    """Cells far from what their row and column make expected, the farthest first.

    On the log scale a cell is expected to be the sum of what its source and its destination contribute. A single cell
    that is off pulls the expectations of others, so the farthest is taken out of them before the next is looked at.
    """
    units: dict[Cell, list[object]] = {}
    for unit in model.units:
        if isinstance(unit, tuple):
            units.setdefault(unit[0], []).append(unit)
    cells = list(units)
    if len({cell.source for cell in cells}) < LEAST_KINDS or len({cell.destination for cell in cells}) < LEAST_KINDS:
        return []
    found: list[tuple[Cell, Contrast, float]] = []
    while True:
        odd = [cell for cell, _, _ in found]
        candidates = []
        for cell in cells:
            weights = _deviation(cell, [other for other in cells if other != cell and other not in odd], analysis.kinds)
            if cell in odd or weights is None:
                continue
            spread = {unit: weight / len(units[c]) for c, weight in weights.items() for unit in units[c]}
            contrast = model.contrast(spread)
            if contrast is not None and contrast.p_value is not None:
                candidates.append((cell, contrast, min(1.0, contrast.p_value * len(cells))))
        best = min(candidates, key=lambda candidate: candidate[2], default=None)
        if best is None or best[2] > alpha:
            return found
        found.append(best)


def _deviation(cell: Cell, others: Sequence[Cell], kinds: Sequence[str]) -> dict[Cell, float] | None:
    """The cell minus what the others, by source and destination, make expected of it: weights by cell.

    None where the others do not tell.
    """
    design = np.array([_row(other, kinds) for other in others])
    wanted = _row(cell, kinds)
    inverse = np.linalg.pinv(design.T @ design)
    if float(np.abs(wanted @ inverse @ (design.T @ design) - wanted).max()) > 1e-6:
        return None
    shares = design @ inverse @ wanted
    return {cell: 1.0, **{other: -float(share) for other, share in zip(others, shares, strict=True)}}


def _row(cell: Cell, kinds: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    row = np.zeros(2 * len(kinds))
    row[kinds.index(cell.source)] = 1
    row[len(kinds) + kinds.index(cell.destination)] = 1
    return row


def _outliers(about: dict[str, object], model: BlockModel) -> Iterator[Finding]:
    outliers = model.outliers(ALPHA_OUTLIER)
    if outliers:
        worst = min(outliers, key=lambda outlier: outlier.p_value)
        params = {
            **about,
            "values": len(outliers),
            "of": len(model.observations),
            "round": worst.observation.round,
            "ratio": worst.factor,
        }
        # the worst one's cell first: the sentence names it
        cells = [_cell(outlier) for outlier in (worst, *outliers)]
        yield Finding(Code.OUTLIERS, params, tuple(dict.fromkeys(cells)))


def _cell(outlier: Outlier) -> Cell:
    unit = outlier.observation.unit
    assert isinstance(unit, tuple)  # noqa: S101 - ``fitted`` makes them of a cell and a pair
    cell = unit[0]
    assert isinstance(cell, Cell)  # noqa: S101
    return cell


def _drift(about: dict[str, object], model: BlockModel) -> Iterator[Finding]:
    drift = model.drift()
    if drift is None or drift.p_value > ALPHA_DRIFT:
        return
    factors = dict(drift.factors)
    lowest, highest = min(factors, key=lambda name: factors[name]), max(factors, key=lambda name: factors[name])
    first, *_, last = factors.values()
    params = {
        **about,
        "rounds": len(factors),
        "ratio": factors[highest] / factors[lowest],
        "lowest": lowest,
        "highest": highest,
        "trend": last / first,
        "p": drift.p_value,
    }
    yield Finding(Code.DRIFT, params)
