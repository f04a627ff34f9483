"""The lab as those who break it see it: every process of every endpoint, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from netbench.lab.launch import SOURCES, search_path
from netbench.lab.namespaces import inside
from netbench.lab.state import LabState, read_json

Found = TypeVar("Found")
TOOLS = ("iperf3", "ping")


@dataclass(frozen=True)
class Process:
    """One process, by this machine's number for it."""

    pid: int
    parent: int
    namespace: str  # of its process ids
    argv: tuple[str, ...]

    @property
    def line(self) -> str:
        return " ".join(self.argv)


class Site:
    """One lab."""

    def __init__(self, state: LabState, disk: Path = Path("/tmp")) -> None:
        self.state, self.disk = state, disk
        pid = state.running()
        assert pid is not None
        self.init = pid

    def processes(self) -> Iterator[Process]:
        """Every process of the machine that can be looked at."""
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                try:
                    stat = (path / "stat").read_text().rpartition(")")[2].split()
                    argv = (path / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
                    namespace = (path / "ns/pid").readlink().name
                except OSError:
                    continue
                if stat[0] not in "ZX":
                    yield Process(int(path.name), int(stat[1]), namespace, tuple(argv))

    def holder(self, endpoint: str) -> int:
        """The first process of an endpoint, by this machine's number."""
        number = str(read_json(self.state.pids)[endpoint])
        for process in self.processes():
            numbers = _numbers(process.pid)
            # as the lab sees it: one namespace further in than this machine, one further out than its own
            if len(numbers) > 2 and numbers[-2] == number and _within(process.pid, self.init):
                return process.pid
        raise LookupError(endpoint)

    def at(self, endpoint: str) -> list[Process]:
        """The processes of a node or a pod."""
        namespace = Path(f"/proc/{self.holder(endpoint)}/ns/pid").readlink().name
        return [process for process in self.processes() if process.namespace == namespace]

    def run(self, endpoint: str, *argv: str) -> str:
        """What a command on an endpoint says."""
        command = inside(self.holder(endpoint), argv)
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def start(self, endpoint: str | None, *argv: str) -> subprocess.Popen[bytes]:
        """Start a command on an endpoint, or on the bastion."""
        target = self.init if endpoint is None else self.holder(endpoint)
        quiet = subprocess.DEVNULL
        environment = {**os.environ, "PATH": search_path(), "PYTHONPATH": str(SOURCES)}
        return subprocess.Popen(inside(target, argv), stdin=quiet, stdout=quiet, stderr=quiet, env=environment)

    def left(self, endpoint: str) -> list[str]:
        """What of netbench is there: its processes, directories and leases."""
        ours = [one.line[:200] for one in self.at(endpoint) if "netbench-" in one.line or one.argv[0] in TOOLS]
        found = self.run(endpoint, "sh", "-c", "ls -d /tmp/netbench-* /run/lock/netbench-* 2>/dev/null || :")
        return ours + found.split()


def end(process: Process, number: signal.Signals) -> bool:
    """Send a signal to exactly that process; False where it has ended meanwhile."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def soon(find: Callable[[], Found], seconds: float) -> Found:
    """What ``find`` gives, as soon as it is something; after that many seconds whatever it gives."""
    deadline = time.monotonic() + seconds
    while not (found := find()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _numbers(pid: int) -> list[str]:
    """Its numbers, from this machine's namespace to its own."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])


def _within(pid: int, init: int) -> bool:
    """Whether the process came from that lab: one of its forebears is the lab's init."""
    while pid > 1:
        if pid == init:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False
