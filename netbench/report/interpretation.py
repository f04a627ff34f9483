"""What the numbers mean, in the order in which a reader asks; and what they do not tell."""

from __future__ import annotations

from netbench.analyse import ANOMALIES, Code, Confidence
from netbench.report import format
from netbench.report.document import BulletList, Paragraph, Section
from netbench.report.material import Material
from netbench.report.sentences import others_text, sentence
from netbench.report.summary import LIMIT_CODES

_VIEWS = (Code.INTO, Code.OUT_OF)


def interpretation(material: Material) -> Section:
    """A group of findings under each question; a question to which there is no finding is left out."""
    words = material.words
    limits = material.sentences(LIMIT_CODES)
    sections = [Section(words("group.limits"), (BulletList(limits),))] if limits else []
    sections += [
        Section(words(f"group.{code.value}"), (BulletList(told),)) for code in _VIEWS if (told := _told(material, code))
    ]
    if zones := material.sentences((Code.ZONES,)):
        sections.append(Section(words("group.zones"), (BulletList(zones),)))
    odd = material.sentences(ANOMALIES)
    sections.append(Section(words("group.anomalies"), (BulletList(odd) if odd else Paragraph(words("nothing-odd")),)))
    overall = material.sentences((Code.OVERALL, Code.FEW_ROUNDS, Code.NO_BASELINE))
    if overall:
        sections.append(Section(words("group.overall"), (BulletList(overall),)))
    return Section(words("interpretation"), sections=tuple(sections))


def _told(material: Material, code: Code) -> tuple[str, ...]:
    """What is compared with the baseline, and what is clear, a sentence each; the rest, a probe in one sentence."""
    told: list[str] = []
    for probe in material.analysis.probes:
        found = [f for f in material.findings if f.code is code and f.params["probe"] == probe.probe]
        shown = [
            f for f in found if f.params["baseline"] == material.analysis.baseline or f.confidence is Confidence.CLEAR
        ]
        told += [sentence(finding, material.words) for finding in shown]
        if rest := [finding for finding in found if finding not in shown]:
            told.append(others_text(rest, material.words))
    return tuple(told)


def limits(material: Material) -> Section:
    """What the numbers cannot carry."""
    words = material.words
    items = [
        *material.sentences((Code.PRECISION, Code.RESOLUTION)),
        words("limits.repetition"),
        _environment(material),
    ]
    for finding in material.findings:
        if finding.code in LIMIT_CODES and finding.params.get("mtu"):
            share = format.percent(float(str(finding.params["payload"])))
            sources = finding.params["source"]
            assert isinstance(sources, list)  # noqa: S101 - Code says so
            source = words("clause").join(sources) or words("unknown")
            items.append(words("limits.payload", mtu=finding.params["mtu"], share=share, source=source))
    return Section(words("limits"), (BulletList(tuple(dict.fromkeys(items))),))


def _environment(material: Material) -> str:
    watched = sum(cell.watched for probe in material.analysis.probes for cell in probe.primary.cells)
    return material.words("limits.environment", watched=watched, ok=material.analysis.ok)
