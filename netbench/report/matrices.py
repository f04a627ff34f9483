"""The matrices: rows are where traffic leaves from, columns where it arrives. And what was measured besides."""

from __future__ import annotations

from collections.abc import Sequence

from netbench.analyse import Analysis, CellSummary, MetricSummary, ProbeSummary
from netbench.model import Cell
from netbench.report import format
from netbench.report.document import Align, Table
from netbench.report.wording import Wording, wording

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def matrices(analysis: Analysis, lang: str = "en") -> list[Table]:
    """One table a probe: the first metric of each. Raises UsageError for a language that there is not."""
    words = wording(lang)
    return [matrix(analysis, probe, words) for probe in analysis.probes]


def matrix(analysis: Analysis, probe: ProbeSummary, words: Wording) -> Table:
    """The probe's first metric. A cell without a number is n/a, and a note below the table says why."""
    metric = probe.primary
    notes = _Notes(words)
    scale = metric_scale(metric)
    usual = _usual_count(metric.cells)
    base = analysis.baseline_cell
    rows = []
    for source in analysis.kinds:
        row = [source]
        for destination in analysis.kinds:
            summary = metric.cell(Cell(source, destination))
            text = _ratio_text(spread_text(summary, scale, words), summary, is_base=summary.cell == base)
            row.append(_count_text(text, summary, usual, words) + notes.marks(summary))
        rows.append(tuple(row))
    return Table(
        header=(words("matrix.header"), *analysis.kinds),
        rows=tuple(rows),
        align=(Align.LEFT, *[Align.RIGHT] * len(analysis.kinds)),
        caption=_caption(metric, scale, base, usual, words),
        notes=notes.lines,
    )


def secondary(probe: ProbeSummary, words: Wording) -> Table | None:
    """The probe's other metrics, a row a cell; None where it has none."""
    others = probe.metrics[1:]
    if not others:
        return None
    scales = [metric_scale(metric, like=probe.primary) for metric in others]
    columns = [_column(metric, scale, words) for metric, scale in zip(others, scales, strict=True)]
    cells = [words.cell(summary.cell) for summary in others[0].cells]
    rows = tuple((cell, *texts) for cell, *texts in zip(cells, *columns, strict=True))
    names = (_with_unit(metric, scale, words) for metric, scale in zip(others, scales, strict=True))
    spread = any(s.estimate and s.estimate.interval for metric in others for s in metric.cells)
    caption = words(f"secondary.caption{'' if spread else '.single'}")
    incomplete = any(not summary.complete for summary in probe.primary.cells)
    return Table(
        header=(words("secondary.header"), *names),
        rows=rows,
        align=(Align.LEFT, *[Align.RIGHT] * len(others)),
        caption=words.sentences((caption, words("secondary.reasons") if incomplete else "")),
    )


def _column(metric: MetricSummary, scale: format.Scale, words: Wording) -> list[str]:
    usual = _usual_count(metric.cells)
    return [_count_text(spread_text(summary, scale, words), summary, usual, words) for summary in metric.cells]


def metric_scale(metric: MetricSummary, like: MetricSummary | None = None) -> format.Scale:
    """The scale in which all of a metric's means are shown; in the unit of ``like`` where both are of one kind."""
    size = max(_means(like), default=None) if like is not None and like.unit == metric.unit else None
    percent = (metric.probe, metric.metric) in format.PERCENT
    return format.scale(metric.unit, _means(metric), percent=percent, size=size)


def _means(metric: MetricSummary) -> list[float]:
    return [summary.estimate.mean for summary in metric.cells if summary.estimate]


def spread_text(summary: CellSummary, scale: format.Scale, words: Wording) -> str:
    """As in "1.91 ± 0.02", without the unit."""
    if summary.estimate is None:
        return words("not-reported") if summary.ok else words("n/a")
    text = scale.number(summary.estimate.mean)
    interval = summary.estimate.interval
    return f"{text} ± {scale.spread(interval.half_width)}" if interval else text


class _Notes:
    """Numbered reasons; the same reason has the same number."""

    def __init__(self, words: Wording) -> None:
        self._words = words
        self._steps: dict[tuple[str, str], int] = {}

    def marks(self, summary: CellSummary) -> str:
        """The marks that a cell's text ends in, such as " ¹ ²"."""
        reasons = [("", summary.excluded)] if summary.excluded else []
        for failure in summary.failures:
            assert failure.outcome.failure is not None  # noqa: S101 - that is what failed means
            reasons.append((failure.outcome.failure.value, failure.outcome.reason))
        for reason in reasons:
            self._steps[reason] = self._steps.get(reason, 0) + 1
        known = list(self._steps)
        return "".join(f" {_mark(known.index(reason))}" for reason in dict.fromkeys(reasons))

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(
            f"{_mark(index)} {self._line(failure, reason, count)}"
            for index, ((failure, reason), count) in enumerate(self._steps.items())
        )

    def _line(self, failure: str, reason: str, count: int) -> str:
        if not failure:
            return self._words("matrix.excluded", reason=reason)
        return self._words("matrix.failure", failure=self._words.named("failure", failure), reason=reason, count=count)


def _mark(index: int) -> str:
    return str(index + 1).translate(_RAISED)


def _ratio_text(text: str, summary: CellSummary, *, is_base: bool) -> str:
    if is_base and summary.estimate:
        return f"{text} (×1)"
    if summary.ratio is None:
        return text
    interval = summary.ratio.interval
    spread = f" ± {format.ratio_spread(interval.half_width)}" if interval else ""
    return f"{text} ({format.ratio(summary.ratio.value)}{spread})"


def _count_text(text: str, summary: CellSummary, usual: int | None, words: Wording) -> str:
    """With the number of values where it is not what the caption says."""
    count = len(summary.values)
    if not count:
        return text
    if count < summary.planned:
        return words("matrix.partial", text=text, count=count, planned=summary.planned)
    return text if count == usual else words("matrix.count", text=text, count=count)


def _usual_count(cells: Sequence[CellSummary]) -> int | None:
    """How many values a complete cell has; None where that is not the same for all, or where there is none."""
    counts = {len(summary.values) for summary in cells if summary.complete}
    return counts.pop() if len(counts) == 1 else None


def _caption(metric: MetricSummary, scale: format.Scale, base: Cell | None, usual: int | None, words: Wording) -> str:
    probe = words.probe(metric.probe)
    measured = [summary for summary in metric.cells if summary.estimate]
    if not measured:
        return words("matrix.caption.empty", probe=probe) + words("matrix.end")
    spread = any(summary.estimate and summary.estimate.interval for summary in measured)
    what = _with_unit(metric, scale, words)
    caption = words(f"matrix.caption{'' if spread else '.single'}", probe=probe, what=what)
    if base and any(summary.ratio for summary in measured):
        caption += words("matrix.ratio", cell=words.cell(base))
    if usual and spread:
        caption += words("matrix.values", count=usual)
    return caption + words("matrix.end")


def _with_unit(metric: MetricSummary, scale: format.Scale, words: Wording) -> str:
    name = words.named("metric", metric.probe, metric.metric)
    return words("with-unit", name=name, unit=scale.label) if scale.label else name
