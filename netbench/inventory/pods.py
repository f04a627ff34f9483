"""A pod as an endpoint: its kind, its address, and why it cannot be used if it cannot."""

from __future__ import annotations

import ipaddress

from netbench.errors import InventoryError
from netbench.inventory.kubernetes import Pod
from netbench.inventory.words import LONGEST_LABEL, is_label, said, shown
from netbench.model import Endpoint, PodAccess, PodSource


def pod_endpoint(pod: Pod, source: PodSource, node: str, where: str) -> Endpoint:
    """The endpoint that a pod is, on that node. ``where``: inventory and source, for messages.

    Raises InventoryError for a pod without a kind and for an address that is none.
    """
    container = source.container or pod.spec.containers[0].name
    return Endpoint(
        name=f"{source.namespace}/{pod.metadata.name}",
        kind=_kind(pod, source, where),
        node=node,
        address=_address(pod, where),
        access=PodAccess(source.cluster, source.namespace, pod.metadata.name, container),
        labels=pod.metadata.labels or {},
        not_ready=_not_ready(pod, container),
        declared=_declared(pod),
    )


def has_container(pod: Pod, name: str) -> bool:
    """Whether the pod has a container of that name."""
    return any(container.name == name for container in pod.spec.containers)


def _declared(pod: Pod) -> dict[str, str]:
    """What Kubernetes says of the pod, as evidence: labels, annotations, and the limits of all its containers."""
    limits = {}
    for container in pod.spec.containers:
        limits.update((container.resources and container.resources.limits) or {})
    parts = (("label", pod.metadata.labels), ("annotation", pod.metadata.annotations), ("limit", limits))
    return {f"{part} {said(key)}": said(str(value)) for part, found in parts for key, value in (found or {}).items()}


def _kind(pod: Pod, source: PodSource, where: str) -> str:
    kind = (pod.metadata.labels or {}).get(source.kind_label)
    if kind is None and pod.spec.host_network and source.host_network_kind:
        return source.host_network_kind
    name = f"{source.namespace}/{pod.metadata.name}"
    if kind is None:
        more = "; for hostNetwork pods, host_network_kind will do" if pod.spec.host_network else ""
        raise InventoryError(
            f"{where}: the pod {name} has no label {source.kind_label}",
            f"give its template the label, such as {source.kind_label}: terway, or set kind_label to another{more}",
        )
    if not is_label(kind):
        raise InventoryError(
            f"{where}: the pod {name} has the kind {shown(kind)}, which cannot be",
            f"give its label {source.kind_label} a value of 1 to {LONGEST_LABEL} characters, not - first",
        )
    return kind


def _address(pod: Pod, where: str) -> str:
    address = pod.status.pod_ip or ""
    try:
        return str(ipaddress.ip_address(address)) if address else ""
    except ValueError:
        raise InventoryError(
            f"{where}: the pod {pod.metadata.name} has the address {shown(address)}, which is none",
            "look at its status.podIP",
        ) from None


def _not_ready(pod: Pod, container: str) -> str | None:
    status = pod.status
    if pod.metadata.deletion_timestamp:
        return "terminating"
    if status.phase != "Running":
        return f"phase {said(status.phase, 40)}{_reason(pod)}"
    if not status.pod_ip:
        return "it has no address"
    if not any(each.type == "Ready" and each.status == "True" for each in status.conditions or ()):
        return f"it is not Ready{_reason(pod)}"
    if not has_container(pod, container):
        return f"it has no container {container}, but {', '.join(each.name for each in pod.spec.containers)}"
    return None


def _reason(pod: Pod) -> str:
    """What Kubernetes gives as the reason, the most telling first."""
    status = pod.status
    states = [each.state.waiting for each in status.container_statuses or () if each.state and each.state.waiting]
    reasons = [
        status.reason,
        *(waiting.reason for waiting in states),
        *(each.reason for each in status.conditions or () if each.status != "True"),
    ]
    first = next((reason for reason in reasons if reason), None)
    return f" ({said(first, 60)})" if first else ""
