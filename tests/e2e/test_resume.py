"""Killed at a random moment and taken up again, in the lab: no finished sample is lost or measured twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.campaign import netbench
from tests.lab.conftest import Lab, running_lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
SMALL = ("--profile", "smoke", "--kinds", "host", "--probes", "latency,throughput", "--rounds", "3")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield Lab(state)


def test_a_killed_run_is_taken_up_without_losing_or_doubling_a_sample(lab: Lab, tmp_path: Path) -> None:
    reports = str(tmp_path / "r")
    ended = random.Random(7).randrange(1, 5)  # noqa: S311 - steps that are over when it is killed
    pidfile = tmp_path / "pid"
    argv = ("sh", "-c", 'echo $$ >"$0"; exec "$@"', str(pidfile), sys.executable, "-m", "netbench", "bench", *SMALL)
    process = subprocess.Popen(lab.argv(*argv, "--reports", reports), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"[{ended}/"):
            lab.output("kill", "-KILL", pidfile.read_text().strip())
            break
    process.communicate(timeout=60)
    (run,) = (tmp_path / "r").iterdir()
    before = journal(run)
    assert len(before) >= ended
    with (run / "samples.jsonl").open("ab") as file:
        file.write(b'{"schema": 1, "step": "to')  # as a power cut leaves it

    done = netbench("bench", "--resume", "latest", "--reports", reports, lab=lab.state)
    assert done.returncode == 0, done.stdout + done.stderr
    after = journal(run)
    assert after[: len(before)] == before
    planned = [step["id"] for step in json.loads((run / "plan.json").read_text())["steps"]]
    good = [record["step"] for record in after if record["outcome"]["failure"] is None]
    assert sorted(good) == sorted(planned)
    new = [record for record in after[len(before) :] if record["outcome"]["failure"] is None]
    assert {record["session"] for record in new} == {2}
    assert "taken up again" in (run / "report.md").read_text()

    whole = netbench("bench", "--resume", "latest", "--reports", reports, lab=lab.state)
    assert whole.returncode == 0, whole.stderr
    assert "is finished" in whole.stderr
    assert journal(run) == after


def test_a_changed_environment_is_refused_or_marked(lab: Lab, tmp_path: Path) -> None:
    reports = str(tmp_path / "r")
    made = netbench("bench", *SMALL, "--reports", reports, lab=lab.state)
    assert made.returncode == 0, made.stderr
    (run,) = (tmp_path / "r").iterdir()
    lines = (run / "samples.jsonl").read_text().splitlines(keepends=True)
    (run / "samples.jsonl").write_text("".join(lines[:-1]))
    manifest = json.loads((run / "manifest.json").read_text())
    endpoint = manifest["environment"][0]
    kernel, endpoint["facts"]["kernel"] = endpoint["facts"]["kernel"], "4.0-old"
    (run / "manifest.json").write_text(json.dumps(manifest))

    refused = netbench("bench", "--resume", "latest", "--reports", reports, lab=lab.state)
    said = f"{endpoint['endpoint']}: kernel was 4.0-old, is {kernel}"
    assert refused.returncode == 3, refused.stderr
    assert said in refused.stderr
    options = ("--resume", "latest", "--reports", reports, "--allow-changed-environment")
    allowed = netbench("bench", *options, lab=lab.state)
    assert allowed.returncode == 0, allowed.stderr
    assert "THE ENVIRONMENT CHANGED" in (run / "report.md").read_text()
    assert json.loads((run / "manifest.json").read_text())["sessions"][-1]["changes"] == [said]


def test_two_at_a_time_and_another_plan_are_refused(lab: Lab, tmp_path: Path) -> None:
    reports = str(tmp_path / "r")
    argv = (sys.executable, "-m", "netbench", "bench", *SMALL, "--duration", "8", "--reports", reports)
    process = subprocess.Popen(lab.argv(*argv), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[1/"):
            break
    second = netbench("bench", "--resume", "latest", "--reports", reports, lab=lab.state)
    os.kill(process.pid, signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert second.returncode == 75, second.stderr
    assert process.returncode == 130, stderr
    assert "--resume" in stderr
    other = netbench("bench", "--resume", "latest", "--rounds", "9", "--reports", reports, lab=lab.state)
    assert other.returncode == 2
    assert "--rounds" in other.stderr


def journal(run: Path) -> list[dict[str, dict[str, object]]]:
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
