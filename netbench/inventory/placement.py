"""Which node a pod runs on: one of the inventory, or one that only Kubernetes knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from netbench.errors import InventoryError
from netbench.inventory.kubernetes import KubernetesNode, Pod
from netbench.inventory.words import is_host_name, is_label, shown
from netbench.model import Cluster, Inventory, Node

ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")

NodesByName = Callable[[], dict[str, KubernetesNode]]


class Placement:
    """Finds nodes for pods; ``nodes`` grows by those the inventory does not have, unless it was limited."""

    def __init__(self, inventory: Inventory) -> None:
        self.nodes = {node.name: node for node in inventory.nodes}
        self._limited = "limit" in inventory.settings
        self._added: dict[str, Cluster] = {}
        self._by_address: dict[str, set[str]] = {}
        for node in inventory.nodes:
            for address in node.addresses:
                self._by_address.setdefault(_canonical(address), set()).add(node.name)

    def node_of(self, pod: Pod, cluster: Cluster, known: NodesByName, where: str) -> str | None:
        """The name of the node the pod runs on; "" while it is not scheduled; None: it is outside of the limit.

        ``known`` asks the cluster for its nodes. Raises InventoryError where node and zone cannot be told.
        """
        name = pod.spec.node_name
        if name is None:
            return None if self._limited else ""
        found = self._match(name, [pod.status.host_ip or ""], where)
        if found is None:
            node = known().get(name)
            if node is not None:
                found = self._match(name, [each.address for each in node.status.addresses or ()], where)
            if found is None and not self._limited:
                if node is None:
                    raise InventoryError(
                        f"{where}: the pod {pod.metadata.name} runs on the node {name}, which nobody knows",
                        "run it again: the node may be gone by now",
                    )
                found = self._add(node, cluster, where)
        return self._checked(found, cluster, where) if found else None

    def _match(self, name: str, addresses: Iterable[str], where: str) -> str | None:
        """A node by its name, or by an address that only it has."""
        owners = [self._by_address.get(_canonical(address), set()) for address in addresses]
        found = {next(iter(names)) for names in owners if len(names) == 1}
        if name in self.nodes:
            found.add(name)
        if len(found) > 1:
            raise InventoryError(
                f"{where}: the node {name} is {' and '.join(sorted(found))} of the inventory, by name and addresses",
                "correct the addresses: ansible_host, netbench_address, netbench_node_addresses",
            )
        return found.pop() if found else None

    def _add(self, node: KubernetesNode, cluster: Cluster, where: str) -> str:
        name = node.metadata.name
        labels = node.metadata.labels or {}
        zone = next((labels[key] for key in ZONES if labels.get(key)), None)
        if zone is None:
            raise InventoryError(
                f"{where}: the node {name} is not in the inventory, and its zone is not known",
                f"add it with netbench_zone, or give it the label {ZONES[0]}",
            )
        instance_type = next((labels[key] for key in TYPES if labels.get(key)), None)
        for value in (zone, instance_type):
            if value is not None and not is_label(value):
                raise InventoryError(f"{where}: the node {name} has the label {shown(value)}", "correct it")
        addresses = tuple(dict.fromkeys(each.address for each in node.status.addresses or ()))
        for address in addresses:
            if not is_host_name(address):
                raise InventoryError(f"{where}: the node {name} has the address {shown(address)}", "correct it")
        self.nodes[name] = Node(name, zone, instance_type, addresses, labels)
        self._added[name] = cluster
        return name

    def _checked(self, name: str, cluster: Cluster, where: str) -> str:
        if self._added.get(name, cluster) != cluster:
            raise InventoryError(
                f"{where}: another cluster has a node {name} too", "add both to the inventory, under names of their own"
            )
        return name


def _canonical(address: str) -> str:
    """One way to write an address, so that long and short forms of IPv6 meet."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.lower()
