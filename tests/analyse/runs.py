"""Runs made up for the tests of the analysis and of reports: plans, records, manifests, with numbers under control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from netbench.model import (
    Cell,
    EndpointFacts,
    Exclusion,
    FailureClass,
    Flag,
    InstanceType,
    Manifest,
    Measurement,
    Outcome,
    Pair,
    Plan,
    PlannedEndpoint,
    Sample,
    ServerCommand,
    Step,
    StepRecord,
    ZoneMode,
)

KINDS = ("host", "terway-eni", "terway")
NODES = {"ecs-01": "cn-hangzhou-b", "ecs-02": "cn-hangzhou-b", "ecs-03": "cn-hangzhou-b", "ecs-04": "cn-hangzhou-b"}
TYPE = "ecs.sn1ne.8xlarge"
SERVER = ServerCommand(("iperf3", "-s", "-i", "1", "-p", "16000", "-V"), 16000)

# probe -> (client as run, with IP for the address; seconds; server)
PROBES: Mapping[str, tuple[str, float, ServerCommand | None]] = {
    "throughput": ("iperf3 -c IP -t 45 -P 4 -p 16000 -J", 45.0, SERVER),
    "pps": ("iperf3 -u -l 16 -b 100m -t 45 -c IP -i 1 -p 16000 -A 0 -J", 45.0, SERVER),
    "latency": ("ping -c 30 IP", 29.0, None),
    "http": ("wrk -d 10 http://IP:8080/", 10.0, None),
}

Make = Callable[[Step], Measurement]


def make_plan(
    kinds: Sequence[str] = KINDS,
    probes: Sequence[str] = ("throughput", "pps", "latency"),
    rounds: int = 3,
    pairs: Sequence[Pair] = (Pair("ecs-01", "ecs-02"),),
    *,
    baseline: str = "host",
    zone: ZoneMode = ZoneMode.SAME,
    excluded: Mapping[Cell, str] | None = None,
    instance_type: str | None = TYPE,
    lab: bool = False,
) -> Plan:
    """Every cell on every pair, in plain order, but for the excluded ones."""
    excluded = excluded or {}
    nodes = list(dict.fromkeys(node for pair in pairs for node in (pair.source, pair.destination)))
    endpoints = tuple(
        PlannedEndpoint(
            f"{kind}-{node}" if kind != "host" else node,
            kind,
            node,
            NODES.get(node, "cn-hangzhou-b"),
            f"198.18.{kinds.index(kind)}.{nodes.index(node) + 1}",
            instance_type,
        )
        for kind in kinds
        for node in nodes
    )
    by_place = {(endpoint.kind, endpoint.node): endpoint for endpoint in endpoints}
    steps: list[Step] = []
    for number in range(1, rounds + 1):
        for probe in probes:
            for cell in (Cell(a, b) for a in kinds for b in kinds):
                for pair in pairs if cell not in excluded else ():
                    steps.append(_step(number, probe, cell, pair, len(steps) + 1, by_place))
    return Plan(
        zone,
        tuple(kinds),
        {probe: {} for probe in probes},
        rounds,
        42,
        len(pairs),
        endpoints,
        tuple(steps),
        tuple(Exclusion(cell, reason) for cell, reason in excluded.items()),
        baseline,
        lab,
    )


def _step(
    number: int, probe: str, cell: Cell, pair: Pair, wave: int, by_place: Mapping[tuple[str, str], PlannedEndpoint]
) -> Step:
    text, seconds, server = PROBES[probe]
    source, destination = by_place[cell.source, pair.source], by_place[cell.destination, pair.destination]
    client = tuple(word.replace("IP", destination.address) for word in text.split())
    if server is not None:
        server = replace(server, bind=("-B", destination.address))
    step_id = f"r{number:02}-{probe}-{wave:03}"
    return Step(step_id, wave, number, probe, cell, pair, source.name, destination.name, client, server, seconds)


def make_records(plan: Plan, make: Make, *, without: Iterable[str] = ()) -> list[StepRecord]:
    """A record that is ok for every step, but for those ``without``."""
    left_out = set(without)
    return [
        StepRecord(step.id, Outcome(), 1, "2026-11-23T02:38:18.000+00:00", step.seconds + 0.8, make(step))
        for step in plan.steps
        if step.id not in left_out
    ]


def failed(record: StepRecord, failure: FailureClass, reason: str) -> StepRecord:
    """The record as it would be had the step failed."""
    return replace(record, outcome=Outcome(failure, reason), measurement=Measurement(()))


def measurement(
    *samples: tuple[str, float, str],
    flags: Sequence[Flag] = (),
    facts: Mapping[str, str] | None = None,
    watched: bool = False,
) -> Measurement:
    found = tuple(Sample(*sample) for sample in samples)
    return Measurement(found, facts or {}, tuple(flags), watched=watched)


def constant(values: Mapping[Cell, Sequence[float]], metric: str = "throughput", unit: str = "bit/s") -> Make:
    """The cell's value of that round."""
    return lambda step: measurement((metric, values[step.cell][step.round - 1], unit))


def make_manifest(
    plan: Plan,
    *,
    facts: Callable[[PlannedEndpoint], Mapping[str, str]] = lambda endpoint: {},
    types: Mapping[str, InstanceType] | None = None,
    **changes: object,
) -> Manifest:
    manifest = Manifest(
        run=f"20261123T023818Z-{plan.zone.value}",
        netbench="0.1.0",
        created="2026-11-23T02:38:18+00:00",
        zone=plan.zone,
        inventory="fleet.yaml",
        lab=plan.lab,
        kubectl="v1.31.2",
        kubernetes="v1.30.4",
        environment=tuple(EndpointFacts(endpoint.name, facts(endpoint)) for endpoint in plan.endpoints),
        instance_types=types or {},
        command=("bench", "--inventory", "fleet.yaml", "--zone", plan.zone.value),
        finished="2026-11-23T03:37:02+00:00",
        status="complete",
    )
    return replace(manifest, **changes)  # type: ignore[arg-type]
