"""``python -m netbench.lab.recreate STATE POD``, run in the lab's namespaces: a pod deleted and recreated."""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

from netbench.errors import NetbenchError
from netbench.lab import network
from netbench.lab.init import wait_for
from netbench.lab.namespaces import hold
from netbench.lab.pods import first_processes, load_pods, now, save_pods
from netbench.lab.spec import LabSpec
from netbench.lab.state import LabState, read_json

DEADLINE = 10.0  # seconds until what was there is gone


def recreate(state: LabState, name: str) -> None:
    """In between the API does not know the pod. Raises NetbenchError."""
    spec = LabSpec.from_json(read_json(state.spec))
    pids = first_processes(state)
    pods = {pod.name: pod for pod in load_pods(state.pods)}
    save_pods(state.pods, (pod for pod in pods.values() if pod.name != name))
    os.kill(pods[name].pid, signal.SIGKILL)  # the first process of its namespaces: the kernel ends the others
    old = Path(f"/proc/{pods[name].pid}")
    wait_for("the deleted pod's end", time.monotonic() + DEADLINE, lambda: not old.exists())
    endpoint = next(endpoint for endpoint in spec.endpoints if endpoint.name == name)
    pids[name] = hold("pod", name, state.endpoint(name), state.log / f"{name}.log")
    deadline = time.monotonic() + DEADLINE
    while True:  # the kernel takes a dead namespace's links away some time after its last process
        try:
            network.connect(spec, endpoint, pids)
            break
        except NetbenchError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    pods[name] = replace(pods[name], pid=pids[name], uid=str(uuid.uuid4()), started=now())
    save_pods(state.pods, pods.values())


if __name__ == "__main__":
    try:
        recreate(LabState(Path(sys.argv[1])), sys.argv[2])
    except NetbenchError as failed:
        sys.exit(str(failed))
