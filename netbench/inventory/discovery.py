"""Pods by label selector, through kubectl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from netbench.errors import InventoryError
from netbench.inventory.kubernetes import KubernetesNode, Pod, Run, get_nodes, get_pods
from netbench.inventory.placement import Placement
from netbench.inventory.pods import has_container, pod_endpoint
from netbench.model import Cluster, Endpoint, Inventory, PodSource


def discover(inventory: Inventory, run_for: Callable[[PodSource], Run]) -> Inventory:
    """The inventory with the pods of its sources as endpoints, and with the nodes that only Kubernetes knows.

    ``run_for`` gives what runs a command where a source's kubectl is; errors of it pass through. Pods that cannot be
    used now are endpoints that say why. Where the inventory was limited, only pods on its nodes are taken.
    Raises InventoryError naming source, pod or node, and what to do.
    """
    placement = Placement(inventory)
    cluster_nodes = _ClusterNodes()
    found: dict[tuple[Cluster, str], tuple[PodSource, Endpoint]] = {}
    for source in inventory.pod_sources:
        where = f"{inventory.source}: {source.name}"
        run = run_for(source)
        known = partial(cluster_nodes.of, source, run, where)
        pods = get_pods(source, run, where)
        _check_container(pods, source, where)
        for pod in pods:
            node = placement.node_of(pod, source.cluster, known, where)
            if node is None:
                continue
            endpoint = pod_endpoint(pod, source, node, where)
            other = found.setdefault((source.cluster, endpoint.name), (source, endpoint))
            if other[1] != endpoint:
                raise InventoryError(
                    f"{where} and {other[0].name} both select the pod {endpoint.name}, as different endpoints",
                    "make their selectors exclude each other",
                )
    return replace(
        inventory,
        nodes=tuple(placement.nodes.values()),
        endpoints=(*inventory.endpoints, *_named(list(found.values()))),
    )


class _ClusterNodes:
    """The nodes of each cluster by name; a cluster is asked once, and only if somebody wants to know."""

    def __init__(self) -> None:
        self._known: dict[Cluster, dict[str, KubernetesNode]] = {}

    def of(self, source: PodSource, run: Run, where: str) -> dict[str, KubernetesNode]:
        if source.cluster not in self._known:
            self._known[source.cluster] = {node.metadata.name: node for node in get_nodes(source, run, where)}
        return self._known[source.cluster]


def _check_container(pods: tuple[Pod, ...], source: PodSource, where: str) -> None:
    if source.container and not any(has_container(pod, source.container) for pod in pods):
        names = dict.fromkeys(container.name for pod in pods for container in pod.spec.containers)
        raise InventoryError(
            f"{where}: none of its {len(pods)} pods has a container {source.container}",
            f"set container to one of {', '.join(names)}",
        )


def _named(found: list[tuple[PodSource, Endpoint]]) -> list[Endpoint]:
    """The endpoints; those of one name in two clusters get the context before it, or else the source's name."""
    times = Counter(endpoint.name for _, endpoint in found)
    contexts = {source.cluster: source.cluster.context for source, _ in found}
    telling = None not in contexts.values() and len(set(contexts.values())) == len(contexts)
    return [
        replace(endpoint, name=f"{source.cluster.context if telling else source.name}/{endpoint.name}")
        if times[endpoint.name] > 1
        else endpoint
        for source, endpoint in found
    ]
