"""A hostile pod in a campaign: it costs the bastion little, and its own steps only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.faults.site import Process, end, soon
from tests.hostile.attacks import ATTACKS, FLOODS, HANGS, HOSTS, OUTPUTS

ROOT = Path(__file__).parents[2]
MEMORY = 50 << 20  # bytes that a hostile pod may cost the bastion beyond an honest one
CPU = 2.0  # seconds
LATE = 5.0  # seconds after the end by which all processes of it must have ended
AT_ONCE = 6  # campaigns; most of them wait most of the time
PODS = ("a1", "b1", "a2", "b2")  # kind and node
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="pods with places of their own need root (mount namespaces)"),
]


LATENCY = ("output-lines", "output-ping-digits", "output-ping-slashes", "output-blanks")  # what ping might say
# a network of its own; slow, for what is measured is the bastion
AROUND = """ip link set lo up && for each in $0; do ip address add "$each/8" dev lo || exit; done
tc qdisc add dev lo root tbf rate 200mbit burst 1m latency 50ms && exec "$@"
"""


@dataclass(frozen=True)
class Trial:
    """One campaign: which commands of the evil pod are answered by which attack."""

    attack: str = ""
    stages: tuple[str, ...] = ()
    pod: str = "b2"  # b2 is where flows end, b1 where they start
    harmless: bool = False  # a lie that may be believed: it says something about the liar alone
    spreads: bool = False  # a lie about its node, which cannot be told from the truth: "busy"

    @property
    def probe(self) -> str:
        if not self.attack and self.harmless:
            return "latency"
        return "latency" if self.attack in LATENCY else "throughput"

    def __str__(self) -> str:
        return f"{self.attack or 'honest'} at {', '.join(self.stages) or 'no stage'} of {self.pod}"


@dataclass(frozen=True)
class Ended:
    """How it went."""

    code: int
    out: str
    err: str
    cpu: float
    memory: float
    records: tuple[dict[str, Any], ...]
    plan: dict[str, Any]
    asked: tuple[tuple[str, str, bool], ...]  # pod, stage, attacked
    left: tuple[str, ...]  # processes of its that are there five seconds after its end

    @cached_property
    def steps(self) -> dict[str, Any]:
        return {step["id"]: step for step in self.plan.get("steps", ())}

    def outcomes(self, pod: str, *, evil: bool) -> list[dict[str, Any]]:
        """Of the steps that the evil pod has a part in, or of the others."""
        ends = {name: {step["source"], step["destination"]} for name, step in self.steps.items()}
        return [
            record["outcome"]
            for record in self.records
            if any(end.endswith(pod) for end in ends[record["step"]]) == evil
        ]


HONEST = Trial(harmless=True)  # of latency; without: of throughput
START = ("job start",)
TRIALS = (
    *(Trial(attack, ("facts",)) for attack in (*FLOODS, *HANGS)),
    *(Trial(attack, START) for attack in (*FLOODS, *HANGS)),
    *(Trial(attack, START, "b1") for attack in ("zeros", "endless-beats", "blob-zeros", "mid-blob", "before-end")),
    *(Trial(attack, ("lease take",)) for attack in ("zeros", "endless-line-marked", "blob-zeros", "after-greeting")),
    *(Trial(attack, ("lease drop",), harmless=True) for attack in ("zeros", "after-greeting")),
    *(Trial(attack, ("reach",), "b1") for attack in ("zeros", "endless-lines")),
    *(Trial(attack, ("job stop",), harmless=True) for attack in ("zeros", "endless-lines", "after-greeting")),
    *(Trial(attack, START, "b1") for attack in ("size-of-frame", "size-of-blob", "count-of-lines", "negative")),
    *(Trial(attack, START, "b1") for attack in ("exit-code", "nothing", "other-token", "replayed", "lost", "gone")),
    *(Trial(attack, START, "b1") for attack in ("replayed-with-token", "uptime")),
    *(Trial(attack, ("facts",)) for attack in ("nothing", "other-token", "replayed", "exit-code")),
    *(Trial(attack, ("facts",), harmless=True) for attack in ("many-facts", "much-evidence")),
    Trial("many-others", ("lease take",), harmless=True),
    *(Trial(attack, ("lease take",), harmless=True, spreads=True) for attack in ("many-leases", "lease-of-ages")),
    *(Trial(f"output-{name}", START, "b1") for name in OUTPUTS),
    *(Trial(name, START, "b1") for name in HOSTS),
)
#: All take a quarter of an hour, most of it waiting for deadlines: NETBENCH_TRIALS=1; else every third
CHOSEN = TRIALS[:: int(os.environ.get("NETBENCH_TRIALS", "3"))]


def running(directory: Path) -> list[Process]:
    """Processes whose command lines name it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            argv = (path / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
            if any(word.startswith(f"{directory}/") for word in argv) and int(path.name) != os.getpid():
                found.append(Process(int(path.name), 0, "", tuple(argv)))
    return found


class Campaigns:
    """Runs each once, several at a time, each with addresses and a port of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count(1)
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._started: dict[Trial, Future[Ended]] = {}

    def start(self, trial: Trial) -> Future[Ended]:
        if trial not in self._started:
            self._started[trial] = self._pool.submit(self._run, trial, next(self._numbers))
        return self._started[trial]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _run(self, trial: Trial, number: int) -> Ended:
        directory = self._directory / f"{number:03}"
        directory.mkdir(mode=0o700)
        addresses = {name: f"127.{number}.0.{index}" for index, name in enumerate(PODS, start=1)}
        pods = [{"name": name, "node": f"n{name[1]}", "kind": name[0], "address": addresses[name]} for name in PODS]
        settings = {
            "root": str(directory),
            "pods": pods,
            "pod": trial.pod,
            "attack": trial.attack,
            "stages": trial.stages,
        }
        if "replayed" in trial.attack:
            settings["record"] = "reach" if trial.stages == START else "lease take"
        (directory / "settings.json").write_text(json.dumps(settings))
        kubectl = directory / "kubectl"
        kubectl.write_text(
            f"#!/bin/sh\ncd {ROOT} && exec {sys.executable} -S"
            f' -m tests.hostile.kubectl {directory}/settings.json "$@"\n'
        )
        kubectl.chmod(0o700)
        source = {"selector": "app=netbench", "namespace": "bench", "container": "main", "kubectl": str(kubectl)}
        inventory = directory / "hosts.json"
        inventory.write_text(json.dumps({"all": {"vars": {"netbench_pods": [source], "netbench_max_parallel": 2}}}))
        reports = directory / "reports"
        done = subprocess.run(
            [
                *("unshare", "--net", "sh", "-c", AROUND, " ".join(addresses.values())),
                *(sys.executable, "-m", "tests.hostile.measured", str(directory / "cost.json")),
                *(
                    "bench",
                    "--inventory",
                    str(inventory),
                    "--zone",
                    "same",
                    "--profile",
                    "smoke",
                    "--rounds",
                    "1",
                    "--seed",
                    "1",
                ),
                *("--probes", trial.probe, "--keep-going", "--reports", str(reports)),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        soon(lambda: not running(directory), LATE)
        left = running(directory)
        for one in left:
            end(one, signal.SIGKILL)
        cost = json.loads((directory / "cost.json").read_text())
        (run,) = [path.parent for path in reports.glob("*/plan.json")] or [directory]
        lines = (run / "samples.jsonl").read_text().splitlines() if (run / "samples.jsonl").exists() else []
        plan = json.loads((run / "plan.json").read_text()) if (run / "plan.json").exists() else {}
        log = (directory / "log").read_text().splitlines() if (directory / "log").exists() else []
        asked = [tuple(json.loads(line)) for line in log]
        return Ended(
            done.returncode,
            done.stdout,
            done.stderr,
            records=tuple(map(json.loads, lines)),
            plan=plan,
            asked=tuple(asked),
            left=tuple(one.line[:200] for one in left),
            **cost,
        )


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Campaigns]:
    directory = tmp_path_factory.mktemp("campaigns")
    all_of_them = Campaigns(directory)
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    wanted = {item.callspec.params.get("trial") for item in chosen}
    for trial in (Trial(), HONEST, *CHOSEN):
        if not trial.attack or trial in wanted:
            all_of_them.start(trial)
    yield all_of_them
    all_of_them.close()


@pytest.mark.parametrize("trial", [Trial(), HONEST], ids=lambda trial: trial.probe)
def test_an_honest_pod_is_measured(trial: Trial, campaigns: Campaigns) -> None:
    honest = campaigns.start(trial).result()
    assert honest.code == 0, honest.out + honest.err
    assert len(honest.records) == 4
    assert {record["outcome"]["failure"] for record in honest.records} == {None}


@pytest.mark.parametrize("trial", CHOSEN, ids=str)
def test_a_hostile_pod_costs_little_and_its_own_steps_only(trial: Trial, campaigns: Campaigns) -> None:
    honest = campaigns.start(HONEST if trial.probe == HONEST.probe else Trial()).result()
    ended = campaigns.start(trial).result()
    said = replace(ended, plan={}, records=(), out=ended.out[-1500:], err=ended.err[-1500:], asked=())
    assert any(attacked for _, _, attacked in ended.asked), (ended.asked, said)
    print(f"{trial}: {(ended.memory - honest.memory) / 2**20:+.1f} MB, {ended.cpu - honest.cpu:+.2f} s of CPU")  # noqa: T201
    assert ended.memory - honest.memory < MEMORY
    assert ended.cpu - honest.cpu < CPU
    assert ended.left == ()
    assert "Traceback" not in ended.out + ended.err
    assert ended.code in ((0, 1, 3) if trial.harmless else (1, 3)), said
    if not trial.spreads:
        assert {outcome["failure"] for outcome in ended.outcomes(trial.pod, evil=False)} == {None}, said
    assert len(ended.outcomes(trial.pod, evil=False)) == len(honest.outcomes(trial.pod, evil=False))
    if not trial.harmless:
        failures = [outcome for outcome in ended.outcomes(trial.pod, evil=True) if outcome["failure"]]
        assert failures, said
        for outcome in failures:
            assert outcome["failure"] != "internal", outcome
            assert outcome["reason"], outcome


def test_every_attack_is_tried() -> None:
    assert {trial.attack for trial in TRIALS} == set(ATTACKS)
