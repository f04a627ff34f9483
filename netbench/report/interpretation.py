"""What the numbers mean, in the order in which a reader asks; and what they do not tell."""

from __future__ import annotations

from netbench.analyse import ANOMALIES, Code
from netbench.report import format
from netbench.report.document import BulletList, Paragraph, Section
from netbench.report.material import Material
from netbench.report.summary import LIMIT_CODES

_GROUPS = (
    ("group.limits", LIMIT_CODES),
    ("group.into", (Code.INTO,)),
    ("group.out-of", (Code.OUT_OF,)),
)


def interpretation(material: Material) -> Section:
    """A group of findings under each question; a question to which there is no finding is left out."""
    words = material.words
    sections = [
        Section(words(key), (BulletList(told),)) for key, codes in _GROUPS if (told := material.sentences(codes))
    ]
    odd = material.sentences(ANOMALIES)
    sections.append(Section(words("group.anomalies"), (BulletList(odd) if odd else Paragraph(words("nothing-odd")),)))
    overall = material.sentences((Code.OVERALL, Code.FEW_ROUNDS, Code.NO_BASELINE))
    if overall:
        sections.append(Section(words("group.overall"), (BulletList(overall),)))
    return Section(words("interpretation"), sections=tuple(sections))


def limits(material: Material) -> Section:
    """What the numbers cannot carry."""
    words = material.words
    items = [*material.sentences((Code.RESOLUTION,)), words("limits.repetition"), _environment(material)]
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
