"""What a step takes beyond its configured duration, as a ratio to an older netbench, in the lab.

The base is exported from git and run from there, in turn with this tree, against one lab that this tree started: so
whatever else the machine does slows both. One pair is a campaign of each, one right after the other, with one step of
every probe; the first of a pair is the base's in even pairs and ours in odd ones. iperf3 itself needs some tenths of a
second around ``-t`` (connecting, the exchange of results), ping the last round trip: that floor is in both.

NETBENCH_BASE names another base, NETBENCH_PAIRS how many pairs (3 show that it works), NETBENCH_BOUND the highest ratio
that passes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tabulate import tabulate

from netbench.lab.state import LabState
from tests.lab.conftest import Lab, running_lab

ROOT = Path(__file__).parents[2]
#: main before the remote side was rebuilt
BASE = os.environ.get("NETBENCH_BASE") or "7e64d8d0d5c81f130c2be26649b394d7eb63902d"
PAIRS = int(os.environ.get("NETBENCH_PAIRS") or 30)
BOUND = float(os.environ.get("NETBENCH_BOUND") or 1.1)
WAYS = {"ssh": "host", "kubectl": "terway"}  # the kind at both ends
RESAMPLES = 4000

Overheads = dict[str, float]  # probe -> seconds beyond the configured duration


@dataclass(frozen=True)
class Revision:
    """One netbench: the directory that holds its package and its metadata, which name its plugins."""

    name: str
    directory: Path

    def run(self, *argv: str, lab: LabState, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run its Python in the lab, which this tree enters. ``cwd`` has no netbench, for Python looks there first."""
        return subprocess.run(
            Lab(lab).argv("env", f"PYTHONPATH={self.directory}", sys.executable, *argv),
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def campaign(self, kind: str, lab: LabState, cwd: Path) -> Overheads:
        """One step of every probe from that kind to itself."""
        reports = cwd / "reports" / self.name
        arguments = ("--kinds", kind, "--profile", "smoke", "--rounds", "1", "--quiet", "--reports", str(reports))
        known = set(reports.glob("*"))
        done = self.run("-m", "netbench", "bench", *arguments, lab=lab, cwd=cwd)
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        (directory,) = set(reports.glob("*")) - known
        steps = {step["id"]: step for step in json.loads((directory / "plan.json").read_text())["steps"]}
        records = [json.loads(line) for line in (directory / "samples.jsonl").read_text().splitlines()]
        assert len(records) == len(steps)
        assert all(record["outcome"]["failure"] is None for record in records), records
        return {steps[one["step"]]["probe"]: one["seconds"] - steps[one["step"]]["seconds"] for one in records}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield state


@pytest.fixture
def base(tmp_path: Path) -> Revision:
    directory = tmp_path / "base"
    directory.mkdir()
    archive = tmp_path / "base.tar"
    _must("git", "archive", f"--output={archive}", BASE, cwd=ROOT)
    _must("tar", "--extract", f"--file={archive}", cwd=directory)
    _must(sys.executable, "-c", "import setuptools; setuptools.setup()", "--quiet", "egg_info", cwd=directory)
    return Revision("base", directory)


def _must(*argv: str, cwd: Path) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"


@pytest.mark.timeout(60 + 120 * PAIRS)
def test_the_overhead_of_a_step(base: Revision, lab: LabState, tmp_path: Path) -> None:
    current = Revision("current", ROOT)
    for revision in (base, current):
        where = revision.run("-c", "import netbench; print(netbench.__file__)", lab=lab, cwd=tmp_path).stdout
        assert Path(where).parts[:-2] == revision.directory.parts, where
    pairs: dict[str, list[tuple[Overheads, Overheads]]] = {way: [] for way in WAYS}
    for number in range(PAIRS):
        for way, kind in WAYS.items():
            order = (base, current) if number % 2 == 0 else (current, base)
            found = {revision.name: revision.campaign(kind, lab, tmp_path) for revision in order}
            pairs[way].append((found["base"], found["current"]))
    rows: list[tuple[object, ...]] = []
    ratios: dict[str, float] = {}
    for way, many in pairs.items():
        probes = sorted(many[0][0])
        for name, chosen in (*((probe, [probe]) for probe in probes), ("all", probes)):
            # pair, revision, probe
            values = np.array([[[side[probe] for probe in chosen] for side in pair] for pair in many])
            before, after = (float(np.median(values[:, side])) for side in (0, 1))
            low, high = interval(values)
            ratios[way] = after / before  # the last is that of all probes
            rows.append((way, name, len(many) * len(chosen), before, after, after / before, f"{low:.3f} to {high:.3f}"))
    headers = ("way", "probe", "steps each", "base s", "now s", "ratio", "95 % interval")
    print(f"\nmedian seconds beyond the configured duration; base {BASE[:12]}, {PAIRS} pairs of campaigns\n")
    print(tabulate(rows, headers=headers, floatfmt=".3f"))
    print(f"allowed: {BOUND:g} for all probes of a way")
    assert max(ratios.values()) <= BOUND


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % of the ratio of medians, by the bootstrap over pairs: steps of one campaign are not independent."""
    chosen = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    medians = np.median(values[chosen].transpose(0, 2, 1, 3).reshape(RESAMPLES, 2, -1), axis=2)
    low, high = np.quantile(medians[:, 1] / medians[:, 0], (0.025, 0.975))
    return float(low), float(high)
