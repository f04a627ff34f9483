"""What a user does with a lab: bring it up, take it down, look at it, run a command in it, change its pods."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from netbench.errors import NetbenchError, UsageError
from netbench.lab import launch
from netbench.lab.guest import SIGNALS, wait_for
from netbench.lab.namespaces import KINDS, inside
from netbench.lab.pods import Pod, load_pods, save_pods
from netbench.lab.requirements import require
from netbench.lab.spec import LabSpec
from netbench.lab.state import VARIABLE, LabState, read_json, write_json

USERS, STATE = "users", "state"  # locks: commands that run in the lab; whoever starts, ends or changes it


@dataclass(frozen=True)
class EndpointStatus:
    """A node or a pod of a running lab."""

    name: str
    kind: str  # as it is labelled
    node: str
    zone: str
    address: str
    not_ready: str | None = None  # why a pod is not Ready


@dataclass(frozen=True)
class LabStatus:
    """Whether a lab is up, and what is in it."""

    state: LabState
    pid: int | None  # of its init; None: it is not up
    endpoints: tuple[EndpointStatus, ...] = ()
    notes: tuple[str, ...] = ()  # what it does not emulate

    @property
    def up(self) -> bool:
        return self.pid is not None


def up(spec: LabSpec | None = None, state: LabState | None = None) -> LabState:
    """Start a lab and wait until everything in it answers; a lab that is up already stays as it is.

    ``spec`` None: the default lab, or whatever is up already. Raises UsageError where something is missing on this
    machine, the state directory is not a lab's, or a lab of another ``spec`` is up; NetbenchError when it does not
    come up, and then nothing of it is left.
    """
    state = state or LabState.default()
    with state.locked(STATE):
        _ensure(spec, state, tied=False)
    return state


def down(state: LabState | None = None) -> None:
    """End a lab and everything in it, and remove its files. Nothing happens where there is none."""
    state = state or LabState.default()
    if state.spec.exists():
        with state.locked(STATE):
            launch.end(state)
            state.forget()


def status(state: LabState | None = None) -> LabStatus:
    """What is there now."""
    state = state or LabState.default()
    pid = state.running()
    if pid is None:
        return LabStatus(state, None)
    spec = LabSpec.from_json(read_json(state.spec))
    pods = {pod.name: pod for pod in load_pods(state.pods)}
    endpoints = []
    for endpoint in spec.endpoints:
        pod = pods.get(endpoint.name)
        not_ready = (pod.reason or pod.phase) if pod and not pod.is_ready else None
        kind = endpoint.label or endpoint.kind
        endpoints.append(EndpointStatus(endpoint.name, kind, endpoint.node, endpoint.zone, endpoint.address, not_ready))
    return LabStatus(state, pid, tuple(endpoints), tuple(read_json(state.notes)))


def run(argv: Sequence[str], state: LabState | None = None, spec: LabSpec | None = None) -> int:
    """Run a command on the lab's bastion, with this process's directory, terminal and environment.

    Where no lab is up, one is started for it and taken down afterwards, whatever happens; commands that came to it
    meanwhile are waited for. Signals sent to this process go to the command. Returns its exit code, 128 + N for a
    signal N, 127 where there is no such program. Raises what ``up`` raises.
    """
    if not argv:
        raise UsageError("no command to run in the lab", "give one: lab.run -- COMMAND ARGUMENT...")
    state = state or LabState.default()
    own: subprocess.Popen[bytes] | None = None
    try:
        with state.locked(USERS, shared=True):
            with state.locked(STATE):
                own = _ensure(spec, state, tied=True)
            return _enter(argv, state)
    finally:
        if own is not None:
            with state.locked(USERS):
                down(state)
            own.wait()


def change_pod(name: str, state: LabState | None = None, **changes: Any) -> Pod:
    """Change what the API says of a pod: ``ready``, ``reason``, ``phase``, ``restarts``, ``deleted``, ``labels`` ...

    Returns the pod as it is then. Raises UsageError for an unknown pod, or when no lab is up.
    """
    state = state or LabState.default()
    _pid(state)
    with state.locked(STATE):
        pods = _pods_with(name, state)
        pods[name] = replace(pods[name], **changes)
        save_pods(state.pods, pods.values())
        return pods[name]


def fail_api(status: int | None, state: LabState | None = None) -> None:
    """Let the API answer every request with that HTTP status from now on; None: serve again."""
    state = state or LabState.default()
    if status is None:
        state.api.unlink(missing_ok=True)
    else:
        write_json(state.api, {"fail": status})


def recreate_pod(name: str, state: LabState | None = None) -> None:
    """Delete a pod with all that runs in it, and make it anew under its name and address, as a StatefulSet does.

    Raises UsageError for an unknown pod or when no lab is up, NetbenchError where it does not come back.
    """
    state = state or LabState.default()
    pid = _pid(state)
    with state.locked(STATE):
        _pods_with(name, state)
        argv = inside(pid, (sys.executable, "-m", "netbench.lab.recreate", str(state.directory), name))
        none = subprocess.DEVNULL
        done = subprocess.run(argv, env=launch.environment(), stdin=none, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NetbenchError(f"{name} was not made anew: {done.stderr.strip()}", "take the lab down: lab.down")


def _pid(state: LabState) -> int:
    """Of the init of a lab that is up. Raises UsageError where none is."""
    pid = state.running()
    if pid is None:
        raise UsageError(f"no lab is up in {state.directory}", "start it: lab.up")
    return pid


def _pods_with(name: str, state: LabState) -> dict[str, Pod]:
    """The pods by name. Raises UsageError where that one is not among them."""
    pods = {pod.name: pod for pod in load_pods(state.pods)}
    if name not in pods:
        raise UsageError(f"the lab has no pod {name}", f"it has {', '.join(pods)}")
    return pods


def _ensure(spec: LabSpec | None, state: LabState, *, tied: bool) -> subprocess.Popen[bytes] | None:
    """Start the lab where it is not up. Returns what was started."""
    require()
    if state.running() is None:
        return launch.start(spec or LabSpec(), state, tied=tied)
    if spec is not None and LabSpec.from_json(read_json(state.spec)) != spec:
        raise UsageError(f"a lab with other settings is up in {state.directory}", "take it down first: lab.down")
    return None


def _enter(argv: Sequence[str], state: LabState) -> int:
    """Run a command in the lab, and wait for it."""
    pid = state.running()
    if pid is None:
        raise UsageError(f"the lab in {state.directory} went away", "start it again: lab.up")
    guest = (sys.executable, "-I", "-S", str(files("netbench.lab") / "guest.py"), str(Path.cwd()), *argv)
    environment = {
        **os.environ,
        "PATH": launch.search_path(),
        VARIABLE: str(state.directory),
        "NETBENCH_INVENTORY": str(state.inventory),
        "KUBECONFIG": str(state.kubeconfig),
        "KUBECACHEDIR": str(state.directory / "kube-cache"),
    }
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process = subprocess.Popen(inside(pid, guest, (*KINDS, "--no-fork")), env=environment)
        process.returncode = wait_for(process.pid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process.returncode
