"""The pods of a lab as its API endpoint shows them; kept in a file that can be edited while the lab runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from netbench.lab.state import LabState, read_json, write_json

NAMESPACE = "default"
CONTAINER = "netbench"
LABELS = {"app": "netbench"}  # of every pod
KIND_LABEL = "netbench/kind"


@dataclass(frozen=True)
class Pod:
    """One pod; the fields from ``phase`` on are what faults change."""

    name: str
    node: str
    address: str
    node_address: str
    labels: Mapping[str, str]
    pid: int  # of its first process, as the lab sees it
    uid: str
    started: str  # UTC, ISO 8601
    namespace: str = NAMESPACE
    container: str = CONTAINER
    annotations: Mapping[str, str] = field(default_factory=dict)
    phase: str = "Running"
    ready: bool = True
    reason: str = ""  # why it is not ready
    restarts: int = 0
    deleted: str | None = None  # when its deletion was asked for, UTC, ISO 8601

    @property
    def is_ready(self) -> bool:
        return self.ready and self.phase == "Running"


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def first_processes(state: LabState) -> dict[str, int]:
    """The first process of every node and pod by name, as the lab sees it."""
    return {**read_json(state.nodes), **{pod.name: pod.pid for pod in load_pods(state.pods)}}


def load_pods(path: Path) -> list[Pod]:
    """The pods as they are now."""
    return [Pod(**pod) for pod in read_json(path)]


def save_pods(path: Path, pods: Iterable[Pod]) -> None:
    write_json(path, [asdict(pod) for pod in pods])
