"""The commands of steps: made by probes from their options, and made again to hold a stored plan against them.

A stored plan is a file. What a resumed run executes comes from the probes' options, never from the words in that file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping

from netbench.model import InstanceType, Plan, PlannedEndpoint, Step
from netbench.probes.base import FitsSource, Probe

_ADDRESS = re.compile(r"[A-Za-z0-9:][A-Za-z0-9:._%-]*")  # never an option
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")  # as ``ids`` makes them: fit for a file name


def with_commands(step: Step, probe: Probe, kind: InstanceType | None, address: str) -> Step:
    """The step with the probe's commands for that address; ``kind``: of the source's node. Raises UsageError."""
    if isinstance(probe, FitsSource):
        probe = probe.for_source(step.pair.source, kind)
    client, server = probe.client(address), probe.server(address)
    return dataclasses.replace(step, client=client, server=server, seconds=probe.seconds)


def type_of(name: str | None, known: Mapping[str, InstanceType]) -> InstanceType | None:
    """What is known of an instance type, be it but its name; None where there is no name."""
    return None if name is None else known.get(name, InstanceType(name))


class Rebuilt:
    """A stored plan's steps with the commands that its probes make of its options."""

    def __init__(self, plan: Plan, probes: Mapping[str, Probe], types: Mapping[str, InstanceType]) -> None:
        self._endpoints = {planned.name: planned for planned in plan.endpoints}
        self._plan, self._probes, self._types = plan, probes, types

    def difference(self, done: Collection[str]) -> str | None:
        """What of the plan's steps is not what its options and endpoints make of them; None where all is.

        Steps that are ``done`` may have gone to an address that their destination no longer has.
        """
        for step in self._plan.steps:
            if (wrong := self._wrong(step)) is not None:
                return f"step {step.id}: {wrong}"
            expected = self.step(step)
            if step == expected or (step.id in done and self._at_another_address(step)):
                continue
            for word in ("client", "server", "seconds"):
                if getattr(step, word) != getattr(expected, word):
                    return f"step {step.id}: {word} {_shown(step, word)} is not {_shown(expected, word)}"
        return None

    def step(self, step: Step) -> Step:
        """The step as its probe makes it, to the planned address of its destination."""
        return self._to(step, self._endpoints[step.destination].address)

    def _to(self, step: Step, address: str) -> Step:
        kind = type_of(self._endpoints[step.source].instance_type, self._types)
        return with_commands(step, self._probes[step.probe], kind, address)

    def _at_another_address(self, step: Step) -> bool:
        words = {word for word in step.client if _ADDRESS.fullmatch(word)}
        return any(self._to(step, word) == step for word in words)

    def _wrong(self, step: Step) -> str | None:
        """What does not fit together, before there is a question of commands."""
        if not _ID.fullmatch(step.id):
            return "invalid id"
        if step.probe not in self._probes:
            return f"the plan has no options of probe {step.probe}"
        ends = (("source", step.source), ("destination", step.destination))
        for end, name in ends:
            planned: PlannedEndpoint | None = self._endpoints.get(name)
            if planned is None:
                return f"{end} {name} is not among the plan's endpoints"
            if (planned.kind, planned.node) != (getattr(step.cell, end), getattr(step.pair, end)):
                return f"{end} {name} is not a {getattr(step.cell, end)} on {getattr(step.pair, end)}"
            if not _ADDRESS.fullmatch(planned.address):
                return f"{end} {name}: invalid address {planned.address!r}"
        return None


def _shown(step: Step, word: str) -> str:
    value = getattr(step, word)
    if word == "server" and value is not None:
        value = (*value.argv, f"(port {value.port})")
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
