"""How it was measured: commands to repeat it with, order, nodes, statistics, words."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping

from netbench.model import Cell, Pair, Step
from netbench.report.document import Align, Block, BulletList, CodeBlock, Paragraph, Section, Table
from netbench.report.material import Material
from netbench.run.serving import served

ADDRESS = "IP"  # stands for a destination's address
TERMS = ("kind", "cell", "baseline", "interval")


def commands(material: Material) -> Section:
    """The command lines as run, each once."""
    words, plan = material.words, material.plan
    addresses = {endpoint.name: endpoint.address for endpoint in plan.endpoints}
    facts = {found.endpoint: found.facts for found in material.manifest.environment}
    lines: list[str] = []
    if material.manifest.command:
        lines += (f"# {words('commands.run')}", shlex.join(("netbench", *material.manifest.command)))
    for probe in plan.probes:
        steps = [step for step in plan.steps if step.probe == probe]
        for side, found in (("server", _servers(steps, addresses, facts)), ("client", _clients(steps, addresses))):
            if found:
                lines += (f"# {words(f'commands.{side}', probe=words.probe(probe))}", *found)
    caption = words("commands.caption")
    if any(step.server and step.server.bind for step in plan.steps):
        caption = words("sentence").join((caption, words("commands.bind")))
    return Section(words("commands"), (Paragraph(caption), CodeBlock(tuple(lines))))


def method(material: Material) -> Section:
    """Order, statistics, pairs of nodes, exclusions."""
    words, plan = material.words, material.plan
    waves = Counter(step.wave for step in plan.steps)
    order = words("method.order", rounds=plan.rounds, seed=plan.seed, parallel=max(waves.values(), default=0))
    blocks: list[Block] = [Paragraph(order), Paragraph(words("method.statistics"))]
    if plan.steps:
        blocks.append(_pairs(material))
    blocks += _exclusions(material)
    return Section(words("method"), tuple(blocks))


def glossary(material: Material) -> Section:
    """The words that a newcomer needs."""
    words = material.words
    return Section(words("glossary"), (BulletList(tuple(words(f"glossary.{term}") for term in TERMS)),))


def _servers(steps: list[Step], addresses: dict[str, str], facts: Mapping[str, Mapping[str, str]]) -> dict[str, None]:
    """Each as it was run: endpoints differ in what works there."""
    return {
        _line(served(step.server, facts.get(step.destination, {})), addresses.get(step.destination, "")): None
        for step in steps
        if step.server
    }


def _clients(steps: list[Step], addresses: dict[str, str]) -> dict[str, None]:
    return {_line(step.client, addresses.get(step.destination, "")): None for step in steps}


def _line(argv: tuple[str, ...], address: str) -> str:
    return shlex.join(_anonymous(argument, address) for argument in argv)


def _anonymous(argument: str, address: str) -> str:
    """The argument with the placeholder for the address, also inside of a longer one such as a URL."""
    if not address:
        return argument
    return re.sub(rf"(?<![\w.]){re.escape(address)}(?![\w.])", ADDRESS, argument)


def _pairs(material: Material) -> Table:
    words = material.words
    zones = {endpoint.node: endpoint.zone for endpoint in material.plan.endpoints}
    cells: dict[Pair, set[Cell]] = {}
    steps: Counter[Pair] = Counter()
    for step in material.plan.steps:
        cells.setdefault(step.pair, set()).add(step.cell)
        steps[step.pair] += 1
    return Table(
        header=(words("field.node"), *(words(f"method.{name}") for name in ("zones", "cells", "steps"))),
        rows=tuple(
            (
                words("method.pair", source=pair.source, destination=pair.destination),
                words(
                    "method.pair",
                    source=zones.get(pair.source) or words("unknown"),
                    destination=zones.get(pair.destination) or words("unknown"),
                ),
                str(len(found)),
                str(steps[pair]),
            )
            for pair, found in sorted(cells.items())
        ),
        align=(Align.LEFT, Align.LEFT, Align.RIGHT, Align.RIGHT),
        caption=words("method.pairs"),
    )


def _exclusions(material: Material) -> Iterator[Block]:
    words = material.words
    excluded = material.plan.exclusions
    if excluded:
        yield Paragraph(words("method.exclusions"))
        yield BulletList(tuple(words("method.exclusion", cell=words.cell(e.cell), reason=e.reason) for e in excluded))
