"""Steps and runs over the strict fake transport, failing at every stage: what is recorded, and what is cleaned up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from netbench.errors import AuthError, ConnectionCutError, LockedError, RunDirError
from netbench.model import (
    Cell,
    Endpoint,
    Exclusion,
    FailureClass,
    Flag,
    LocalAccess,
    Measurement,
    Outcome,
    Pair,
    Plan,
    PlannedEndpoint,
    Sample,
    Step,
    StepRecord,
    ZoneMode,
)
from netbench.probes.throughput import Throughput
from netbench.run.events import Event, RunEnded, StepEnded, StepStarted
from netbench.run.lifecycle import Target
from netbench.run.retries import POLICY
from netbench.run.runner import Runner
from netbench.simulator.tools import server_text
from netbench.transports.fake import QUIET, FakeTransport, JobReply, UnlistedCommandError

SERVER = ("iperf3", "-s")
CLIENT = ("iperf3", "-c")
COOKIE = "rvpw2q7mzh4c5d6e7f8g9h1j2k3l4m5n6p7q"
SAID = server_text(COOKIE, "198.18.0.8", 4)
GOOD = json.dumps(
    {
        "start": {
            "version": "iperf 3.12",
            "cookie": COOKIE,
            "test_start": {"protocol": "TCP", "num_streams": 4, "duration": 1},
        },
        "intervals": [],
        "end": {
            "streams": [{}, {}, {}, {}],
            "sum_sent": {"seconds": 1.0, "bytes": 125_000_000, "bits_per_second": 1e9, "retransmits": 3},
            "sum_received": {"seconds": 1.0, "bytes": 125_000_000, "bits_per_second": 1e9},
            "cpu_utilization_percent": {"host_total": 10.0, "remote_total": 20.0},
            "sender_tcp_congestion": "cubic",
        },
    }
).encode()


@dataclass
class Journal:
    """Keeps everything in memory; can be full."""

    records: list[StepRecord] = field(default_factory=list)
    raw: dict[tuple[str, str], bytes] = field(default_factory=dict)
    full_after: int | None = None

    def append(self, record: StepRecord) -> None:
        if self.full_after is not None and len(self.records) >= self.full_after:
            raise RunDirError("the disk is full", "free some space")
        self.records.append(record)

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> None:
        self.raw[step_id, part] = data


@dataclass
class Seen:
    """An observer that remembers, and may act."""

    events: list[Event] = field(default_factory=list)
    act: Callable[[Event], None] = lambda event: None

    def on(self, event: Event) -> None:
        self.events.append(event)
        self.act(event)


@dataclass
class World:
    """Endpoints a (source) and b (destination) and what came of a run."""

    a: FakeTransport
    b: FakeTransport
    journal: Journal = field(default_factory=Journal)
    seen: Seen = field(default_factory=Seen)
    hold: Callable[[float], object] = lambda seconds: None
    probe: Any = Throughput(duration=1)  # noqa: RUF009 - frozen
    pauses: list[float] = field(default_factory=list)

    def run(
        self,
        plan: Plan | None = None,
        unusable: dict[str, Outcome] | None = None,
        marks: dict[str, tuple[Flag, ...]] | None = None,
    ) -> str:
        transports = {"a": self.a, "b": self.b}
        targets = {
            name: Target(Endpoint(name, "host", name, "198.18.0.9", LocalAccess()), transport, "/tmp")
            for name, transport in transports.items()
        }
        probes = {"throughput": self.probe}
        runner = Runner(
            plan or make_plan(),
            probes,
            targets,
            self.journal,
            self.seen,
            unusable=unusable,
            marks=marks,
            hold=self.hold,
            pause=self.pauses.append,
        )
        return runner.run(10.0)

    @property
    def left(self) -> int:
        return len(self.a.directories) + len(self.b.directories)


def world(client: JobReply | None = None, server: JobReply | None = None) -> World:
    return World(
        FakeTransport(jobs={CLIENT: client or JobReply(GOOD)}),
        FakeTransport(jobs={SERVER: server or JobReply(SAID, serves=True)}),
    )


def make_plan(steps: int = 1, waves: bool = True, exclusions: tuple[Exclusion, ...] = ()) -> Plan:
    probe = Throughput(duration=1)
    made = tuple(
        Step(
            f"s{n}", n + 1 if waves else 1, n + 1, "throughput", Cell("host", "host"), Pair("a", "b"), "a", "b",
            probe.client("198.18.0.9"), probe.server("198.18.0.9"), 1.0,
        )
        for n in range(steps)
    )  # fmt: skip
    endpoints = tuple(PlannedEndpoint(name, "host", name, "z", "198.18.0.9") for name in "ab")
    return Plan(ZoneMode.SAME, ("host",), {"throughput": {}}, steps, 0, 1, endpoints, made, exclusions)


def test_leases_are_renewed_before_each_wave_and_a_lost_one_ends_the_run() -> None:
    w = world()
    asked: list[tuple[float, int]] = []

    def hold(seconds: float) -> None:
        asked.append((seconds, w.left))
        if len(asked) == 3:
            raise LockedError("another run uses b")

    w.hold = hold
    with pytest.raises(LockedError):
        w.run(make_plan(4))
    assert asked == [(1.0, 0)] * 3  # while nothing is measured
    assert [record.step for record in w.journal.records] == ["s0", "s1"]
    assert w.left == 0


def test_a_good_step() -> None:
    w = world()
    assert w.run() == "complete"
    (record,) = w.journal.records
    assert record.outcome.ok
    assert record.measurement.samples[0] == Sample("throughput", 1e9, "bit/s")
    assert w.journal.raw["s0", "client.out"] == GOOD
    assert w.journal.raw["s0", "server.out"] == SAID
    assert w.journal.raw["s0", "client.host"] == w.journal.raw["s0", "server.host"] == QUIET
    assert record.measurement.watched
    assert record.measurement.flags == ()
    assert w.left == 0
    assert w.b.commands == [("iperf3", "-s", "-i", "1", "-p", "16000", "-V")]
    assert [type(event).__name__ for event in w.seen.events] == ["RunStarted", "StepStarted", "StepEnded", "RunEnded"]


BUSY = QUIET.replace(b"cpu1 500 0 500 9100", b"cpu1 600 0 500 9000")


@pytest.mark.parametrize(
    ("client", "server", "said"),
    [
        (BUSY, QUIET, {"cpu-one-core": "cpu1 of the source"}),
        (QUIET, BUSY, {"cpu-one-core": "cpu1 of the destination"}),
        (QUIET, b"", {"host-unseen": "the destination"}),
    ],
)
def test_what_the_machines_tell_becomes_flags(client: bytes, server: bytes, said: dict[str, str]) -> None:
    w = world(JobReply(GOOD, host=client), JobReply(SAID, serves=True, host=server))
    assert w.run() == "complete"
    (record,) = w.journal.records
    assert record.outcome.ok
    flags = {flag.code: flag.detail for flag in record.measurement.flags}
    assert flags.keys() == said.keys()
    assert all(part in flags[code] for code, part in said.items())
    assert record.measurement.watched is bool(client and server)


CUT = ConnectionCutError("the link broke")
FAILURES = {
    "server unreachable": (None, JobReply(start_error=AuthError("no key")), FailureClass.AUTH),
    "port taken": (
        None,
        JobReply(stderr=b"iperf3: error - unable to start listener: Address already in use\n", status="1"),
        FailureClass.PORT_TAKEN,
    ),
    "no iperf3 on the destination": (
        None,
        JobReply(stderr=b"setsid: failed to execute iperf3: No such file\n", status="127"),
        FailureClass.TOOL_MISSING,
    ),
    "server ends": (None, JobReply(stderr=b"odd\n", status="1"), FailureClass.TOOL_FAILED),
    "client unreachable": (JobReply(start_error=AuthError("no key")), None, FailureClass.AUTH),
    "no iperf3 on the source": (JobReply(stderr=b"not found", status="127"), None, FailureClass.TOOL_MISSING),
    "client overdue": (JobReply(status="overdue"), None, FailureClass.TIMEOUT),
    "client says busy": (JobReply(b'{"error": "the server is busy running a test. try again later"}'), None,
                         FailureClass.BUSY),
    "client says nothing": (JobReply(b""), None, FailureClass.PARSE),
    "client is cut and its result is lost": (JobReply(cut=True, fetch_error=AuthError("revoked")), None,
                                             FailureClass.AUTH),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_an_outcome_and_nothing_stays(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netbench.run.jobs.GRACE", 1.0)
    monkeypatch.setattr("netbench.run.lifecycle.GRACE", 1.0)
    client, server, failure = FAILURES[case]
    w = world(client, server)
    assert w.run() == "partial"
    record = w.journal.records[-1]
    assert [kept.attempt for kept in w.journal.records] == [1, 2, 3][
        : POLICY[failure].attempts if failure in POLICY else 1
    ]
    assert record.outcome.failure is failure, record.outcome.reason
    assert record.outcome.reason
    assert record.measurement.samples == ()
    assert w.left == 0


def test_a_cut_client_still_gives_its_sample() -> None:
    w = world(JobReply(GOOD, cut=True))
    assert w.run() == "complete"
    assert w.journal.records[0].measurement.samples[0].value == 1e9
    assert w.left == 0


def test_a_stop_that_fails_is_flagged_and_the_sample_kept() -> None:
    w = world(JobReply(GOOD, stop_error=CUT))
    assert w.run() == "complete"
    (record,) = w.journal.records
    assert record.outcome.ok
    assert [flag.code for flag in record.measurement.flags] == ["not-cleaned"]


def test_a_cut_server_hands_over_its_log_when_it_is_stopped() -> None:
    w = world(JobReply(GOOD), server=JobReply(SAID, serves=True, cut=True))
    assert w.run() == "complete"
    (record,) = w.journal.records
    assert record.measurement.samples[0].value == 1e9
    assert record.measurement.flags == ()
    assert w.journal.raw["s0", "server.out"] == SAID
    assert w.left == 0


def test_a_server_whose_log_is_lost_proves_nothing() -> None:
    """Nothing is left to be cleaned, and nothing tells whom it served."""
    w = world(JobReply(GOOD), server=JobReply(SAID, serves=True, cut=True, fetch_error=CUT))
    assert w.run() == "partial"
    (record,) = w.journal.records
    assert record.outcome.failure is FailureClass.INVALID_RESULT
    assert "server output lost: cannot prove" in record.outcome.reason
    assert record.measurement.samples == record.measurement.flags == ()
    assert w.left == 0


class Unproven:
    """A probe that asks nothing of its server's output."""

    name = "throughput"
    parse = Throughput(duration=1).parse


