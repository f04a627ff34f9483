"""What a step costs beyond its configured duration, in the lab: median under 0.4 s over SSH, 0.8 s over kubectl.

iperf3 itself needs some tenths of a second around ``-t`` (connecting, the exchange of results), ping the last round
trip: the same commands run straight inside the lab show that floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from netbench.lab.state import LabState
from tests.e2e.campaign import bench
from tests.lab.conftest import running_lab

GOALS = {"ssh": 0.4, "kubectl": 0.8}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield state


@pytest.mark.timeout(900)
def test_the_overhead_of_a_step(lab: LabState, tmp_path: Path) -> None:
    campaign = bench("--profile", "smoke", reports=tmp_path / "reports", lab=lab)
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    steps = {step["id"]: step for step in campaign.plan["steps"]}  # type: ignore[attr-defined]
    found: dict[tuple[str, str], list[float]] = {}
    for record in campaign.records:
        step = steps[record["step"]]
        ends = {step["cell"]["source"] == "host", step["cell"]["destination"] == "host"}
        if len(ends) == 1:  # mixed cells belong to neither
            way = "ssh" if ends == {True} else "kubectl"
            seconds = float(record["seconds"]) - float(step["seconds"])  # type: ignore[arg-type]
            found.setdefault((way, step["probe"]), []).append(seconds)
    print()
    for (way, probe), values in sorted(found.items()):
        print(f"{way:8} {probe:11} n={len(values):2} median {median(values):.3f} s, worst {max(values):.3f} s")
    for way, goal in GOALS.items():
        values = [value for (over, _), many in found.items() if over == way for value in many]
        print(f"{way:8} {'all':11} n={len(values):2} median {median(values):.3f} s (goal {goal} s)")
        assert median(values) < goal
