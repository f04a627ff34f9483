"""What there is: nodes, endpoints, and the ways to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from netbench.model.attestation import AttestationRule


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
    declared: Mapping[str, str] = field(
        default_factory=dict
    )  # "label X", "annotation X", "limit X": as Kubernetes says


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
    attestation: Mapping[str, tuple[AttestationRule, ...]] = field(default_factory=dict)  # by pattern of kinds

    def node(self, name: str) -> Node:
        """The node of that name; KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)