def test_a_probe_that_proves_nothing_of_its_server_keeps_its_sample_without_the_log() -> None:
    w = world(JobReply(GOOD), server=JobReply(SAID, serves=True, cut=True, fetch_error=CUT))
    w.probe = Unproven()
    assert w.run() == "complete"
    (record,) = w.journal.records
    assert record.outcome.ok
    assert [flag.code for flag in record.measurement.flags] == ["server-log-lost", "host-unseen"][::-1]


STRANGERS = {
    "another test before": server_text("x" * 36, "198.18.0.66", 1) + SAID,
    "another test after": SAID + server_text("x" * 36, "198.18.0.66", 1),
    "a stream of a stranger": SAID.replace(b"to 198.18.0.8 port 50003", b"to 198.18.0.66 port 50003"),
    "another server answered": b"Server listening on 16000\n",
    "nothing said": b"",
}


@pytest.mark.parametrize("case", STRANGERS)
def test_what_the_server_does_not_prove_is_invalid_and_kept_raw(case: str) -> None:
    w = world(server=JobReply(STRANGERS[case], serves=True))
    assert w.run() == "partial"
    (record,) = w.journal.records
    assert record.outcome.failure is FailureClass.INVALID_RESULT
    assert "cannot prove" in record.outcome.reason
    assert record.measurement.samples == ()
    assert w.journal.raw["s0", "client.out"] == GOOD
    assert w.journal.raw["s0", "server.out"] == STRANGERS[case]
    assert w.left == 0


