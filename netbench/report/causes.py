"""What bounds each cell, as one compact table a probe."""

from __future__ import annotations

from netbench.analyse import Bound, MetricSummary, bounds
from netbench.model import Manifest, Plan
from netbench.report import format
from netbench.report.document import Align, Table
from netbench.report.wording import Wording


def causes(metric: MetricSummary, plan: Plan, manifest: Manifest, words: Wording) -> Table | None:
    """A row a cell that has a value; None where the metric has no limits, or nothing was measured."""
    found = bounds(metric, plan, manifest)
    if not found:
        return None
    return Table(
        header=tuple(words(f"causes.{name}") for name in ("cell", "share", "cause", "evidence")),
        rows=tuple(_row(bound, metric.unit, words) for bound in found),
        align=(Align.LEFT, Align.RIGHT, Align.LEFT, Align.LEFT),
        caption=words("causes"),
    )


def _row(bound: Bound, unit: str, words: Wording) -> tuple[str, ...]:
    share = words("unknown")
    if bound.share is not None and bound.limit is not None:
        limit = format.quantity(bound.limit, unit)
        share = words("causes.of", share=format.percent(bound.share), limit=limit)
    cause = words(f"cause.{bound.cause.value}")
    flags = [
        words("causes.flag", flag=words(f"evidence.{code}"), steps=steps, all=bound.steps)
        for code, steps in bound.flags.items()
    ]
    known = words.texts.get(f"evidence.{bound.cause.value}", "")  # what the flags say alone has no words of its own
    reason = words(f"why.{bound.why.value}") if bound.why else known
    return words.cell(bound.cell), share, cause, words("clause").join(part for part in (reason, *flags) if part)
