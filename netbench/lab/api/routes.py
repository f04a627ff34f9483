"""Requests to answers: which path shows what."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

from netbench.lab.api import resources
from netbench.lab.api.discovery import Json, discovery
from netbench.lab.api.execution import ExecRequest
from netbench.lab.api.http import Request
from netbench.lab.api.selectors import field_test, label_test
from netbench.lab.api.statuses import ApiError, not_found
from netbench.lab.pods import NAMESPACE, Pod, load_pods
from netbench.lab.spec import LabSpec
from netbench.lab.state import LabState

NAMESPACES = (NAMESPACE, "kube-system")
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# the body, which some clients send as protobuf, is not looked at
ALLOWED = {
    "kind": "SelfSubjectAccessReview",
    "apiVersion": "authorization.k8s.io/v1",
    "metadata": {},
    "spec": {},
    "status": {"allowed": True, "reason": "the lab's token may do everything"},
}
FIELDS = {
    "pods": ("metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "status.podIP"),
    "nodes": ("metadata.name",),
    "namespaces": ("metadata.name", "status.phase"),
}
KINDS = {"pods": "Pod", "nodes": "Node", "namespaces": "Namespace"}
_OBJECTS = re.compile(r"/api/v1(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>\w+)(?:/(?P<name>[^/]+))?")
_EXEC = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods/(?P<name>[^/]+)/exec")


@dataclass(frozen=True)
class Shown:
    """What the API shows: a lab, with its pods as their file says at the moment of a request."""

    spec: LabSpec
    state: LabState

    def objects(self, resource: str, namespace: str | None) -> list[Json]:
        """Every object of a resource. Raises ApiError (404) for a resource that the lab does not have."""
        if resource == "pods":
            pods = load_pods(self.state.pods)
            return [resources.pod_object(pod) for pod in pods if namespace in (None, pod.namespace)]
        if resource == "nodes" and namespace is None:
            return [resources.node_object(node, self.spec, machine()) for node in resources.nodes_of(self.spec)]
        if resource == "namespaces" and namespace is None:
            return [resources.namespace_object(name) for name in NAMESPACES]
        raise ApiError(404, "the server could not find the requested resource")

    def pod(self, namespace: str, name: str) -> Pod:
        """One pod. Raises ApiError (404)."""
        for pod in load_pods(self.state.pods):
            if (pod.namespace, pod.name) == (namespace, name):
                return pod
        raise not_found("pods", name)


def answer(request: Request, shown: Shown) -> Json:
    """What a request that opens no streams is answered with. Raises ApiError."""
    path = request.path
    if request.method == "POST" and path == REVIEW:
        return ALLOWED
    if request.method != "GET":
        raise ApiError(405, "the server does not allow this method on the requested resource")
    if found := discovery(path):
        return found
    match = _OBJECTS.fullmatch(path)
    if match is None:
        raise ApiError(404, "the server could not find the requested resource")
    objects = shown.objects(match["resource"], match["namespace"])
    if name := match["name"]:
        for item in objects:
            if item["metadata"]["name"] == name:
                return item
        raise not_found(match["resource"], name)
    if request.value("watch") in ("true", "1"):
        raise ApiError(405, "the lab's API serves no watches")
    labels = label_test(request.value("labelSelector"))
    fields = field_test(request.value("fieldSelector"), FIELDS[match["resource"]])
    chosen = [item for item in objects if labels(item["metadata"]["labels"]) and fields(flat(item, match["resource"]))]
    return resources.list_object(KINDS[match["resource"]], chosen)


def exec_request(request: Request, shown: Shown) -> ExecRequest | None:
    """What is to be executed; None for other requests. Raises ApiError."""
    match = _EXEC.fullmatch(request.path)
    if match is None:
        return None
    if request.method not in ("GET", "POST"):
        raise ApiError(405, "the server does not allow this method on the requested resource")
    pod = shown.pod(match["namespace"], match["name"])
    if request.value("container") not in ("", pod.container):
        raise ApiError(400, f"container {request.value('container')} is not valid for pod {pod.name}")
    if pod.phase != "Running":
        raise ApiError(400, f"pod {pod.name} does not have a host assigned or is not running")
    argv = request.values("command")
    if not argv:
        raise ApiError(400, "you must specify at least 1 command for the container")
    if on(request, "tty"):
        raise ApiError(400, "the lab's API serves no terminals: leave out --tty")
    wanted = {name: on(request, name) for name in ("stdin", "stdout", "stderr")}
    if not any(wanted.values()):
        raise ApiError(400, "you must specify at least 1 of stdin, stdout, stderr")
    return ExecRequest(pod, argv, **wanted)


def flat(item: Json, resource: str) -> dict[str, str]:
    """The fields an object can be selected by: "spec.nodeName" and so on."""
    return {name: item[name.partition(".")[0]].get(name.partition(".")[2], "") for name in FIELDS[resource]}


def on(request: Request, name: str) -> bool:
    return request.value(name) in ("true", "1")


def machine() -> dict[str, str]:
    """What a node's kubelet tells of the machine: every node of a lab shares this one."""
    uname = os.uname()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(uname.machine, uname.machine)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return {"kernelVersion": uname.release, "architecture": architecture, "osImage": system}