def test_more_output_than_a_probe_can_have_is_an_outcome_of_its_own() -> None:
    w = world(JobReply(GOOD + b" " * 300_000))
    assert w.run() == "partial"
    (record,) = w.journal.records
    assert record.outcome.failure is FailureClass.OUTPUT_LIMIT
    assert w.left == 0


def test_a_fault_in_a_probe_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(self: Throughput, client: object) -> Measurement:
        raise KeyError("surprise")

    monkeypatch.setattr(Throughput, "parse", parse)
    w = world()
    assert w.run() == "partial"
    assert w.journal.records[0].outcome == Outcome(FailureClass.INTERNAL, "KeyError: 'surprise'")
    assert w.left == 0


def test_steps_of_an_unusable_endpoint_fail_with_its_reason() -> None:
    w = world()
    reason = Outcome(FailureClass.UNREACHABLE, "preflight: no route")
    assert w.run(make_plan(2), unusable={"b": reason}) == "partial"
    assert [record.outcome for record in w.journal.records] == [reason, reason]
    assert w.a.commands == []


def test_what_is_measured_at_a_marked_endpoint_carries_its_flags() -> None:
    w = world()
    flag = Flag("mislabelled", "b is not what its label says")
    assert w.run(marks={"b": (flag,)}) == "complete"
    (record,) = w.journal.records
    assert record.measurement.samples
    assert flag in record.measurement.flags


