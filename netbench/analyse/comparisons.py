"""Cells against cells, kinds against kinds: contrasts in the model of all that one probe measured."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

from netbench.analyse.findings import Code
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary
from netbench.model import Cell, Pair
from netbench.stats import BlockModel, Contrast, Observation, Ratio

Compared = tuple[Cell, Cell]


@dataclass(frozen=True)
class Comparison:
    """Traffic into (out of) a kind against that into (out of) another, over all sources (destinations) they share.

    Every source (destination) weighs the same, whatever its values are. ``contrast`` is None where there is nothing to
    compare; then so are ``least`` and ``most``, the ratios of single sources (destinations).
    """

    code: Code  # INTO or OUT_OF
    kind: str
    reference: str
    contrast: Contrast | None
    least: float | None
    most: float | None
    cells: tuple[Cell, ...]
    rounds: int  # the fewest that a cell of it has values of
    n: int  # values of ``kind`` that enter
    planned: int


def fitted(metric: MetricSummary) -> BlockModel | None:
    """The model of the metric's values; None where there are none. Cells with a value that is not above zero stay out:
    they have no ratio to anything.
    """
    observations = [
        Observation((summary.cell, value.pair), value.round, value.place, value.value)
        for summary in metric.cells
        if all(value.value > 0 for value in summary.values)
        for value in summary.values
    ]
    return BlockModel(observations) if observations else None


def ratio_to_baseline(metric: MetricSummary, baseline: str) -> MetricSummary:
    """The metric with the ratio of each cell to baseline -> baseline."""
    model, base = fitted(metric), Cell(baseline, baseline)
    if model is None or not any(summary.cell == base for summary in metric.cells):
        return metric
    return replace(metric, cells=tuple(_with_ratio(summary, model, base) for summary in metric.cells))


def _with_ratio(summary: CellSummary, model: BlockModel, base: Cell) -> CellSummary:
    if summary.cell == base:
        return summary
    contrast = _contrast(model, [(summary.cell, base)])
    if contrast is None:
        return summary
    return replace(summary, ratio=Ratio(len(summary.values), contrast.ratio, contrast.interval()))


def compare(analysis: Analysis, metric: MetricSummary, model: BlockModel | None) -> list[Comparison]:
    """Each kind with the baseline, then the other kinds with each other; into and out of."""
    return [_comparison(metric, model, *view) for view in _views(analysis)]


def _views(analysis: Analysis) -> Iterator[tuple[Code, str, str, tuple[Compared, ...]]]:
    kinds = analysis.kinds
    others = [kind for kind in kinds if kind != analysis.baseline]
    pairs = [(kind, analysis.baseline) for kind in others if analysis.baseline]
    pairs += [(kind, other) for index, other in enumerate(others) for kind in others[index + 1 :]]
    for kind, reference in pairs:
        yield Code.INTO, kind, reference, tuple((Cell(s, kind), Cell(s, reference)) for s in kinds)
        yield Code.OUT_OF, kind, reference, tuple((Cell(kind, d), Cell(reference, d)) for d in kinds)


def _comparison(
    metric: MetricSummary,
    model: BlockModel | None,
    code: Code,
    kind: str,
    reference: str,
    compared: tuple[Compared, ...],
) -> Comparison:
    planned = sum(metric.cell(ours).planned for ours, _ in compared)
    found = {entry: _contrast(model, [entry]) for entry in compared} if model else {}
    single = {entry: contrast.ratio for entry, contrast in found.items() if contrast is not None}
    whole = _contrast(model, list(single)) if model and single else None
    if whole is None:
        return Comparison(code, kind, reference, None, None, None, _cells(compared), 0, 0, planned)
    cells = _cells(single)
    return Comparison(
        code,
        kind,
        reference,
        whole,
        least=min(single.values()),
        most=max(single.values()),
        cells=cells,
        rounds=min(metric.cell(cell).rounds for cell in cells),
        n=sum(len(metric.cell(ours).values) for ours, _ in single),
        planned=planned,
    )


def _contrast(model: BlockModel, compared: list[Compared]) -> Contrast | None:
    """The mean over these of the first cell against the second, on the pairs of nodes they have in common, if any."""
    weights: dict[Hashable, float] = {}
    for ours, theirs in compared:
        pairs, others = _pairs(model, ours), _pairs(model, theirs)
        if not pairs or not others:
            return None
        common = [pair for pair in pairs if pair in others]
        for cell, found, sign in ((ours, common or pairs, 1), (theirs, common or others, -1)):
            for pair in found:
                weights[cell, pair] = weights.get((cell, pair), 0.0) + sign / len(found) / len(compared)
    return model.contrast(weights)


def _pairs(model: BlockModel, cell: Cell) -> list[Pair]:
    return [unit[1] for unit in model.units if isinstance(unit, tuple) and unit[0] == cell]


def _cells(compared: Iterable[Compared]) -> tuple[Cell, ...]:
    return tuple(dict.fromkeys(cell for cells in compared for cell in cells))
