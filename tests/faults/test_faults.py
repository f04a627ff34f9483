"""Faults at seeded random moments of a run in the lab: nothing lost, nothing doubled, no wrong number, nothing left.

``make faults`` makes 200 of them; ``make test-long`` one of each kind. NETBENCH_FAULTS says how many,
NETBENCH_FAULTS_SEED where the numbers begin.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netbench.lab.spec import LabSpec
from tests.faults.faults import FAULTS, HOSTS, PODS
from tests.faults.site import Site, soon
from tests.lab.conftest import need_lab, running_lab

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(400)]
ENDPOINTS = (*HOSTS, *PODS, "a1-terway-eni", "a2-terway-eni")  # of the nodes that are measured: all are leased
RATE = 400e6  # bit/s of every link
PAYLOAD = 0.9565 * RATE  # what headers leave of it (MTU 1500, TCP with timestamps)
BURST = 8e6  # bits the shaper lets through at once: seen in a test of one second
LOW = 0.75  # of the truth, on a busy machine, where nothing disturbed the step
SMALL = ("--profile", "smoke", "--kinds", "host,terway", "--probes", "throughput,latency", "--rounds", "1")
COUNT = int(os.environ.get("NETBENCH_FAULTS", str(len(FAULTS))))
SEED = int(os.environ.get("NETBENCH_FAULTS_SEED", "0"))
INTERRUPTS = {"SIGINT": 130, "SIGTERM": 130, "SIGKILL": 137}
LEFT = 3.0  # seconds a stopped job may need to take its directory away


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_lab()
    # a disk of its own for every run directory, which the lab shares because it is there before it
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(("mount", "-n", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk), check=True)
    spec = LabSpec(zones={"zone-a": HOSTS, "zone-b": ("b1",)}, bandwidth=RATE)
    with running_lab(tmp_path_factory.mktemp("lab"), spec) as state:
        yield Site(state, disk)
    subprocess.run(("umount", "-n", disk), check=True)


@pytest.mark.parametrize("number", range(SEED, SEED + COUNT))
def test_a_fault_at_a_random_moment(site: Site, number: int) -> None:
    name = list(FAULTS)[number % len(FAULTS)]
    rng = random.Random(number)  # noqa: S311 - a seed that can be given again
    reports = site.disk / str(number) / "reports"
    reports.parent.mkdir()
    run, bench = site.bench(reports, *SMALL, module="tests.faults.clock" if name == "clock jump" else "netbench")
    early = name in INTERRUPTS  # these at any moment, the others while it measures
    if not early:
        soon(lambda: list(reports.glob("*/manifest.json")) or run.poll() is not None, 60)
    # not in the first moments, in which the interpreter itself is not yet ready for a signal
    time.sleep(rng.uniform(0.3, 18.0) if early else rng.uniform(0.0, 10.0))
    begun = datetime.now(timezone.utc)
    did = FAULTS[name](site, rng, bench)
    over = datetime.now(timezone.utc)
    if name == "clock jump":  # disturbs no step at all
        over = begun = datetime.fromtimestamp(0, timezone.utc)
    stdout, stderr = run.communicate(timeout=200)
    said = f"{name}: {did}\n{stdout}\n{stderr}"
    assert "Traceback" not in stdout + stderr, said

    found = list(reports.glob("*/manifest.json"))
    if not found:  # it was stopped before it measured
        assert early, said
        assert run.returncode in (INTERRUPTS[name], 128 + signal.Signals[name]), said
    else:
        judge(site, found[0].parent, run.returncode, name, did, (begun, over), said)
    for endpoint in ENDPOINTS:
        soon(partial(gone, site, endpoint), LEFT)
        left = [each for each in site.left(endpoint) if "/lease." not in each]
        assert left == [], f"{endpoint}: {left}\n{said}"
    release(site)


def gone(site: Site, endpoint: str) -> bool:
    return not site.left(endpoint)


def judge(
    site: Site, run: Path, code: int, name: str, did: str | None, disturbed: tuple[datetime, datetime], said: str
) -> None:
    """The exit code, then the run taken up again until it is whole, then every sample."""
    manifest = json.loads((run / "manifest.json").read_text())
    status = manifest["status"]
    if name == "clock jump" and did:
        created, finished = (datetime.fromisoformat(manifest[key]) for key in ("created", "finished"))
        assert abs((finished - created).total_seconds()) > 80_000, f"the clock was not set\n{said}"
    promised = {0: "complete", 1: "partial", 130: "interrupted", 137: "running"}
    allowed = {0, INTERRUPTS[name]} if name in INTERRUPTS and did else {0} if name == "clock jump" else {0, 1}
    assert code in allowed, said
    if name == "disk full" and code == 1:  # how the run stopped could not be written down any more
        assert "--resume" in said, said
    else:
        # a signal may come when all is measured: while the result is shown, and leases are given back
        assert status == promised[code] or (code in (130, 137) and status == "complete"), said
    before = (run / "samples.jsonl").read_bytes() if (run / "samples.jsonl").exists() else b""
    whole = before[: before.rfind(b"\n") + 1]
    if code != 0:
        again = site.netbench("bench", "--resume", str(run), "--reports", str(run.parent))
        stdout, stderr = again.communicate(timeout=200)
        assert "Traceback" not in stdout + stderr, stderr
        assert again.returncode == 0, f"{said}\nresumed:\n{stdout}\n{stderr}"
    after = (run / "samples.jsonl").read_bytes()
    assert after.startswith(whole), said
    plan = json.loads((run / "plan.json").read_text())
    steps = {step["id"]: step for step in plan["steps"]}
    records = [json.loads(line) for line in after.decode().splitlines()]
    good = [record for record in records if record["outcome"]["failure"] is None]
    assert sorted(record["step"] for record in good) == sorted(steps), said
    for record in good:
        if steps[record["step"]]["probe"] == "throughput":
            check_rate(run, record, disturbed, said)
    assert json.loads((run / "manifest.json").read_text())["status"] == "complete"
    assert (run / "report.md").exists()


def check_rate(run: Path, record: dict[str, Any], disturbed: tuple[datetime, datetime], said: str) -> None:
    """What the record says is what the tool said, and no more than the link gives; no less, where nothing disturbed."""
    raw = json.loads((run / "raw" / f"{record['step']}.{record['attempt']}.client.out").read_text())
    received = raw["end"]["sum_received"]
    (value,) = [one["value"] for one in record["measurement"]["samples"] if one["metric"] == "throughput"]
    assert value == pytest.approx(received["bits_per_second"], rel=1e-6), said
    assert value <= 1.02 * PAYLOAD + BURST / received["seconds"], (record, said)
    begun = datetime.fromisoformat(record["started"]).timestamp()
    ended = begun + record["seconds"]
    if begun > disturbed[1].timestamp() + 1 or ended < disturbed[0].timestamp():
        assert record["seconds"] < 30, said
        assert value >= LOW * PAYLOAD, (record, said)


def release(site: Site) -> None:
    """Leases that netbench could not give back, being dead or cut off, expire by themselves: nobody waits here."""
    if all(gone(site, endpoint) for endpoint in ENDPOINTS):
        return
    done = site.netbench("clean", "--force")
    stdout, stderr = done.communicate(timeout=60)
    assert done.returncode == 0, stdout + stderr
    assert all(gone(site, endpoint) for endpoint in ENDPOINTS), stdout
