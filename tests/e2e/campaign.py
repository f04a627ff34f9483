"""A campaign run as a user runs it, and what must hold of every one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from netbench.lab.state import LabState

KINDS = ("host", "terway-eni", "terway")
PROBES = ("throughput", "pps", "latency")
ROUNDS = 3


@dataclass(frozen=True)
class Campaign:
    """A finished `netbench bench`."""

    exit_code: int
    stdout: str
    stderr: str
    directory: Path | None

    @property
    def plan(self) -> dict[str, object]:
        assert self.directory is not None, self.stderr
        loaded: dict[str, object] = json.loads((self.directory / "plan.json").read_text())
        return loaded

    @property
    def records(self) -> list[dict[str, object]]:
        assert self.directory is not None, self.stderr
        return [json.loads(line) for line in (self.directory / "samples.jsonl").read_text().splitlines()]

    @property
    def report(self) -> str:
        assert self.directory is not None, self.stderr
        return (self.directory / "report.md").read_text()


def netbench(*arguments: str, lab: LabState | None = None) -> subprocess.CompletedProcess[str]:
    """The console program, without a terminal, on this machine or in a lab."""
    program = (sys.executable, "-m", "netbench")
    return subprocess.run(
        [*program, *(("lab.run", "--", *program) if lab else ()), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
        env={**os.environ, **({"NETBENCH_LAB": str(lab.directory)} if lab else {})},
        check=False,
    )


def bench(*arguments: str, reports: Path, lab: LabState | None = None) -> Campaign:
    """`netbench bench ARGUMENTS`, on this machine or in a lab."""
    known = set(reports.glob("*")) if reports.exists() else set()
    done = netbench("bench", "--reports", str(reports), *arguments, lab=lab)
    new = sorted(set(reports.glob("*")) - known) if reports.exists() else []
    return Campaign(done.returncode, done.stdout, done.stderr, new[0] if new else None)


def assert_complete(campaign: Campaign, zone: str) -> None:
    """Nine of nine cells for three probes and three rounds, every flow across nodes, in the zones asked for."""
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    steps = {step["id"]: step for step in campaign.plan["steps"]}  # type: ignore[attr-defined]
    zones = {planned["name"]: planned["zone"] for planned in campaign.plan["endpoints"]}  # type: ignore[attr-defined]
    seen: dict[tuple[str, str, str], set[int]] = {}
    for record in campaign.records:
        assert record["outcome"]["failure"] is None, record  # type: ignore[index]
        step = steps[record["step"]]
        assert step["pair"]["source"] != step["pair"]["destination"]
        assert (zones[step["source"]] == zones[step["destination"]]) is (zone == "same")
        cell = (step["probe"], step["cell"]["source"], step["cell"]["destination"])
        seen.setdefault(cell, set()).add(step["round"])
    assert set(seen) == {(probe, a, b) for probe in PROBES for a in KINDS for b in KINDS}
    assert all(rounds == set(range(1, ROUNDS + 1)) for rounds in seen.values())
    assert "n/a" not in campaign.stdout


def values(campaign: Campaign, metric: str) -> dict[str, list[float]]:
    """The samples of a metric by cell ("host->terway")."""
    steps = {step["id"]: step for step in campaign.plan["steps"]}  # type: ignore[attr-defined]
    found: dict[str, list[float]] = {}
    for record in campaign.records:
        cell = steps[record["step"]]["cell"]
        for sample in record["measurement"]["samples"]:  # type: ignore[index]
            if sample["metric"] == metric:
                found.setdefault(f"{cell['source']}->{cell['destination']}", []).append(sample["value"])
    return found
