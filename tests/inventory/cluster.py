"""Pods and nodes in the shapes kubectl prints, and a strict stand-in for the machine kubectl runs on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from netbench.model import Cluster, Command, Completed, Inventory, Node, PodSource

Json = dict[str, Any]
READY = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]
CLUSTER = Cluster()
SOURCE = PodSource("netbench_pods", CLUSTER, "bench", "app=netbench")


def pod(name: str, node: str | None = "n1", ip: str | None = "198.18.1.1", **changes: Any) -> Json:
    """A Running, Ready pod of kind terway. ``changes``: labels, annotations, host_ip, containers, and parts of
    metadata, spec or status by their own names."""
    labels = changes.pop("labels", {"app": "netbench", "netbench/kind": "terway"})
    containers = [{"name": each, "image": "i"} for each in changes.pop("containers", ["main", "side"])]
    metadata: Json = {"name": name, "namespace": "bench", "uid": name, "labels": labels}
    spec: Json = {"nodeName": node, "containers": containers, "restartPolicy": "Always"}
    status: Json = {"phase": "Running", "podIP": ip, "hostIP": changes.pop("host_ip", None), "conditions": READY}
    for part, keys in ((metadata, ("annotations", "deletionTimestamp")), (spec, ("hostNetwork",))):
        part.update({key: changes.pop(key) for key in keys if key in changes})
    status.update(changes)
    drop = [(part, key) for part in (metadata, spec, status) for key, value in part.items() if value is None]
    for part, key in drop:
        del part[key]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def node(name: str, zone: str | None = "zone-b", *addresses: str, labels: Json | None = None) -> Json:
    """A node with a zone label and an instance type."""
    found = {"kubernetes.io/hostname": name, "node.kubernetes.io/instance-type": "ecs.g7.large"}
    if zone is not None:
        found["topology.kubernetes.io/zone"] = zone
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": found if labels is None else labels},
        "status": {"addresses": [*listed, {"type": "Hostname", "address": name}], "images": []},
    }


def answer(items: list[Json]) -> Completed:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}})
    return Completed(0, text.encode(), b"")


def pods_argv(source: PodSource = SOURCE) -> tuple[str, ...]:
    selection = (f"--namespace={source.namespace}", f"--selector={source.selector}")
    return source.cluster.argv("get", "pods", *selection, "-o", "json")


def nodes_argv(source: PodSource = SOURCE) -> tuple[str, ...]:
    return source.cluster.argv("get", "nodes", "-o", "json")


@dataclass
class Kubectl:
    """Answers the commands it knows, each at most once, and no other."""

    answers: dict[tuple[str, ...], Completed]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        assert command.argv in self.answers, f"nobody should run {command.argv}"
        assert command.argv not in self.asked, f"{command.argv} a second time"
        self.asked.append(command.argv)
        return self.answers[command.argv]

    def run_for(self, source: PodSource) -> Any:
        return self.run


def inventory(*sources: PodSource, limit: str | None = None) -> Inventory:
    """Two nodes in zone-a, and these sources."""
    nodes = (
        Node("n1", "zone-a", None, ("198.18.0.1", "2001:db8::1")),
        Node("n2", "zone-a", "ecs.g7.large", ("alias", "198.18.0.2", "k8s-2")),
    )
    return Inventory("fleet.yaml", nodes, (), sources or (SOURCE,), {} if limit is None else {"limit": limit})
