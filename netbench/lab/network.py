"""The lab's links: a bridge a zone, a veth a link, tbf for their rates, netem for the way between zones."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from netbench.lab.namespaces import batch
from netbench.lab.spec import BASTION, HOST, NETWORK_BITS, ROUTED, Endpoint, LabSpec

GATEWAY = "169.254.1.1"  # nobody has it; it only leads a routed pod's packets to its node's side of the link
GATEWAY_MAC = "ee:ee:ee:ee:ee:ee"
BURST = 1_000_000  # bytes; 4 ms at 2 Gbit/s: a late timer of a busy machine costs no rate
QUEUE = "10ms"  # the longest a packet waits in the shaper
NO_NETEM = "delay between zones is not emulated: the kernel has no netem"

Pids = Mapping[str, int]  # endpoint's name -> the process that holds its namespaces


def build(spec: LabSpec, pids: Pids) -> list[str]:
    """Make every link of the lab. Returns what could not be emulated."""
    bridges = bridges_of(spec)
    quiet_bridges()
    batch(["link set lo up", *(line for bridge in bridges.values() for line in _bridge(bridge))])
    batch([f"address add {BASTION}/{NETWORK_BITS} dev br0"])
    for endpoint in sorted(spec.endpoints, key=lambda endpoint: endpoint.kind == ROUTED):  # they come after all nodes
        connect(spec, endpoint, pids)
    batch(ways(spec, None))
    return join_zones(list(bridges.values()), spec.delay)


def bridges_of(spec: LabSpec) -> dict[str, str]:
    """The bridge of each zone."""
    return {zone: f"br{number}" for number, zone in enumerate(spec.zones)}


def connect(spec: LabSpec, endpoint: Endpoint, pids: Pids) -> None:
    """Give an endpoint that has no link yet its link, address and routes."""
    if endpoint.kind == ROUTED:
        route_pod(endpoint, pids[endpoint.name], pids[endpoint.node])
    else:
        plug(endpoint, bridges_of(spec)[endpoint.zone], pids[endpoint.name])
        batch(ways(spec, endpoint), pids[endpoint.name])


def ways(spec: LabSpec, member: Endpoint | None) -> list[str]:
    """Routes to every pod behind a node, from an endpoint on a bridge (None: from the bastion)."""
    nodes = {endpoint.name: endpoint.address for endpoint in spec.endpoints if endpoint.kind == HOST}
    routed = {endpoint.node: endpoint.address for endpoint in spec.endpoints if endpoint.kind == ROUTED}
    itself = member.name if member else None
    return [f"route add {pod} via {nodes[node]}" for node, pod in routed.items() if node != itself]


def quiet_bridges() -> None:
    """Keep packet filters off the bridges, in this network namespace."""
    for switch in Path("/proc/sys/net/bridge").glob("bridge-nf-call-*"):
        switch.write_text("0")


def _bridge(name: str) -> list[str]:
    return [f"link add {name} type bridge", f"link set {name} up"]


def plug(endpoint: Endpoint, bridge: str, pid: int) -> None:
    """Give a node or a pod a link on a zone's bridge, shaped both ways."""
    batch(
        [
            f"link add {endpoint.port} type veth peer name eth0 netns {pid}",
            f"link set {endpoint.port} master {bridge} up",
        ]
    )
    batch([f"address add {endpoint.address}/{NETWORK_BITS} dev eth0", "link set eth0 up"], pid)
    shape(endpoint, pid, None)


def route_pod(pod: Endpoint, pid: int, node: int) -> None:
    """Give a pod a link to its node, which routes for it, in the way of Terway's shared interfaces."""
    batch(
        [
            f"link add {pod.port} address {GATEWAY_MAC} type veth peer name eth0 netns {pid}",
            f"link set {pod.port} up",
            f"route add {pod.address} dev {pod.port}",
        ],
        node,
    )
    batch(
        [
            f"address add {pod.address}/32 dev eth0",
            "link set eth0 up",
            f"neighbour add {GATEWAY} lladdr {GATEWAY_MAC} dev eth0 nud permanent",
            f"route add {GATEWAY} dev eth0",
            f"route add default via {GATEWAY} dev eth0",
        ],
        pid,
    )
    shape(pod, pid, node)


def shape(endpoint: Endpoint, pid: int, other_side: int | None) -> None:
    """Limit what leaves the endpoint, and on its link's other side what is sent to it."""
    if endpoint.rate is None:
        return
    limit = f"root tbf rate {endpoint.rate:.0f}bit burst {BURST} latency {QUEUE}"
    batch([f"qdisc replace dev eth0 {limit}"], pid, tool="tc")
    batch([f"qdisc replace dev {endpoint.port} {limit}"], other_side, tool="tc")


def join_zones(bridges: list[str], delay: float) -> list[str]:
    """Link every zone's bridge with the first one's. Returns a note where what crosses zones is not delayed.

    Between two zones of which neither is the first, the delay is twice as long.
    """
    notes: list[str] = []
    for bridge in bridges[1:]:
        ends = (f"{bridge}-br0", f"br0-{bridge}")
        batch(
            [
                f"link add {ends[0]} type veth peer name {ends[1]}",
                f"link set {ends[0]} master {bridge} up",
                f"link set {ends[1]} master br0 up",
            ]
        )
        if delay and not notes and not all(_delay(end, delay) for end in ends):
            notes.append(NO_NETEM)
    return notes


def _delay(device: str, seconds: float) -> bool:
    """Whether the kernel could delay what leaves there; the limit is far above what fits in that time."""
    options = ("delay", f"{seconds * 1e6:.0f}us", "limit", "100000")
    argv = ("tc", "qdisc", "replace", "dev", device, "root", "netem", *options)
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
