"""Faults on a real Kubernetes: the API server away, exec connections cut, a pod deleted and recreated.

kubectl comes to the API server by a relay, as it comes by a load balancer elsewhere: so both can be cut off without a
hand on the cluster itself.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.test_cluster import KUBECONFIG, NAMESPACE, Cluster, cluster, configuration, kubectl, leftovers, pod
from tests.faults.site import soon
from tests.transports.relay import Relay

__all__ = ["cluster"]  # the fixture

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
PODS = ("--profile", "smoke", "--kinds", "terway")
AWAY = 20  # seconds
SEEDS = pytest.mark.parametrize("seed", range(int(os.environ.get("NETBENCH_CLUSTER_FAULTS", "1"))))


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    server = urlsplit(configuration()["clusters"][0]["cluster"]["server"])
    assert server.hostname is not None
    with Relay(server.port or 443, server.hostname) as found:
        yield found


@pytest.fixture
def inventory(relay: Relay, cluster: Cluster, tmp_path: Path) -> Path:
    """The cluster's, by way of the relay; the certificate of the API server is good for loopback, too."""
    found = configuration()
    found["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    path = tmp_path / "kubeconfig"
    path.touch(0o600)
    path.write_text(json.dumps(found))
    text = cluster.inventory.read_text()
    assert KUBECONFIG in text
    (tmp_path / "hosts.ini").write_text(text.replace(KUBECONFIG, str(path)))
    return tmp_path / "hosts.ini"


@SEEDS
def test_exec_connections_cut_in_the_middle_of_a_test_cost_no_sample(
    cluster: Cluster, relay: Relay, inventory: Path, seed: int, tmp_path: Path
) -> None:
    bench = start(inventory, tmp_path, *PODS, "--probes", "throughput", "--rounds", "1", "--duration", "10")
    (step,) = measures(bench, tmp_path)["steps"]
    client = soon(lambda: running(cluster, step["client"]), 60)
    assert client, "no client was started"
    soon(lambda: bench.process.poll() is not None, moment(seed))
    assert relay.cut() >= 2, "there was nothing to cut"
    moment_of_cut = time.time()
    assert bench.code() == 0, bench.said
    (record,) = records(tmp_path)
    assert (record["attempt"], record["outcome"]) == (1, {"failure": None, "reason": ""})
    (raw,) = tmp_path.glob("reports/*/raw/*.1.client.out")
    said = json.loads(raw.read_text())
    assert moment_of_cut < said["start"]["timestamp"]["timesecs"] + 10, "the test was over"  # one machine, one clock
    assert said["end"]["sum_received"]["seconds"] >= 9.5
    nothing_left(cluster)


@SEEDS
def test_an_api_server_that_is_away(cluster: Cluster, relay: Relay, inventory: Path, seed: int, tmp_path: Path) -> None:
    bench = start(inventory, tmp_path, *PODS, "--probes", "throughput,latency", "--rounds", "4")
    measures(bench, tmp_path)
    soon(lambda: bench.process.poll() is not None, moment(seed))
    with relay.down():
        soon(lambda: bench.process.poll() is not None, AWAY)
    code = bench.code()
    assert code in (0, 1), bench.said
    before = samples(tmp_path)
    if code:
        again = start(inventory, tmp_path, "--resume", "latest")
        assert again.code() == 0, again.said
    assert samples(tmp_path).startswith(before)
    assert whole(tmp_path)
    nothing_left(cluster)


def test_a_pod_that_is_deleted_and_recreated(cluster: Cluster, inventory: Path, tmp_path: Path) -> None:
    """It comes back under its name with another address. What was measured is kept; going on has to be allowed."""
    bench = start(inventory, tmp_path, *PODS, "--probes", "throughput,latency", "--rounds", "1")
    plan = measures(bench, tmp_path)
    victim = plan["steps"][-1]["destination"].partition("/")[2]
    kubectl("delete", "pod", "-n", NAMESPACE, victim, "--wait")
    kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(pod(victim.partition("-")[2], "terway")))
    kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", f"pod/{victim}", "--timeout=60s")
    assert bench.code() == 1, bench.said
    failures = {record["outcome"]["failure"] for record in records(tmp_path)} - {None}
    assert failures <= {"connection-cut", "unreachable", "refused", "not-ready", "timeout", "invalid-result"}, failures
    before = samples(tmp_path)
    refused = start(inventory, tmp_path, "--resume", "latest")
    assert refused.code() == 3, refused.said
    assert f"{victim}: address was" in refused.said
    assert samples(tmp_path).startswith(before)
    allowed = start(inventory, tmp_path, "--resume", "latest", "--allow-changed-environment")
    assert allowed.code() == 0, allowed.said
    assert samples(tmp_path).startswith(before)
    assert whole(tmp_path)
    (report,) = tmp_path.glob("reports/*/report.md")
    assert "address was" in report.read_text()
    nothing_left(cluster)


@dataclass(frozen=True)
class Bench:
    """A bench that has been started."""

    process: subprocess.Popen[bytes]
    output: Path

    def code(self) -> int:
        """How it ends; without a traceback."""
        code = self.process.wait(300)
        assert "Traceback" not in self.said
        return code

    @property
    def said(self) -> str:
        return self.output.read_text()


_started: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def no_bench_stays() -> Iterator[None]:
    """One that a failed test left would hold its leases against the tests that follow."""
    yield
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def start(inventory: Path, tmp_path: Path, *arguments: str) -> Bench:
    argv = (sys.executable, "-m", "netbench", "bench", *arguments, "--inventory", str(inventory))
    output = tmp_path / f"said.{len(list(tmp_path.glob('said.*')))}"
    with output.open("w") as file:
        process = subprocess.Popen(
            (*argv, "--reports", str(tmp_path / "reports")), stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    _started.append(process)
    return Bench(process, output)


def measures(bench: Bench, tmp_path: Path) -> dict[str, Any]:
    """The plan, once it is at work."""
    found = soon(lambda: list(tmp_path.glob("reports/*/manifest.json")), 60)
    assert found, bench.said
    loaded: dict[str, Any] = json.loads(found[0].with_name("plan.json").read_text())
    return loaded


def moment(seed: int) -> float:
    """Seconds."""
    return random.Random(seed).uniform(0, 4)  # noqa: S311 - a seed that can be given again


def samples(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.glob("reports/*/samples.jsonl"))


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in samples(tmp_path).splitlines()]


def whole(tmp_path: Path) -> bool:
    """Whether every step of the plan gave exactly one result."""
    (plan,) = tmp_path.glob("reports/*/plan.json")
    good = sorted(record["step"] for record in records(tmp_path) if record["outcome"]["failure"] is None)
    return good == sorted(step["id"] for step in json.loads(plan.read_text())["steps"])


def running(cluster: Cluster, argv: list[str]) -> list[str]:
    """What runs with that command line on all nodes, pods included, as node and pid; others' iperf3 may run there."""
    find = f"ps -e -o pid=,args= | grep -E '^ *[0-9]+ {re.escape(' '.join(argv))}' || true"
    return [f"{name} {pid}" for name in cluster.nodes for pid in cluster.on_node(name, find).splitlines()]


def nothing_left(cluster: Cluster) -> None:
    for name in cluster.nodes:
        soon(lambda node=name: leftovers(cluster, node) == (0, ""), 5)  # type: ignore[misc]
        assert leftovers(cluster, name) == (0, "")
        assert cluster.in_pod(f"terway-{name}", "ls", "/tmp") == ""
