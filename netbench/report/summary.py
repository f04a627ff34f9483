"""The first page: how the run ended, what was asked, what came out, what failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from netbench.analyse import ANOMALIES, Code, Finding
from netbench.analyse.limits import LIMITS
from netbench.model import Manifest
from netbench.report.attestation import mislabelled
from netbench.report.document import Block, BulletList, Notice, Paragraph, Section, Table
from netbench.report.failures import failed_table
from netbench.report.material import Material
from netbench.report.matrices import metric_scale
from netbench.report.sentences import compared_text, sentence
from netbench.report.wording import Wording

COMPLETE = "complete"
LIMIT_CODES = (Code.LIMIT_ALL, Code.LIMIT_SOME, Code.LIMIT_NONE, Code.LIMIT_UNKNOWN)


def title(material: Material) -> str:
    """The title of the whole report."""
    zone = material.plan.zone.value
    return material.words(f"title.{zone}", kinds=material.words.joined(material.plan.kinds))


def head(material: Material) -> tuple[Block, ...]:
    """What stands before all sections: is it the test bed, and which run is it?"""
    manifest, words = material.manifest, material.words
    blocks: list[Block] = []
    if manifest.lab or material.plan.lab:
        notes = words("lab.notes", notes=words("clause").join(manifest.lab_notes)) if manifest.lab_notes else ""
        blocks.append(Notice(words.sentences((words("lab"), notes))))
    text = words(
        "head",
        run=manifest.run,
        created=_clean_time(manifest.created),
        lasted=_lasted(manifest, words),
        version=manifest.netbench,
    )
    return (*blocks, Paragraph(text))


def summary(material: Material) -> Section:
    """One page at most: the details stand in the sections that follow."""
    words, analysis = material.words, material.analysis
    status = _status(material)
    blocks: list[Block] = [Paragraph(status) if material.manifest.status == COMPLETE else Notice(status)]
    blocks += mislabelled(material)
    blocks += _sessions(material)
    asked = words(f"asked.{material.plan.zone.value}", kinds=words.joined(analysis.kinds))
    size = words(
        "asked.size",
        cells=len(material.plan.cells),
        probes=words.joined([words.probe(probe.probe) for probe in analysis.probes]),
        rounds=material.plan.rounds,
        pairs=material.plan.pairs,
    )
    excluded = len(material.plan.exclusions)
    left_out = words("asked.excluded", excluded=excluded) if excluded else ""
    blocks.append(Paragraph(words.sentences((asked, size, left_out))))
    compared = [
        finding
        for finding in material.findings
        if finding.code in (Code.INTO, Code.OUT_OF) and finding.params["baseline"] == analysis.baseline
    ]
    if compared:
        blocks.append(_compared_table(compared, material))
    told = [sentence(finding, words) for finding in material.findings if _matters(finding)]
    if more := sum(finding.code in ANOMALIES and not _matters(finding) for finding in material.findings):
        told.append(words("summary.more", title=words("group.anomalies"), count=more))
    if told:
        blocks.append(BulletList(tuple(told)))
    if (failed := failed_table(analysis, words)) is not None:
        blocks.append(failed)
    return Section(words("summary"), tuple(blocks))


def _sessions(material: Material) -> Iterator[Block]:
    """What is to be known of a run that was resumed."""
    words, sessions = material.words, material.manifest.sessions
    if sessions:
        yield Paragraph(words("sessions", count=material.manifest.session, begun=_clean_time(sessions[-1].started)))
    changes = [
        words("sessions.change", number=session.number, change=change)
        for session in sessions
        for change in session.changes
    ]
    if changes:
        yield Notice(words("sessions.changed"))
        yield BulletList(tuple(changes))


def _status(material: Material) -> str:
    words, analysis = material.words, material.analysis
    key = f"status.{material.manifest.status}"
    known = key if key in words.texts else "status.partial"
    text = words(known, ok=analysis.ok, steps=analysis.steps)
    retried = words("status.retried", count=analysis.retried) if analysis.retried else ""
    return words.sentences((text, retried))


def _matters(finding: Finding) -> bool:
    """Whether the first page tells it. Flags and facts are told further down; failures have a table of their own."""
    if finding.code in LIMIT_CODES:
        limit = LIMITS.get(str(finding.params["unit"]))
        return limit is not None and limit.bound
    told_elsewhere = {Code.FLAGGED, Code.FACTS_DIFFER, Code.FAILURES}
    return finding.code in {
        Code.OVERALL,
        Code.ZONES,
        Code.PRECISION,
        Code.FEW_ROUNDS,
        Code.NO_BASELINE,
        *(ANOMALIES - told_elsewhere),
    }


def _compared_table(compared: list[Finding], material: Material) -> Table:
    """A row for each kind and direction, a column for each probe."""
    words = material.words
    probes = list(dict.fromkeys(str(finding.params["probe"]) for finding in compared))
    rows = dict(_baseline_row(material))
    for finding in compared:
        row = rows.setdefault(words(finding.code.value, kind=finding.params["kind"]), {})
        row[str(finding.params["probe"])] = compared_text(finding, words)
    return Table(
        header=(words("views.header"), *(_column(probe, words) for probe in probes)),
        rows=tuple((name, *(row.get(probe, words("n/a")) for probe in probes)) for name, row in rows.items()),
        caption=words("views.caption", baseline=material.analysis.baseline),
    )


def _baseline_row(material: Material) -> Iterator[tuple[str, dict[str, str]]]:
    """What the ratios are of."""
    cell = material.analysis.baseline_cell
    if cell is not None:
        primaries = [probe.primary for probe in material.analysis.probes]
        estimates = {metric.probe: (metric, metric.cell(cell).estimate) for metric in primaries}
        yield (
            material.words.cell(cell),
            {
                probe: metric_scale(metric).quantity(estimate.mean)
                for probe, (metric, estimate) in estimates.items()
                if estimate
            },
        )


def _column(probe: str, words: Wording) -> str:
    better = words.texts.get(f"better.{probe}")
    name = words.probe(probe)
    return words("with-unit", name=name, unit=better) if better else name


def _lasted(manifest: Manifest, words: Wording) -> str:
    try:
        begun = datetime.fromisoformat(manifest.created)
        ended = datetime.fromisoformat(manifest.finished or "")
        return words("head.lasted", duration=words.duration((ended - begun).total_seconds()))
    except (TypeError, ValueError):  # there is no end, or it is no time
        return words("head.open")


def _clean_time(text: str) -> str:
    """ISO 8601 as people write it: "2026-11-23 02:38:18 UTC"."""
    return text.replace("T", " ", 1).replace("+00:00", " UTC")
