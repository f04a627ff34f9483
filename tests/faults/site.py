"""The lab as those who break it see it: every process of every endpoint, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from netbench.lab import launch
from netbench.lab.namespaces import inside
from netbench.lab.pods import first_processes
from netbench.lab.state import VARIABLE, LabState

Found = TypeVar("Found")
TOOLS = ("iperf3", "ping")
#: Lists what lies in state directories (see netbench/run/state.sh), and those that are empty.
STATE = """for home in /run/netbench-[0-9]* /tmp/netbench-[0-9]* /var/tmp/netbench-[0-9]* /dev/shm/netbench-[0-9]*; do
[ ! -d "$home" ] || ls -d "$home"/* 2>/dev/null || echo "$home"
done"""


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

    def at(self, endpoint: str) -> list[Process]:
        """The processes of a node or a pod."""
        # the lab's own /proc, by the root of its first process: there numbers are as the lab sees them
        first = Path(f"/proc/{self.init}/root/proc/{first_processes(self.state)[endpoint]}/ns/pid")
        namespace = first.readlink().name
        return [process for process in self.processes() if process.namespace == namespace]

    def ssh_sessions(self, host: str) -> list[Process]:
        """Of everybody who is logged in there."""
        return [one for one in self.at(host) if one.line.startswith("sshd: root")]

    def execs(self, bench: Process) -> list[Process]:
        """The kubectl exec processes of that netbench."""
        return [one for one in self.processes() if one.parent == bench.pid and "exec" in one.argv]

    def run(self, endpoint: str, *argv: str) -> str:
        """What a command on an endpoint says."""
        return subprocess.run(self.there(endpoint, argv), check=True, capture_output=True, text=True, timeout=30).stdout

    def start(self, endpoint: str | None, *argv: str) -> subprocess.Popen[bytes]:
        """Start a command on an endpoint, or on the bastion."""
        quiet = subprocess.DEVNULL
        command = self.there(endpoint, argv)
        return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=launch.environment())

    def netbench(self, *arguments: str, module: str = "netbench") -> subprocess.Popen[str]:
        """netbench on the lab's bastion, without a terminal; ``module`` is what is run there."""
        python = (sys.executable, "-m")
        heard = ("env", "--default-signal=HUP")  # the tests themselves may run under nohup
        return subprocess.Popen(
            [*heard, *python, "netbench", "lab.run", "--", *python, module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, VARIABLE: str(self.state.directory)},
        )

    def bench(self, reports: Path, *arguments: str, module: str = "netbench") -> tuple[subprocess.Popen[str], Process]:
        """A bench that has begun: what was started, and the process in the lab that measures."""
        run = self.netbench("bench", *arguments, "--reports", str(reports), module=module)
        return run, self.measuring(reports)

    def measuring(self, reports: Path) -> Process:
        """The process in the lab that measures into there, as soon as it does."""
        found = soon(lambda: self._measuring(str(reports)), 30)
        assert found is not None, "netbench did not start"
        return found

    def _measuring(self, reports: str) -> Process | None:
        """In the lab's namespaces, below those that lead into them."""
        lab = Path(f"/proc/{self.init}/ns/pid").readlink().name
        for process in self.processes():
            led_in = "guest.py" in process.line or "lab.run" in process.argv
            if process.namespace == lab and reports in process.argv and "python" in process.argv[0] and not led_in:
                return process
        return None

    def there(self, endpoint: str | None, argv: Sequence[str]) -> tuple[str, ...]:
        """The command line that runs one on an endpoint, or on the bastion where that is None.

        By way of the bastion, where the endpoint's first process has the number that the lab knows.
        """
        if endpoint is not None:
            argv = inside(first_processes(self.state)[endpoint], argv)
        return inside(self.init, argv)

    def left(self, endpoint: str) -> list[str]:
        """What of netbench is there: its processes, directories and leases."""
        ours = [one.line[:200] for one in self.at(endpoint) if self._ours(one)]
        return ours + self.run(endpoint, "sh", "-c", STATE).split()

    @staticmethod
    def _ours(one: Process) -> bool:
        """A tool, the shell that a program was sent to, the one that reads it, or the sleep that is its deadline."""
        deadline = one.argv[0] == "sleep" and one.argv[-1].isdecimal()
        return one.argv[0] in TOOLS or "netbench-" in one.line or one.argv == ("sh",) or deadline


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
