"""Runs of all shapes, made up by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from netbench.model import (
    Attestation,
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
    Verdict,
    ZoneMode,
)

text = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
facts = st.dictionaries(text, text, max_size=2)
argv = st.lists(text, max_size=3).map(tuple)


def some(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(strategy, max_size=2).map(tuple)


measurements = st.builds(
    Measurement,
    samples=some(st.builds(Sample, text, numbers, text)),
    facts=facts,
    flags=some(st.builds(Flag, text, text)),
)
records = st.builds(
    StepRecord,
    step=text,
    outcome=st.builds(Outcome, st.none() | st.sampled_from(FailureClass), text),
    attempt=st.integers(1, 9),
    started=text,
    seconds=numbers,
    measurement=measurements,
)
attestations = st.builds(Attestation, text, st.sampled_from(Verdict), some(text), text, some(text), facts)
instance_types = st.builds(
    InstanceType, text, st.none() | numbers, st.none() | numbers, st.none() | st.integers(1, 64), text
)
manifests = st.builds(
    Manifest,
    run=text,
    netbench=text,
    created=text,
    zone=st.sampled_from(ZoneMode),
    inventory=text,
    lab=st.booleans(),
    lab_notes=some(text),
    kubectl=st.none() | text,
    kubernetes=st.none() | text,
    environment=some(st.builds(EndpointFacts, text, facts)),
    attestations=some(attestations),
    instance_types=st.dictionaries(text, instance_types, max_size=2),
    command=argv,
    finished=st.none() | text,
    status=text,
)
cells = st.builds(Cell, text, text)
steps = st.builds(
    Step,
    id=text,
    wave=st.integers(1, 9),
    round=st.integers(1, 9),
    probe=text,
    cell=cells,
    pair=st.builds(Pair, text, text),
    source=text,
    destination=text,
    client=argv,
    server=st.none() | st.builds(ServerCommand, argv, st.integers(1, 65535), argv),
    seconds=numbers,
)
plans = st.builds(
    Plan,
    zone=st.sampled_from(ZoneMode),
    kinds=some(text),
    probes=st.dictionaries(
        text, st.dictionaries(text, st.none() | st.booleans() | st.integers() | numbers | text, max_size=3), max_size=2
    ),
    rounds=st.integers(1, 9),
    seed=st.integers(),
    pairs=st.integers(1, 9),
    endpoints=some(st.builds(PlannedEndpoint, text, text, text, text, text, st.none() | text)),
    steps=some(steps),
    exclusions=some(st.builds(Exclusion, cells, text)),
    baseline=text,
    lab=st.booleans(),
)

MANIFEST = Manifest("20261123T023818Z-same", "0.1.0", "2026-11-23T02:38:18+00:00", ZoneMode.SAME, "hosts.yaml")


def record(step: str, attempt: int = 1, value: float = 5.9e9) -> StepRecord:
    measurement = Measurement((Sample("throughput", value, "bit/s"),), {"iperf3": "3.12"}, (Flag("cpu-bound", "节点"),))
    return StepRecord(step, Outcome(), attempt, "2026-11-23T02:38:18.123+00:00", 46.1, measurement)


def plan(*ids: str) -> Plan:
    pair = Pair("a1", "a2")
    steps = (
        Step(name, 1, 1, "latency", Cell("host", "host"), pair, "a1", "a2", ("ping", "198.18.0.2"), None, 30.0)
        for name in ids
    )
    return Plan(ZoneMode.SAME, ("host",), {"latency": {"count": 30}}, 1, 0, 1, (), tuple(steps))