def test_excluded_cells_make_a_run_partial() -> None:
    w = world()
    assert w.run(make_plan(exclusions=(Exclusion(Cell("x", "host"), "why"),))) == "partial"


def test_an_interrupt_ends_the_step_cleanly_and_keeps_what_was_done() -> None:
    w = world()
    begun = threading.Event()

    def interrupt(event: Event) -> None:
        if isinstance(event, StepEnded) and len(w.journal.records) == 2:
            begun.set()
            raise KeyboardInterrupt

    w.seen.act = interrupt
    assert w.run(make_plan(4)) == "interrupted"
    assert begun.is_set()
    assert [record.outcome.ok for record in w.journal.records] == [True, True]
    assert isinstance(w.seen.events[-1], RunEnded)
    assert w.left == 0


def test_an_interrupt_while_a_step_is_being_started_lets_nothing_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is there, but nobody was told of it: what an interrupt inside of ``submit`` leaves."""
    strays: list[threading.Thread] = []

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *call: Any) -> Any:
            strays.append(threading.Thread(target=call[0], args=call[1:]))
            strays[0].start()
            raise KeyboardInterrupt

    monkeypatch.setattr("netbench.run.runner.ThreadPoolExecutor", Interrupted)
    w = world()
    assert w.run() == "interrupted"
    strays[0].join(10)
    assert not strays[0].is_alive()
    assert not [event for event in w.seen.events if isinstance(event, StepStarted)]
    assert [record.outcome.failure for record in w.journal.records] == [FailureClass.CANCELLED]
    assert w.left == 0


def test_a_full_disk_ends_the_run_and_cleans_up() -> None:
    w = world()
    w.journal.full_after = 1
    with pytest.raises(RunDirError, match="full"):
        w.run(make_plan(3))
    assert len(w.journal.records) == 1
    assert w.left == 0


def test_waves_run_in_order() -> None:
    w = world()
    w.run(make_plan(3))
    assert [event.step.id for event in w.seen.events if isinstance(event, StepStarted)] == ["s0", "s1", "s2"]


def test_the_fake_is_strict() -> None:
    from netbench.model import Command

    with pytest.raises(UnlistedCommandError, match="uname"):
        FakeTransport().run(Command(("uname",)))
