"""What the API says it has: its version, groups and resources, which kubectl asks for before all else."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+netbench-lab",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}


def discovery(path: str) -> Json | None:
    """The answer to a request that asks what the API has; None for other paths."""
    answers: dict[str, Json] = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_AUTHORIZATION]},
        "/api/v1": _resources("v1", _CORE),
        "/apis/authorization.k8s.io": {"kind": "APIGroup", "apiVersion": "v1", **_AUTHORIZATION},
        "/apis/authorization.k8s.io/v1": _resources(
            "authorization.k8s.io/v1",
            [_resource("selfsubjectaccessreviews", "SelfSubjectAccessReview", False, "create")],
        ),
        "/version": VERSION,
    }
    return answers.get(path)


def _resource(name: str, kind: str, namespaced: bool, verbs: str = "get list", short: str = "") -> Json:
    return {
        "name": name,
        "singularName": "" if "/" in name else name.removesuffix("s"),
        "namespaced": namespaced,
        "kind": kind,
        "verbs": verbs.split(),
        "shortNames": short.split(),
    }


def _resources(version: str, resources: list[Json]) -> Json:
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


_CORE = [
    _resource("namespaces", "Namespace", False, short="ns"),
    _resource("nodes", "Node", False, short="no"),
    _resource("pods", "Pod", True, short="po"),
    _resource("pods/exec", "PodExecOptions", True, "create get"),
]
_AUTHORIZATION = {
    "name": "authorization.k8s.io",
    "versions": [{"groupVersion": "authorization.k8s.io/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "authorization.k8s.io/v1", "version": "v1"},
}
