"""One campaign: the real plan, runner and parsers, over endpoints that a world plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netbench.analyse import Analysis, Finding, aggregate, interpret
from netbench.model import (
    Endpoint,
    InstanceType,
    Inventory,
    LocalAccess,
    Manifest,
    Node,
    Plan,
    Precision,
    Step,
    StepRecord,
    ZoneMode,
)
from netbench.plan import build_plan
from netbench.probes.base import Probe
from netbench.rounds import MoreRounds
from netbench.run.events import Event, StepStarted
from netbench.run.lifecycle import Target
from netbench.run.runner import Runner
from netbench.simulator import tools
from netbench.simulator.world import Weather, World
from netbench.transports.fake import Argv, FakeTransport, JobReply

Reorder = Callable[[Plan], Plan]


@dataclass(frozen=True)
class Simulated:
    """What a campaign left behind."""

    plan: Plan
    manifest: Manifest
    records: tuple[StepRecord, ...]

    def analysis(self) -> Analysis:
        return aggregate(self.plan, self.records)

    def findings(self) -> tuple[Finding, ...]:
        return interpret(self.analysis(), self.plan, self.manifest)


def simulate(
    world: World,
    probes: Mapping[str, Probe],
    *,
    rounds: int = 5,
    zone: ZoneMode = ZoneMode.SAME,
    seed: int = 0,
    pairs: int = 1,
    precision: Precision | None = None,
    instance_type: InstanceType | None = None,
    order: Reorder | None = None,
) -> Simulated:
    """Run one campaign. The same arguments give the same records, but for their times.

    ``instance_type``: what all nodes are, for limits. ``order``: another order of the plan's steps than netbench's own.
    """
    inventory = fleet(world.kinds, instance_type)
    plan = build_plan(
        inventory, probes, zone=zone, rounds=rounds, pairs=pairs, seed=seed, max_parallel=1, precision=precision
    )
    plan = order(plan) if order else plan
    stage = _Stage(Weather(world, zone, len(plan.steps), seed))
    targets = {
        endpoint.name: Target(endpoint, FakeTransport(jobs=stage.jobs), "/simulated")
        for endpoint in inventory.endpoints
    }
    more = MoreRounds(plan, stage)
    # in this world time passes by steps
    Runner(plan, probes, targets, stage, stage, pause=lambda seconds: None).run(0.0, more=more)
    manifest = Manifest(
        run="simulated",
        netbench="simulator",
        created="",
        zone=zone,
        inventory=inventory.source,
        instance_types=inventory.instance_types,
    )
    return Simulated(more.plan, manifest, tuple(stage.journal))


def fleet(kinds: Sequence[str], instance_type: InstanceType | None = None) -> Inventory:
    """Two zones of two nodes, with an endpoint of every kind on each."""
    name = instance_type.name if instance_type else None
    nodes = tuple(Node(f"{zone}{number}", zone, name) for zone in ("a", "b") for number in (1, 2))
    endpoints = tuple(
        Endpoint(f"{node.name}-{kind}", kind, node.name, f"198.18.{index}.{number}", LocalAccess())
        for number, node in enumerate(nodes, 1)
        for index, kind in enumerate(kinds)
    )
    types = {instance_type.name: instance_type} if instance_type else {}
    return Inventory("simulated", nodes, endpoints, instance_types=types)


def not_interleaved(plan: Plan) -> Plan:
    """All rounds of one cell, then those of the next: so the first published numbers of pods came to beat hosts'."""
    cells = {cell: number for number, cell in enumerate(plan.cells)}
    steps = sorted(plan.steps, key=lambda step: (step.probe, cells[step.cell], step.round))
    return replace(plan, steps=tuple(replace(step, wave=wave) for wave, step in enumerate(steps, 1)))


@dataclass
class _Stage:
    """Plays all endpoints; is journal, archive and observer, all in memory."""

    weather: Weather
    journal: list[StepRecord] = field(default_factory=list)
    step: Step | None = None

    @property
    def jobs(self) -> Mapping[Argv, JobReply | Callable[[Argv], JobReply]]:
        return {("iperf3", "-s"): self.serve, ("iperf3",): self.play, ("ping",): self.play}

    def play(self, argv: Argv) -> JobReply:
        """What the current step's client prints. Steps run one at a time."""
        assert self.step is not None  # noqa: S101
        failure, value = self.weather.failure(), self.weather.value(self.step)
        return tools.failed(argv, failure) if failure else tools.reply(argv, value)

    def serve(self, argv: Argv) -> JobReply:
        """What the current step's server prints."""
        assert self.step is not None  # noqa: S101
        return tools.served(self.step.client)

    def on(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.step = event.step

    def append(self, record: StepRecord) -> None:
        self.journal.append(record)

    def records(self) -> Sequence[StepRecord]:
        return self.journal

    def write_plan(self, plan: Plan) -> None:
        """``MoreRounds`` knows it."""

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> None:
        """Nothing is kept: the records are."""
