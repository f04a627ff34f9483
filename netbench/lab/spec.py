"""What a lab consists of: zones, nodes, pods, links; and from that every name, address and rate. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from netbench.errors import UsageError

BASTION = "198.18.0.1"  # where `lab run` is, and where the API endpoint listens
API_PORT = 6443
NETWORK_BITS = 16  # 198.18.0.0/16 is on the bridges, 198.19.0.0/16 is behind the nodes
MOST_NODES = 100  # by the way addresses are made

HOST = "host"
ROUTED = "terway"  # a pod behind its node
OWN_LINK = "terway-eni"  # a pod with a link of its own


@dataclass(frozen=True)
class Endpoint:
    """A node as a host, or one of its pods: where commands run in the lab."""

    name: str
    kind: str  # HOST, ROUTED or OWN_LINK: how it is built
    node: str
    zone: str
    address: str
    rate: float | None  # bit/s its own link is shaped to, both ways; None: only its node's link limits it
    label: str = ""  # the kind a pod is labelled with

    @property
    def port(self) -> str:
        """The bridge's side of its link; for a routed pod the node's side."""
        own = f"{self.node}-{'eni' if self.name.endswith(OWN_LINK) else 'own'}"
        return {HOST: self.name, ROUTED: "pod", OWN_LINK: own}[self.kind]


@dataclass(frozen=True)
class LabSpec:
    """What ``up`` builds; the default is two zones with two nodes and one node, two pods on each.

    ``rate_fractions`` maps an endpoint's name (``a1``, ``a1-terway``, ``a1-terway-eni``) to the part of ``bandwidth``
    its link gets. ``kind_labels`` maps a pod's name to the kind it is labelled with where that is not what it is.
    ``alike``: every pod has a link of its own, so that kinds differ in nothing but their names.
    """

    zones: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"zone-a": ("a1", "a2"), "zone-b": ("b1",)},
    )
    instance_type: str = "lab-2g"
    bandwidth: float = 2e9  # bit/s on the link, headers included, each way
    delay: float = 0.0005  # seconds added to what crosses zones, each way, where the kernel has netem
    rate_fractions: Mapping[str, float] = field(default_factory=dict)
    kind_labels: Mapping[str, str] = field(default_factory=dict)
    alike: bool = False

    def __post_init__(self) -> None:
        nodes = [node for names in self.zones.values() for node in names]
        if not nodes or len(set(nodes)) < len(nodes) or len(nodes) > MOST_NODES:
            raise UsageError(f"a lab has 1 to {MOST_NODES} nodes of different names, not {nodes}")
        for node in nodes:
            if not node.isalnum() or len(node) > 10:  # a link's name has at most 15 characters
                raise UsageError(f"{node!r} cannot name a node of a lab", "use up to ten letters and digits")
        if not all(rate > 0 for rate in (self.bandwidth, *self.rate_fractions.values())):
            raise UsageError("bandwidth and rate_fractions must be above 0")
        known = {endpoint.name for endpoint in self._endpoints(nodes)}
        pods = known.difference(nodes)
        for option, names, possible in (
            ("rate_fractions", self.rate_fractions, known),
            ("kind_labels", self.kind_labels, pods),
        ):
            if unknown := sorted(set(names) - possible):
                raise UsageError(
                    f"{option}: the lab has no {', '.join(unknown)}", f"it has {', '.join(sorted(possible))}"
                )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every node and pod; a node comes before its pods."""
        return tuple(self._endpoints([node for names in self.zones.values() for node in names]))

    def _endpoints(self, nodes: list[str]) -> list[Endpoint]:
        zone_of = {node: zone for zone, names in self.zones.items() for node in names}
        found = []
        for number, node in enumerate(nodes, start=11):
            for named, kind, name, address in (
                (HOST, HOST, node, f"198.18.0.{number}"),
                (ROUTED, OWN_LINK, f"{node}-{ROUTED}", f"198.18.2.{number}")
                if self.alike
                else (ROUTED, ROUTED, f"{node}-{ROUTED}", f"198.19.0.{number}"),
                (OWN_LINK, OWN_LINK, f"{node}-{OWN_LINK}", f"198.18.1.{number}"),
            ):
                fraction = self.rate_fractions.get(name, None if kind == ROUTED else 1.0)
                rate = None if fraction is None else fraction * self.bandwidth
                label = "" if kind == HOST else self.kind_labels.get(name, named)
                found.append(Endpoint(name, kind, node, zone_of[node], address, rate, label))
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain data that ``from_json`` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabSpec:
        return cls(**{**data, "zones": {zone: tuple(names) for zone, names in data["zones"].items()}})
