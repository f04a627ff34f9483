"""A lab's state directory: what is in it, whether its init lives, and how it is cleaned."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netbench.errors import UsageError

VARIABLE = "NETBENCH_LAB"
DEFAULT = "/run/netbench-lab"
MARK = "spec.json"  # the first file of a lab's state; a directory without it is not ours
OURS = (
    *("inventory", "log", "tls", "endpoints", "kube-cache"),
    *("kubeconfig", "known_hosts", "id", "id.pub", "init.pid", "notes.json", "pods.json", "nodes.json", "api.json"),
)
PASSING = (".lock", ".new")  # suffixes of files that are ours whether or not there is a mark


@dataclass(frozen=True)
class LabState:
    """Where one lab keeps its files. Several labs have several directories."""

    directory: Path

    @classmethod
    def default(cls) -> LabState:
        """The directory named by NETBENCH_LAB, else /run/netbench-lab."""
        return cls(Path(os.environ.get(VARIABLE) or DEFAULT).absolute())

    @property
    def inventory(self) -> Path:
        return self.directory / "inventory" / "hosts.yaml"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def key(self) -> Path:
        """The private key that logs in to every node."""
        return self.directory / "id"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def tls(self) -> Path:
        return self.directory / "tls"

    @property
    def init_pid(self) -> Path:
        """ "PID STARTTIME" of the lab's first process, as the machine sees it."""
        return self.directory / "init.pid"

    @property
    def spec(self) -> Path:
        return self.directory / MARK

    @property
    def notes(self) -> Path:
        """What this lab does not emulate: a JSON list of sentences."""
        return self.directory / "notes.json"

    @property
    def pods(self) -> Path:
        return self.directory / "pods.json"

    @property
    def nodes(self) -> Path:
        """Node's name -> its first process, as the lab sees it; those of pods are in ``pods``."""
        return self.directory / "nodes.json"

    @property
    def api(self) -> Path:
        """What the API endpoint answers instead of serving: {"fail": 500}; it serves where the file is not there."""
        return self.directory / "api.json"

    def endpoint(self, name: str) -> Path:
        """What one node or pod is started with."""
        return self.directory / "endpoints" / name

    def running(self) -> int | None:
        """The pid of the lab's init while it lives, else None."""
        try:
            pid, started = self.init_pid.read_text().split()
            return int(pid) if start_time(int(pid)) == started else None
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def locked(self, name: str, *, shared: bool = False) -> Iterator[None]:
        """Hold one of the lab's locks; waits for whoever holds it now."""
        path = self.directory / f"{name}.lock"
        while True:
            self.claim()
            with path.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
                # whoever held it may have removed it, and others may already lock the next file of that name
                if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                    yield
                    return

    def claim(self) -> None:
        """Make the directory, readable by its owner only. Raises UsageError where it belongs to something else."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            strangers = [path.name for path in self.directory.iterdir() if path.suffix not in PASSING]
        except OSError as error:
            raise UsageError(f"{self.directory}: {error.strerror}", f"set {VARIABLE} to another directory") from error
        if strangers and not self.spec.exists():
            raise UsageError(
                f"{self.directory} is not empty and not a lab's (it holds {sorted(strangers)[0]})",
                f"set {VARIABLE} to a directory for the lab alone",
            )
        self.directory.chmod(0o700)

    def clean(self) -> None:
        """Remove what a lab writes, and nothing else; the mark goes last."""
        for name in (*OURS, MARK):
            path = self.directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Clean, and give the directory back where nothing else is in it."""
        self.clean()
        for suffix in PASSING:
            for path in self.directory.glob(f"*{suffix}"):
                path.unlink()
        with contextlib.suppress(OSError):
            self.directory.rmdir()


def start_time(pid: int) -> str:
    """When a process was started, in clock ticks since boot: with its pid, what identifies it.

    Raises OSError where there is none, or only what is left of it until its parent asks how it ended.
    """
    stat = Path(f"/proc/{pid}/stat").read_text()
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and parentheses
    if state in "ZX":
        raise ProcessLookupError(pid)
    return fields[18]


def write_json(path: Path, data: Any) -> None:
    """Replace a file as a whole, so that no reader finds half of it."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(data, indent=1) + "\n")
    new.replace(path)


def read_json(path: Path) -> Any:
    """What ``write_json`` wrote there."""
    return json.loads(path.read_text())
