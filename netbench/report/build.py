"""Puts a report together, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Sequence

from netbench.analyse import OtherZone, ProbeSummary, aggregate, interpret
from netbench.model import Manifest, Plan, StepRecord
from netbench.report.causes import causes
from netbench.report.document import Block, Document, Section
from netbench.report.environment import environment
from netbench.report.interpretation import interpretation, limits
from netbench.report.material import Material
from netbench.report.matrices import matrix, secondary
from netbench.report.method import commands, glossary, method
from netbench.report.summary import head, summary, title
from netbench.report.wording import wording


def gather(
    manifest: Manifest,
    plan: Plan,
    records: Sequence[StepRecord],
    lang: str = "en",
    other: OtherZone | None = None,
) -> Material:
    """What a report is made from. ``records``: all attempts in the order they ended, as the run directory has them.

    ``other``: a comparable run of the other mode, where there is one.

    Raises UsageError for a language that there is not, RunDirError for records of another plan.
    """
    words = wording(lang)
    analysis = aggregate(plan, records)
    return Material(manifest, plan, analysis, interpret(analysis, plan, manifest, other), words)


def build_document(
    manifest: Manifest,
    plan: Plan,
    records: Sequence[StepRecord],
    lang: str = "en",
    other: OtherZone | None = None,
) -> Document:
    """The whole report of a run; arguments and errors are those of ``gather``."""
    return document_of(gather(manifest, plan, records, lang, other))


def document_of(material: Material) -> Document:
    """The whole report."""
    words, analysis = material.words, material.analysis
    results = Section(words("results"), sections=tuple(_probe(probe, material) for probe in analysis.probes))
    return Document(
        title(material),
        words.lang,
        head(material),
        (
            summary(material),
            results,
            interpretation(material),
            limits(material),
            environment(material),
            commands(material),
            method(material),
            glossary(material),
        ),
    )


def _probe(probe: ProbeSummary, material: Material) -> Section:
    blocks: list[Block] = [matrix(material.analysis, probe, material.words)]
    others = secondary(probe, material.words)
    if others is not None:
        blocks.append(others)
    bounding = causes(probe.primary, material.plan, material.manifest, material.words)
    if bounding is not None:
        blocks.append(bounding)
    return Section(material.words.probe(probe.probe), tuple(blocks))
