"""The words of netbench as frozen data: what is measured, where, in which order, and how it ended.

Units are SI base units everywhere: bit/s, packets/s, seconds, fractions (0..1). Formatting happens in ``report/`` only.
Nothing in here imports anything of netbench, opens anything or knows the name of a kind, a probe or a transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar


class ZoneMode(str, Enum):
    """Which pairs of nodes a run is made of: both ends in one zone, or each end in another."""

    SAME = "same"
    CROSS = "cross"


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
    PARSE = "parse"
    INVALID_RESULT = "invalid-result"
    VERSION_MISMATCH = "version-mismatch"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


# --- what there is -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """How commands get to an endpoint; ``transport`` names the entry point of the transport that knows how."""

    transport: ClassVar[str] = ""


@dataclass(frozen=True)
class SshAccess(Access):
    """Log in over SSH. What is None is left to the user's ssh_config, ssh-agent and defaults."""

    transport: ClassVar[str] = "ssh"

    host: str  # name or address as ssh would take it; ssh_config aliases work
    port: int | None = None
    user: str | None = None
    key_file: str | None = None
    proxy_jump: str | None = None  # "user@bastion:22", as in ssh -J
    known_hosts: str | None = None  # a file that is used besides the user's own known_hosts


@dataclass(frozen=True)
class LocalAccess(Access):
    """The machine netbench runs on."""

    transport: ClassVar[str] = "local"


@dataclass(frozen=True)
class Cluster:
    """How kubectl reaches one cluster, and where kubectl runs."""

    kubeconfig: str | None = None
    context: str | None = None
    kubectl: str = "kubectl"  # the program, a name or a path
    control: Access = LocalAccess()  # the machine kubectl runs on

    def argv(self, *args: str) -> tuple[str, ...]:
        """The kubectl command line for this cluster, with these arguments."""
        options = []
        if self.kubeconfig:
            options.append(f"--kubeconfig={self.kubeconfig}")
        if self.context:
            options.append(f"--context={self.context}")
        return (self.kubectl, *options, *args)


@dataclass(frozen=True)
class PodAccess(Access):
    """Execute in one container of a pod with kubectl."""

    transport: ClassVar[str] = "kubectl"

    cluster: Cluster
    namespace: str
    pod: str
    container: str


@dataclass(frozen=True)
class InstanceType:
    """Limits of a kind of machine, as its vendor or a measurement states them. None: not known."""

    name: str
    bandwidth: float | None = None  # bit/s
    pps: float | None = None  # packets/s
    queues: int | None = None
    source: str = ""  # who says so


@dataclass(frozen=True)
class Node:
    """A machine with a NIC. Two tests never share one at the same time."""

    name: str
    zone: str
    instance_type: str | None = None
    addresses: tuple[str, ...] = ()  # every address it is known by; pods are matched to it by name or by any of these
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """Where commands run and traffic ends: a host or a pod, on one node."""

    name: str  # unique in an inventory
    kind: str
    node: str  # Node.name
    address: str  # data-plane IP address or name that others send to
    access: Access
    labels: Mapping[str, str] = field(default_factory=dict)
    not_ready: str | None = None  # why it cannot be used now (a pod that is not Ready), else None


@dataclass(frozen=True)
class PodSource:
    """Where pods are found: a selector in a namespace of a cluster."""

    name: str  # for messages: the inventory group or host that declares it
    cluster: Cluster
    namespace: str
    selector: str
    kind_label: str = "netbench/kind"
    container: str | None = None  # None: the pod's first container
    host_network_kind: str | None = None  # a kind that hostNetwork pods stand for when they have no kind label


@dataclass(frozen=True)
class Inventory:
    """What an inventory file says, before pods are discovered."""

    source: str  # path(s) it was read from
    nodes: tuple[Node, ...]
    endpoints: tuple[Endpoint, ...]
    pod_sources: tuple[PodSource, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)  # netbench_* variables of all, without the prefix
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)

    def node(self, name: str) -> Node:
        """The node of that name; KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


# --- what is to be done ------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Cell:
    """Source kind -> destination kind."""

    source: str
    destination: str

    def __str__(self) -> str:
        return f"{self.source}->{self.destination}"


@dataclass(frozen=True, order=True)
class Pair:
    """Source node -> destination node, never the same one."""

    source: str
    destination: str

    def __str__(self) -> str:
        return f"{self.source}->{self.destination}"


@dataclass(frozen=True)
class ServerCommand:
    """A server a step needs: it is ready as soon as it listens on its TCP port itself."""

    argv: tuple[str, ...]
    port: int


@dataclass(frozen=True)
class Step:
    """One probe, one cell, one pair, one round."""

    id: str  # unique in its plan, fit for a file name
    wave: int  # steps of one wave share no node and may run at the same time; waves run in order from 1
    round: int  # from 1
    probe: str
    cell: Cell
    pair: Pair
    source: str  # Endpoint.name
    destination: str  # Endpoint.name
    client: tuple[str, ...]  # exact argv run on the source
    server: ServerCommand | None  # run on the destination before the client
    seconds: float  # how long the client is expected to take


@dataclass(frozen=True)
class Exclusion:
    """A cell that cannot be measured, and why."""

    cell: Cell
    reason: str


@dataclass(frozen=True)
class PlannedEndpoint:
    """The part of an endpoint a plan and a report need: no way to reach it, no secrets."""

    name: str
    kind: str
    node: str
    zone: str
    address: str
    instance_type: str | None = None


@dataclass(frozen=True)
class Plan:
    """All steps in order, as pure data."""

    zone: ZoneMode
    kinds: tuple[str, ...]
    probes: Mapping[str, Mapping[str, object]]  # probe name -> the options it runs with
    rounds: int
    seed: int
    pairs: int
    endpoints: tuple[PlannedEndpoint, ...]
    steps: tuple[Step, ...]
    exclusions: tuple[Exclusion, ...] = ()
    baseline: str = ""  # the kind others are compared with; the empty string where it is not among ``kinds``
    lab: bool = False  # made on the test bed
    notes: tuple[str, ...] = ()  # what makes cells less comparable than they could be, for people

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the matrix, excluded ones too, in the order of ``kinds``."""
        return tuple(Cell(a, b) for a in self.kinds for b in self.kinds)


# --- commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """What a transport runs: an argv, never a shell line.

    ``deadline`` is how long the caller waits, in seconds. ``secrets`` are strings that must not show in any message.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 30.0
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completed:
    """How a command ended. A non-zero exit code is data; a lost link raises instead."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """stdout as text; bytes that are not UTF-8 become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """stderr as text, stripped."""
        return self.stderr.decode("utf-8", "replace").strip()


# --- what came out -----------------------------------------------------------------------------------------------


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
class Measurement:
    """What a probe read out of a step's raw output."""

    samples: tuple[Sample, ...]
    facts: Mapping[str, str] = field(default_factory=dict)  # e.g. iperf3 version, congestion control
    flags: tuple[Flag, ...] = ()


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


@dataclass(frozen=True)
class EndpointFacts:
    """The environment of one endpoint as found before measuring."""

    endpoint: str
    facts: Mapping[str, str]  # "kernel", "iperf3", "cpu", "nic_driver", "mtu", "queues", "congestion_control", ...


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
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)
    command: tuple[str, ...] = ()  # the arguments of the run, for the report
    finished: str | None = None
    status: str = "running"  # running, complete, partial, interrupted
