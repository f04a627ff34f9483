"""A lab for the tests of a module, and programs run in it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netbench.lab import control
from netbench.lab.requirements import missing
from netbench.lab.spec import LabSpec
from netbench.lab.state import LabState

RUN = """
import sys
from pathlib import Path
from netbench.lab.control import run
from netbench.lab.state import LabState
sys.exit(run(sys.argv[2:], LabState(Path(sys.argv[1]))))
"""
SPEC = LabSpec(
    bandwidth=8e8,  # what a busy machine, too, sends with ease
    rate_fractions={"a2-terway": 0.5, "b1": 0.25},
    kind_labels={"b1-terway": "terway-eni"},
)


class Lab:
    """A lab, and what tests do in it."""

    def __init__(self, state: LabState) -> None:
        self.state = state

    def argv(self, *argv: str) -> list[str]:
        """A command line that runs this one in the lab."""
        return [sys.executable, "-c", RUN, str(self.state.directory), *argv]

    def run(self, *argv: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end and keep what it says."""
        return subprocess.run(self.argv(*argv), capture_output=True, **{"timeout": 60, **options})  # type: ignore[call-overload]

    def output(self, *argv: str) -> str:
        """What it says, where it succeeds."""
        done = self.run(*argv)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def ssh(self, address: str, command: str) -> str:
        """What a command line on a node says."""
        return self.output(
            *("ssh", "-n", "-F", "none", "-i", str(self.state.key), "-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={self.state.known_hosts}"),
            *("-o", "GlobalKnownHostsFile=none", f"root@{address}", command),
        )


def need_lab() -> None:
    """Skip where this machine cannot have one, and say what it lacks."""
    if lacking := missing():
        pytest.skip(f"the lab needs {', '.join(lacking)}: {'; '.join(dict.fromkeys(lacking.values()))}")


@contextmanager
def running_lab(directory: Path, spec: LabSpec | None = None) -> Iterator[LabState]:
    """A lab in a directory of its own; skips as ``need_lab``."""
    need_lab()
    state = control.up(spec, LabState(directory / "state"))
    try:
        yield state
    finally:
        control.down(state)


@pytest.fixture(scope="session")
def able() -> None:
    need_lab()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab"), SPEC) as state:
        yield Lab(state)


def eventually(holds: Callable[[], object], seconds: float = 10.0) -> object:
    """Wait until something holds, and return it; fail when it does not in that time."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found
