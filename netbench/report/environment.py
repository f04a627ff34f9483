"""On what it was measured: what all endpoints have in common, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netbench.report import format
from netbench.report.attestation import attestation
from netbench.report.document import Block, Paragraph, Section, Table
from netbench.report.material import Material

#: The facts that every report tells, even if only that they are unknown. Others that were found follow.
FACTS = (
    "os",
    "kernel",
    "arch",
    "cpu",
    "cpus",
    "iperf3",
    "ping",
    "congestion_control",
    "nic",
    "nic_driver",
    "mtu",
    "queues",
)

Values = Mapping[str, str]  # endpoint -> value, "" where it is unknown


def environment(material: Material) -> Section:
    """Versions, facts, endpoints and the limits of their instance types."""
    words, manifest = material.words, material.manifest
    unknown = words("unknown")
    versions = words(
        "environment.versions",
        kubectl=manifest.kubectl or unknown,
        kubernetes=manifest.kubernetes or unknown,
        netbench=manifest.netbench,
    )
    facts = _facts(material)
    blocks = [
        Paragraph(versions),
        *_common(facts, material),
        _endpoints(material),
        *attestation(material),
        *_differing(facts, material),
    ]
    return Section(words("environment"), (*blocks, *_types(material)))


def _facts(material: Material) -> dict[str, Values]:
    """Fact -> endpoint -> value, for the endpoints that took part."""
    found = {facts.endpoint: facts.facts for facts in material.manifest.environment}
    known = dict.fromkeys((*FACTS, *sorted({name for facts in found.values() for name in facts})))
    return {
        name: {endpoint.name: found.get(endpoint.name, {}).get(name, "") for endpoint in material.plan.endpoints}
        for name in known
    }


def _common(facts: Mapping[str, Values], material: Material) -> Iterator[Block]:
    words = material.words
    common, unknown = [], []
    for name, values in facts.items():
        if len(set(values.values())) == 1:
            value = next(iter(values.values()))
            word = words.named("fact", name)
            if value:
                common.append(words("environment.fact", name=word, value=value))
            else:
                unknown.append(word)
    if common:
        yield Paragraph(words("environment.common", facts=words("clause").join(common)))
    if unknown:
        yield Paragraph(words("environment.unknown", facts=words.joined(unknown)))


def _endpoints(material: Material) -> Table:
    words = material.words
    fields = ("endpoint", "kind", "node", "zone", "instance_type")
    return Table(
        header=tuple(words(f"field.{field}") for field in fields),
        rows=tuple(
            (e.name, e.kind, e.node, e.zone, e.instance_type or words("unknown")) for e in material.plan.endpoints
        ),
        caption=words("environment.endpoints"),
    )


def _differing(facts: Mapping[str, Values], material: Material) -> Iterator[Block]:
    words = material.words
    names = [name for name, values in facts.items() if len(set(values.values())) > 1]
    if names:
        yield Table(
            header=(words("field.endpoint"), *(words.named("fact", name) for name in names)),
            rows=tuple(
                (endpoint.name, *(facts[name][endpoint.name] or words("unknown") for name in names))
                for endpoint in material.plan.endpoints
            ),
            caption=words("environment.differ"),
        )


def _types(material: Material) -> Iterator[Block]:
    words = material.words
    used = dict.fromkeys(endpoint.instance_type for endpoint in material.plan.endpoints if endpoint.instance_type)
    unknown = words("unknown")
    rows = []
    for name in used:
        kind = material.manifest.instance_types.get(name)
        if kind is not None:
            bandwidth = format.quantity(kind.bandwidth, "bit/s") if kind.bandwidth else unknown
            pps = format.quantity(kind.pps, "packets/s") if kind.pps else unknown
            rows.append((name, bandwidth, pps, str(kind.queues or unknown), kind.source or unknown))
    if rows:
        names = ("field.instance_type", "field.bandwidth", "field.pps", "fact.queues", "field.source")
        yield Table(
            header=tuple(words(name) for name in names),
            rows=tuple(rows),
            caption=words("environment.types"),
        )
