"""Whether the endpoints were what their labels say, with the evidence."""

from __future__ import annotations

from collections.abc import Iterator

from netbench.model import Attestation, Verdict
from netbench.report.document import Block, BulletList, Notice, Table
from netbench.report.material import Material

#: The evidence that the report shows, which tells no addresses; the run's manifest holds all of it.
COLUMNS = ("interface", "link type", "peer", "mac", "prefix", "qdisc", "mtu")


def attestation(material: Material) -> Iterator[Block]:
    """A row for each endpoint, then what speaks against labels, what is missing, and what else a reader must know."""
    words, found = material.words, material.manifest.attestations
    if not found:
        return
    yield Table(
        header=(
            words("field.endpoint"),
            words("field.verdict"),
            words("field.datapath"),
            *(words.named("evidence", name) for name in COLUMNS),
        ),
        rows=tuple(
            (
                each.endpoint,
                words(f"verdict.{each.verdict.value}"),
                each.datapath or words("unknown"),
                *(each.evidence.get(name) or words("unknown") for name in COLUMNS),
            )
            for each in found
        ),
        caption=words("environment.attested"),
    )
    told = [(each.endpoint, (*each.reasons, *each.marks)) for each in found]
    if any(signs for _, signs in told):
        yield BulletList(
            tuple(
                words("environment.attested.signs", endpoint=endpoint, signs=words("clause").join(signs))
                for endpoint, signs in told
                if signs
            )
        )


def mislabelled(material: Material) -> Iterator[Block]:
    """A notice for the first page where endpoints are not what their labels say."""
    names = [each.endpoint for each in material.manifest.attestations if _is_mislabelled(each)]
    if names:
        yield Notice(material.words("summary.mislabelled", endpoints=material.words.some(names)))


def _is_mislabelled(attestation: Attestation) -> bool:
    return attestation.verdict is Verdict.MISLABELLED
