"""What failed in the end, by class: how many steps, in which cells, and what to do."""

from __future__ import annotations

from netbench.analyse import Analysis
from netbench.model import Cell
from netbench.report.document import Table
from netbench.report.wording import Wording, wording


def failures(analysis: Analysis, lang: str = "en") -> Table | None:
    """The table by language; None where nothing failed. Raises UsageError for a language that there is not."""
    return failed_table(analysis, wording(lang))


def failed_table(analysis: Analysis, words: Wording) -> Table | None:
    """A row for each class of failure, the most frequent first; None where nothing failed."""
    counts: dict[str, int] = {}
    cells: dict[str, dict[Cell, None]] = {}
    for probe in analysis.probes:
        for summary in probe.primary.cells:
            for failure in summary.failures:
                assert failure.outcome.failure is not None  # noqa: S101 - that is what failed means
                name = failure.outcome.failure.value
                counts[name] = counts.get(name, 0) + 1
                cells.setdefault(name, {})[summary.cell] = None
    if not counts:
        return None
    return Table(
        header=(words("failed.class"), words("failed.steps"), words("failed.cells"), words("failed.remedy")),
        rows=tuple(
            (
                words.named("failure", name),
                str(count),
                words.some([words.cell(cell) for cell in cells[name]]),
                words.named("remedy", name),
            )
            for name, count in sorted(counts.items(), key=lambda entry: -entry[1])
        ),
        caption=words("failed"),
    )
