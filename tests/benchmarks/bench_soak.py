"""500 steps in a row in the lab: netbench's memory, threads and file descriptors stay flat. ``make soak``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tabulate import tabulate

from tests.faults.site import Site
from tests.lab.conftest import running_lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]
SHORT = ("--probes", "latency", "--option", "latency.count=2", "--option", "latency.interval=0.2")
ARGUMENTS = ("--kinds", "host,terway", *SHORT, "--rounds", "125")  # 4 cells
STEPS = 500
EVERY = 50  # steps between two rows of the table


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield Site(state)


def test_memory_threads_and_descriptors_stay_flat(site: Site, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run, bench = site.bench(reports, *ARGUMENTS, "--quiet")
    rows: list[tuple[int, int, int, int]] = []
    while run.poll() is None:
        steps = sum(path.read_bytes().count(b"\n") for path in reports.glob("*/samples.jsonl"))
        if steps >= EVERY * (len(rows) + 1) and steps < STEPS:
            rows.append((steps, *usage(bench.pid)))
        time.sleep(0.1)
    stdout, stderr = run.communicate()
    print(tabulate(rows, headers=("steps", "RSS MiB", "most threads", "most descriptors")))
    assert run.returncode == 0, stdout + stderr
    assert len(rows) >= STEPS // EVERY - 1
    early, late = (
        [max(column) for column in zip(*half, strict=True)] for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :])
    )
    assert late[1] <= 1.05 * early[1], "memory grows"
    assert late[2] <= early[2] + 2, "threads pile up"
    assert late[3] <= early[3] + 2, "descriptors pile up"


def usage(pid: int) -> tuple[int, int, int]:
    """Resident MiB, and the most threads and open files within two seconds: they come and go with every step."""
    most = [0, 0]
    resident = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        resident = int(status["VmRSS"].split()[0]) // 1024
        most = [max(most[0], int(status["Threads"])), max(most[1], len(list(Path(f"/proc/{pid}/fd").iterdir())))]
        time.sleep(0.02)
    return resident, most[0], most[1]
