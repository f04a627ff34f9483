"""The lab's first process: builds everything in it, says so, then reaps until it is ended, and all else with it."""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from netbench.errors import NetbenchError
from netbench.lab import access, network
from netbench.lab.namespaces import command, hold
from netbench.lab.pods import KIND_LABEL, LABELS, Pod, now, save_pods
from netbench.lab.spec import API_PORT, BASTION, HOST, Endpoint, LabSpec
from netbench.lab.state import LabState, read_json, start_time, write_json

DEADLINE = 20.0  # seconds until everything answers


def main(directory: str, report: int) -> None:
    """Build the lab of that state directory; the outcome goes to the file descriptor ``report`` as a line of JSON."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    state = LabState(Path(directory))
    with os.fdopen(report, "w") as outcome:
        try:
            build(LabSpec.from_json(read_json(state.spec)), state)
        except NetbenchError as error:
            outcome.write(json.dumps({"error": str(error), "remedy": error.remedy}) + "\n")
            sys.exit(1)
        outcome.write("{}\n")  # which fails, and ends the lab, where nobody waits for it any more
    reap()


def build(spec: LabSpec, state: LabState) -> None:
    """Start all nodes and pods, link them, start the API endpoint, and wait until all of them answer."""
    settle(state)
    access.write_ssh(spec, state)
    access.write_kubeconfig(state, secrets.token_urlsafe(24))
    pids = {}
    for endpoint in spec.endpoints:
        directory = state.endpoint(endpoint.name)
        (directory / "run").mkdir(parents=True)
        role = "node" if endpoint.kind == HOST else "pod"
        pids[endpoint.name] = hold(role, endpoint.name, directory, state.log / f"{endpoint.name}.log")
    notes = [f"every node shares this machine's {os.cpu_count()} CPUs", *network.build(spec, pids)]
    write_json(state.nodes, {each.name: pids[each.name] for each in spec.endpoints if each.kind == HOST})
    save_pods(state.pods, make_pods(spec, pids))
    with (state.log / "api.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "netbench.lab.api", str(state.directory)], stdin=subprocess.DEVNULL, stderr=log
        )
    deadline = time.monotonic() + DEADLINE
    wait_for("the API endpoint", deadline, lambda: greets(BASTION, API_PORT))
    for endpoint in spec.endpoints:
        wait_for(endpoint.name, deadline, partial(alive, endpoint))
    write_json(state.notes, notes)
    access.write_inventory(spec, state, notes)


def settle(state: LabState) -> None:
    """Make /proc, /sys and the host name the lab's own, and write down who this process is outside of it."""
    outside = int(Path("/proc/self").readlink().name)  # /proc is still the machine's here
    state.init_pid.write_text(f"{outside} {start_time(outside)}\n")
    for pinned in mounts("nsfs"):  # network namespaces that others keep under a name: they are to go when those end
        command(("umount", "-n", "-l", pinned))
    command(("mount", "-n", "-t", "proc", "proc", "/proc"))
    command(("mount", "-n", "-t", "sysfs", "sysfs", "/sys"))
    socket.sethostname("bastion")


def mounts(kind: str) -> list[str]:
    """Where file systems of a kind are mounted."""
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [row[1] for row in rows if row[2] == kind]


def make_pods(spec: LabSpec, pids: dict[str, int]) -> list[Pod]:
    """The pods as they are at the start."""
    nodes = {endpoint.name: endpoint.address for endpoint in spec.endpoints if endpoint.kind == HOST}
    started = now()
    return [
        Pod(
            name=endpoint.name,
            node=endpoint.node,
            address=endpoint.address,
            node_address=nodes[endpoint.node],
            labels={**LABELS, KIND_LABEL: endpoint.label},
            pid=pids[endpoint.name],
            uid=str(uuid.uuid4()),
            started=started,
        )
        for endpoint in spec.endpoints
        if endpoint.kind != HOST
    ]


def alive(endpoint: Endpoint) -> bool:
    """Whether a node's sshd greets, and whether a pod's address is reached."""
    return greets(endpoint.address, 22, b"SSH-") if endpoint.kind == HOST else refuses(endpoint.address)


def wait_for(what: str, deadline: float, answers: Callable[[], bool]) -> None:
    """Ask again and again. Raises NetbenchError when it has not answered by then."""
    while not answers():
        if time.monotonic() > deadline:
            raise NetbenchError(f"{what} does not answer", "see the lab's log directory")
        time.sleep(0.01)


def greets(address: str, port: int, greeting: bytes = b"") -> bool:
    """Whether something listens there, and says that first."""
    try:
        with socket.create_connection((address, port), timeout=1) as link:
            return not greeting or link.recv(len(greeting)) == greeting
    except OSError:
        return False


def refuses(address: str) -> bool:
    """Whether an address is alive: nothing listens there, and its kernel says so."""
    with socket.socket() as link:
        link.settimeout(1)
        return link.connect_ex((address, 9)) == errno.ECONNREFUSED


def reap() -> None:
    """Collect what has ended, the lab's own processes and those whose parents are gone. Never returns."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
