"""Pods, nodes and namespaces in the shapes of Kubernetes: plain data for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netbench.lab.api.discovery import VERSION, Json
from netbench.lab.pods import Pod
from netbench.lab.spec import HOST, Endpoint, LabSpec

IMAGE = "netbench-lab"  # there are no images: a pod sees the machine's own programs


def pod_object(pod: Pod) -> Json:
    """A v1 Pod."""
    state: Json = {"running": {"startedAt": pod.started}}
    if pod.phase != "Running":
        state = {"waiting": {"reason": pod.reason or "ContainerCreating"}}
    conditions = [{"type": "Initialized", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
    for name in ("ContainersReady", "Ready"):
        trouble = {} if pod.is_ready else {"reason": pod.reason or "ContainersNotReady"}
        conditions.append({"type": name, "status": str(pod.is_ready), **trouble})
    container = {
        "name": pod.container,
        "ready": pod.is_ready,
        "started": pod.phase == "Running",
        "restartCount": pod.restarts,
        "image": IMAGE,
        "imageID": "",
        "state": state,
    }
    metadata: Json = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "resourceVersion": "1",
        "creationTimestamp": pod.started,
        "labels": dict(pod.labels),
        "annotations": dict(pod.annotations),
    }
    if pod.deleted:
        metadata |= {"deletionTimestamp": pod.deleted, "deletionGracePeriodSeconds": 30}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {
            "nodeName": pod.node,
            "containers": [{"name": pod.container, "image": IMAGE, "command": ["sleep", "infinity"], "resources": {}}],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
        },
        "status": {
            "phase": pod.phase,
            "podIP": pod.address,
            "podIPs": [{"ip": pod.address}],
            "hostIP": pod.node_address,
            "hostIPs": [{"ip": pod.node_address}],
            "startTime": pod.started,
            "conditions": conditions,
            "containerStatuses": [container],
        },
    }


def node_object(node: Endpoint, spec: LabSpec, facts: Mapping[str, str]) -> Json:
    """A v1 Node."""
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": node.zone,
        "node.kubernetes.io/instance-type": spec.instance_type,
    }
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": node.name, "uid": node.name, "resourceVersion": "1", "labels": labels, "annotations": {}},
        "spec": {},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "Hostname", "address": node.name},
            ],
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "nodeInfo": {"kubeletVersion": VERSION["gitVersion"], "operatingSystem": "linux", **facts},
        },
    }


def namespace_object(name: str) -> Json:
    """A v1 Namespace."""
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "uid": name,
            "resourceVersion": "1",
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {},
        "status": {"phase": "Active"},
    }


def list_object(kind: str, items: Iterable[Json]) -> Json:
    """A list of objects of one kind: PodList and so on."""
    return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": list(items)}


def nodes_of(spec: LabSpec) -> list[Endpoint]:
    return [endpoint for endpoint in spec.endpoints if endpoint.kind == HOST]
