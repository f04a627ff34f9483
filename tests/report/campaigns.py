"""The runs whose reports are kept as golden files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random

from netbench.analyse import OtherZone, aggregate
from netbench.model import (
    Attestation,
    Cell,
    FailureClass,
    Flag,
    InstanceType,
    Manifest,
    Measurement,
    Pair,
    Plan,
    PlannedEndpoint,
    Precision,
    Sample,
    Session,
    Step,
    StepRecord,
    Verdict,
    ZoneMode,
)
from tests.analyse.runs import TYPE, failed, make_manifest, make_plan, make_records, measurement

# What a kind costs on its way in and out, as factors on the baseline's numbers; unknown kinds cost nothing.
INTO = {"terway-eni": 0.97, "terway": 0.81}
OUT_OF = {"terway-eni": 0.99, "terway": 0.9}
TYPES = {TYPE: InstanceType(TYPE, 6e9, 2.5e6, 8, "the reference report; the vendor's table")}


@dataclass(frozen=True)
class Campaign:
    """What a run directory holds."""

    manifest: Manifest
    plan: Plan
    records: Sequence[StepRecord]
    other: OtherZone | None = None


#: What the machines told besides, in one cell of each probe.
TOLD = {
    ("pps", Cell("host", "host")): Flag("cpu-bound", "the sender kept 0.99 of the one core busy"),
    ("pps", Cell("terway", "terway-eni")): Flag("sender-limited", "99.90% of 470000 packets/s arrived"),
    ("throughput", Cell("terway", "terway")): Flag("other-traffic", "into the destination went 900 Mbit/s"),
}


def simulate(seed: int = 1, bandwidth: float = 6e9, *, watched: bool = True) -> Callable[[Step], Measurement]:
    """Numbers as a fleet might give them: a line that is full, and packet rates and times that depend on the kinds."""
    random = Random(seed)  # noqa: S311 - nothing is secret here

    def make(step: Step) -> Measurement:
        cost = INTO.get(step.cell.destination, 1) * OUT_OF.get(step.cell.source, 1)
        noise = random.gauss(1, 0.012)
        told = [TOLD[step.probe, step.cell]] if watched and (step.probe, step.cell) in TOLD else []
        if step.probe == "throughput":
            rate = min(bandwidth * 0.949 * random.gauss(1, 0.002), bandwidth * 1.06 * cost * noise)
            return measurement(
                ("throughput", rate, "bit/s"),
                ("retransmits", float(random.randint(100, 900)), "1"),
                ("sender_cpu", 0.45 / cost * noise, "1"),
                ("receiver_cpu", 0.71 / cost * noise, "1"),
                flags=told,
                watched=watched,
            )
        if step.probe == "pps":
            sent = 512e3 * OUT_OF.get(step.cell.source, 1) * noise
            received = sent * INTO.get(step.cell.destination, 1)
            return measurement(
                ("pps_received", received, "packets/s"),
                ("pps_sent", sent, "packets/s"),
                ("loss", 1 - received / sent, "1"),
                ("jitter", 3.1e-6 * noise, "s"),
                flags=told,
                watched=watched,
            )
        if step.probe == "latency":
            average = 1.4e-4 / cost * noise
            return measurement(
                ("latency_avg", average, "s"),
                ("latency_min", average * 0.8, "s"),
                ("latency_max", average * 2.1, "s"),
                ("latency_mdev", average * 0.15, "s"),
                ("loss", 0.0, "1"),
                watched=watched,
            )
        return measurement(("requests", 41e3 * cost * noise, "requests/s"), ("errors", 0.0, "1"))

    return make


def facts(endpoint: PlannedEndpoint) -> Mapping[str, str]:
    pod = {"nic_driver": "veth", "mtu": "1500", "queues": "1", "os": "Debian GNU/Linux 12 (bookworm)"}
    host = {"nic_driver": "virtio_net", "mtu": "1500", "queues": "4", "os": "Alibaba Cloud Linux 3"}
    return {
        "kernel": "5.10.134-16.al8.x86_64",
        "iperf3": "3.12",
        "ping": "ping from iputils 20221126",
        "cpu": "Intel(R) Xeon(R) Platinum 8163 CPU @ 2.50GHz",
        "cpus": "32",
        "nic": "eth0",
        "congestion_control": "cubic",
        "arch": "x86_64",
        **(host if endpoint.kind == "host" else pod),
    }


def full() -> Campaign:
    plan = make_plan()
    return Campaign(make_manifest(plan, facts=facts, types=TYPES), plan, make_records(plan, simulate()))


def partial() -> Campaign:
    """Across zones, two pairs: exclusions, cells that lost some or all steps, a retried step, unlike versions."""
    excluded = {Cell("terway-eni", "terway-eni"): "terway-eni runs in cn-hangzhou-b only; a flow must cross zones"}
    pairs = (Pair("ecs-01", "ecs-11"), Pair("ecs-02", "ecs-12"))
    plan = make_plan(pairs=pairs, zone=ZoneMode.CROSS, excluded=excluded)
    endpoints = tuple(replace(e, zone="cn-hangzhou-g") if e.node in ("ecs-11", "ecs-12") else e for e in plan.endpoints)
    plan = replace(plan, endpoints=endpoints, precision=Precision(0.001, 3))
    records = []
    for step, record in zip(plan.steps, make_records(plan, simulate(2)), strict=True):
        if step.probe == "latency" and step.cell.destination == "terway":
            record = failed(record, FailureClass.UNREACHABLE, "ping: none of 30 packets was answered; check the path")
        elif step.probe == "throughput" and step.cell == Cell("host", "terway") and step.round == 2:
            reason = "iperf3: unable to connect to server: Connection refused; see whether the server runs"
            record = failed(record, FailureClass.REFUSED, reason)
        elif step.id == plan.steps[0].id:
            records.append(failed(record, FailureClass.CONNECTION_CUT, "the link broke"))
            record = replace(record, attempt=2)
        records.append(record)

    def versions(endpoint: PlannedEndpoint) -> Mapping[str, str]:
        return {**facts(endpoint), "iperf3": "3.16" if endpoint.kind == "terway" else "3.12"}

    manifest = make_manifest(plan, facts=versions, types=TYPES, status="partial")
    return Campaign(manifest, plan, records)


def cross() -> Campaign:
    """Across zones, beside a run within one: one path is slower, one kind is not, and what is full stays full."""
    plan = make_plan(pairs=(Pair("ecs-01", "ecs-11"),), probes=("throughput", "latency"), zone=ZoneMode.CROSS, rounds=5)
    endpoints = tuple(replace(e, zone="cn-hangzhou-g") if e.node == "ecs-11" else e for e in plan.endpoints)
    plan = replace(plan, endpoints=endpoints, precision=Precision(0.05, 30))
    change = {"host": 0.5, "terway-eni": 1.0, "terway": 1.1}
    random = Random(11)  # noqa: S311 - nothing is secret here

    def make(step: Step) -> Measurement:
        if step.probe == "latency":
            return measurement(("latency_avg", 9e-4 * random.gauss(1, 0.01), "s"))
        return measurement(("throughput", 5e9 * change[step.cell.destination] * random.gauss(1, 0.01), "bit/s"))

    same = make_plan(probes=("throughput", "latency"))

    def within(step: Step) -> Measurement:
        name, unit, value = ("latency_avg", "s", 1e-4) if step.probe == "latency" else ("throughput", "bit/s", 5e9)
        return measurement((name, value * random.gauss(1, 0.01), unit))

    other = OtherZone("20261122T023818Z-same", ZoneMode.SAME, aggregate(same, make_records(same, within)))
    return Campaign(make_manifest(plan, facts=facts, types=TYPES), plan, make_records(plan, make), other)


def single() -> Campaign:
    """A round of a type that passes few packets, and machines that tell nothing of themselves."""
    plan = make_plan(rounds=1)
    types = {TYPE: replace(TYPES[TYPE], pps=5.2e5)}
    across = replace(make_plan(rounds=1), zone=ZoneMode.CROSS)
    other = OtherZone("20261122T023818Z-cross", ZoneMode.CROSS, aggregate(across, make_records(across, simulate(4))))
    records = make_records(plan, simulate(3, watched=False))
    return Campaign(make_manifest(plan, facts=facts, types=types), plan, records, other)


def interrupted() -> Campaign:
    """Stopped in the second round, before any ping; no instance types, no facts, no end."""
    plan = make_plan(kinds=("host", "terway"), instance_type=None)
    last = [step.id for step in plan.steps if step.round > 1 or step.probe == "latency"]
    manifest = make_manifest(plan, status="interrupted", kubectl=None, kubernetes=None, finished=None)
    session = Session(2, "2026-11-23T04:00:00+00:00", "1.0", changes=("ecs-11: kernel was 5.10, is 6.1",))
    manifest = replace(manifest, sessions=(session,))
    return Campaign(manifest, plan, make_records(plan, simulate(4), without=last[2:]))


def lab() -> Campaign:
    plan = make_plan(instance_type="lab.2g", lab=True)
    types = {"lab.2g": InstanceType("lab.2g", 2e9, None, 1, "the lab's own shaping")}
    notes = ("network delay: this kernel has no netem", "terway's own data path: pods hang on veth pairs")
    manifest = make_manifest(plan, facts=facts, types=types, lab_notes=notes)
    manifest = replace(manifest, attestations=tuple(map(attested, plan.endpoints, cycle(Verdict))))
    return Campaign(manifest, plan, make_records(plan, simulate(5, 2e9)))


def attested(endpoint: PlannedEndpoint, verdict: Verdict) -> Attestation:
    """A verdict with reasons where it needs some; only some of the evidence is known."""
    known = {
        "interface": "eth0@if5",
        "link type": "veth",
        "address": f"{endpoint.address}/32",
        "prefix": "/32",
        "mtu": "1500",
    }
    reasons = {
        Verdict.MISLABELLED: ("the default route is that of a shared datapath (gateway: 169.254.1.1)",),
        Verdict.NOT_PROVEN: ("gateway: not known",),
    }
    marks = ("traffic into it is shaped by annotation (annotation kubernetes.io/ingress-bandwidth: 1G)",)
    return Attestation(
        endpoint.name,
        verdict,
        reasons.get(verdict, ()),
        "" if verdict is Verdict.NOT_ATTESTED else "a link into another namespace",
        marks if verdict is Verdict.PROVEN else (),
        known,
    )


def plugin() -> Campaign:
    """A probe that nobody here has heard of, and no baseline among the kinds."""
    plan = make_plan(kinds=("cilium", "flannel"), probes=("http",), baseline="")
    return Campaign(make_manifest(plan, facts=facts), plan, make_records(plan, simulate(6)))


def odd() -> Campaign:
    """Not yet finished, unlike nodes on unlike pairs, limits that do not fit, and a probe without any result."""
    pairs = (Pair("ecs-01", "ecs-02"), Pair("ecs-03", "ecs-04"))
    whole = make_plan(kinds=("host", "terway"), pairs=pairs)
    steps = [step for step in whole.steps if not (step.cell == Cell("host", "terway") and step.pair == pairs[1])]
    small = {"ecs-02": "ecs.small", "ecs-04": "ecs.small"}
    endpoints = [replace(e, instance_type=small.get(e.node, e.instance_type)) for e in whole.endpoints]
    plan = replace(whole, steps=tuple(steps), endpoints=tuple(endpoints), precision=Precision(0.02, 30, 600))
    types = {**TYPES, "ecs.small": InstanceType("ecs.small", 2e9, 1e5)}
    records = []
    for step, record in zip(plan.steps, make_records(plan, simulate(8)), strict=True):
        if step.probe == "latency":
            record = failed(record, FailureClass.TOOL_MISSING, "ping could not be started: not found; install ping")
        elif step.cell == Cell("terway", "terway") and step.probe == "throughput":
            samples = (Sample("throughput", 1.2e9, "bit/s"), Sample("retransmits", 5e4 + step.round, "1"))
            record = replace(record, measurement=Measurement(samples))
        elif step.cell == Cell("host", "host") and step.probe == "throughput":
            record = replace(record, measurement=Measurement((Sample("throughput", 1.1e9 + step.round, "bit/s"),)))
        elif step.probe == "pps":  # drifts
            samples = tuple(replace(s, value=s.value * (1 + step.round / 4)) for s in record.measurement.samples)
            record = replace(record, measurement=replace(record.measurement, samples=samples))
        records.append(record)
    manifest = make_manifest(plan, types=types, status="running", finished="2026-11-23T05:38:18+00:00")
    return Campaign(manifest, plan, records)


HOSTILE = "a|b`c`<script>alert(1)</script>\x1b[31m\n# x *y* [l](http://198.18.0.1) {kind}\u202e&amp;$1$ ~~z~~ @all"


def hostile() -> Campaign:
    """Names, reasons and facts that try to be markup, terminal sequences, placeholders."""
    plan = make_plan(kinds=("host", HOSTILE), probes=("throughput",), excluded={Cell(HOSTILE, HOSTILE): HOSTILE})
    records = []
    for step, record in zip(plan.steps, make_records(plan, simulate(7)), strict=True):
        if step.cell.source == HOSTILE and step.round == 1:
            record = failed(record, FailureClass.TOOL_FAILED, HOSTILE)
        elif step.cell.destination == HOSTILE:
            flags = (Flag(HOSTILE, HOSTILE),)
            record = replace(record, measurement=replace(record.measurement, flags=flags))
        records.append(record)

    def hostile_facts(endpoint: PlannedEndpoint) -> Mapping[str, str]:
        return {**facts(endpoint), "kernel": HOSTILE, "iperf3": f"{endpoint.node}{HOSTILE}", HOSTILE: HOSTILE}

    manifest = make_manifest(
        plan, facts=hostile_facts, types=TYPES, status="partial", command=("bench", "--kinds", "```\n" + HOSTILE)
    )
    refuted = Attestation(HOSTILE, Verdict.MISLABELLED, (HOSTILE,), HOSTILE, (HOSTILE,), {"interface": HOSTILE})
    return Campaign(replace(manifest, attestations=(refuted,)), plan, records)


CAMPAIGNS: Mapping[str, Callable[[], Campaign]] = {
    made.__name__: made for made in (full, partial, cross, single, interrupted, lab, plugin, odd, hostile)
}
