"""What came out: samples, outcomes, records, and what a run was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from netbench.model.attestation import Attestation
from netbench.model.fleet import InstanceType
from netbench.model.work import ZoneMode


class FailureClass(str, Enum):
    """Why a step, a check or a connection failed. Every failure has exactly one of these."""

    UNREACHABLE = "unreachable"
    AUTH = "auth"
    HOST_KEY = "host-key"
    TOOL_MISSING = "tool-missing"
    NOT_READY = "not-ready"
    PERMISSION = "permission"
    PORT_TAKEN = "port-taken"
    REFUSED = "refused"
    BUSY = "busy"
    TIMEOUT = "timeout"
    CONNECTION_CUT = "connection-cut"
    TOOL_FAILED = "tool-failed"
    LOGIN_SHELL = "login-shell"
    PARSE = "parse"
    OUTPUT_LIMIT = "output-limit"
    INVALID_RESULT = "invalid-result"
    VERSION_MISMATCH = "version-mismatch"
    MISLABELLED = "mislabelled"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class Better(str, Enum):
    """Which way a metric improves; NEITHER for what only explains others."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True)
class Metric:
    """What a probe can yield."""

    name: str  # unique in its probe: "throughput", "pps_received", "loss", ...; key by (probe, metric)
    unit: str  # "bit/s", "packets/s", "s", "1" (a fraction or a plain number)
    better: Better = Better.NEITHER


@dataclass(frozen=True)
class Sample:
    """One number with its unit from one step."""

    metric: str
    value: float
    unit: str


@dataclass(frozen=True)
class Flag:
    """Something a reader must know about a sample; it is shown, and nothing is dropped for it."""

    code: str  # "generator-ceiling", "cpu-bound", ...
    detail: str


@dataclass(frozen=True)
class Moved:
    """What a step itself put on the wire, as far as its probe knows, to be held against what the NICs counted.

    Bytes include the headers that a NIC counts (Ethernet, IP, TCP or UDP), at most: a NIC that splits packets itself
    may have counted fewer.
    """

    forth: float  # bytes from source to destination, at most
    arrived: float  # bytes of payload that came through, so that both NICs saw them
    back: float = 0.0  # bytes from destination to source (acknowledgements, answers), at most
    packets: float | None = None  # from source to destination; None where it is not known how packets were cut


@dataclass(frozen=True)
class Measurement:
    """What a probe read out of a step's raw output."""

    samples: tuple[Sample, ...]
    facts: Mapping[str, str] = field(default_factory=dict)  # e.g. iperf3 version, congestion control
    flags: tuple[Flag, ...] = ()
    moved: Moved | None = None  # None where the probe cannot tell
    watched: bool = False  # whether every end that ran something told what else it did meanwhile


@dataclass(frozen=True)
class Outcome:
    """How a step ended: ok, or failed with a class and a reason."""

    failure: FailureClass | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        return self.failure is None


@dataclass(frozen=True)
class StepRecord:
    """One attempt at one step, as the journal keeps it."""

    step: str  # Step.id
    outcome: Outcome
    attempt: int = 1
    started: str = ""  # UTC, ISO 8601
    seconds: float = 0.0  # wall time of the whole step
    measurement: Measurement = Measurement(samples=())
    session: int = 1  # in which session of the run: 1 until it is resumed


@dataclass(frozen=True)
class EndpointFacts:
    """The environment of one endpoint as found before measuring."""

    endpoint: str
    facts: Mapping[str, str]  # "kernel", "iperf3", "cpu", "nic_driver", "mtu", "queues", "congestion_control", ...


@dataclass(frozen=True)
class Session:
    """A run that was resumed: from one ``bench --resume`` to its end or death."""

    number: int  # from 2; the first session is what the manifest itself tells
    started: str  # UTC, ISO 8601
    netbench: str  # version
    environment: tuple[EndpointFacts, ...] = ()
    changes: tuple[str, ...] = ()  # what differs from the environment before, for people; the user allowed it
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What a run is: who, when, with what, in which environment, and how it ended."""

    run: str  # name of the run directory
    netbench: str  # version
    created: str  # UTC, ISO 8601
    zone: ZoneMode
    inventory: str
    lab: bool = False
    lab_notes: tuple[str, ...] = ()  # what the test bed does not emulate
    kubectl: str | None = None
    kubernetes: str | None = None
    environment: tuple[EndpointFacts, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)
    command: tuple[str, ...] = ()  # the arguments of the run, for the report
    finished: str | None = None
    status: str = "running"  # running, complete, partial, interrupted
    sessions: tuple[Session, ...] = ()  # those after the first
    token: str = ""  # of its leases and of its jobs' directories: what it left on endpoints is known by it

    @property
    def session(self) -> int:
        """The number of the last session."""
        return 1 + len(self.sessions)
