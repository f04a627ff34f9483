"""End to end on a real Kubernetes: hosts over SSH, pods over kubectl exec through a real kubelet.

Runs when NETBENCH_TEST_KUBECONFIG names a cluster of three nodes in two zones, and NETBENCH_TEST_SSH a directory with
``id`` and ``known_hosts`` for root on the nodes. The pods' image must be on the nodes (NETBENCH_TEST_IMAGE).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.campaign import KINDS, assert_complete, bench, netbench, values
from tests.faults.site import STATE

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]
KUBECONFIG = os.environ.get("NETBENCH_TEST_KUBECONFIG", "")
SSH = Path(os.environ.get("NETBENCH_TEST_SSH", "/nonexistent"))
IMAGE = os.environ.get("NETBENCH_TEST_IMAGE", "localhost/netbench:1")
NAMESPACE = f"netbench-test-{os.getpid()}"  # its own: one that is deleted takes more than a minute to go
# the cluster's CNI is a bridge, whatever its pods are labelled
NO_RULES = f"netbench_attestation={json.dumps({kind: [] for kind in KINDS})}"

if not KUBECONFIG:
    pytest.skip("NETBENCH_TEST_KUBECONFIG names no cluster", allow_module_level=True)


@dataclass(frozen=True)
class Cluster:
    inventory: Path
    nodes: dict[str, str]  # name -> address

    def on_node(self, node: str, *argv: str) -> str:
        """Run a command on a node as somebody else would: by plain ssh."""
        options = ("-i", SSH / "id", "-o", f"UserKnownHostsFile={SSH}/known_hosts", "-o", "BatchMode=yes")
        return run("ssh", *options, f"root@{self.nodes[node]}", *argv)

    def in_pod(self, pod: str, *argv: str) -> str:
        return kubectl("exec", "-n", NAMESPACE, pod, "-c", "netbench", "--", *argv)


def run(*argv: object, stdin: str | None = None) -> str:
    done = subprocess.run([str(word) for word in argv], input=stdin, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kubectl(*argv: str, stdin: str | None = None) -> str:
    return run("kubectl", f"--kubeconfig={KUBECONFIG}", *argv, stdin=stdin)


def configuration() -> dict[str, Any]:
    """The kubeconfig with all its secrets, for a variation of it."""
    found: dict[str, Any] = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    return found


def pod(node: str, kind: str, app: str = "netbench-test", host_network: bool = False) -> dict[str, object]:
    container = {
        "name": "netbench",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{kind}-{node}", "labels": {"app": app, "netbench/kind": kind}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node},
            "terminationGracePeriodSeconds": 1,
            "hostNetwork": host_network,
            "containers": [container],
        },
    }


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    nodes = {}
    hosts = []
    for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]:
        name = node["metadata"]["name"]
        nodes[name] = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        zone = node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        hosts.append(f"{name} ansible_host={nodes[name]} netbench_zone={zone}")
    inventory = tmp_path_factory.mktemp("inventory") / "hosts.ini"
    pods = {"selector": "app=netbench-test", "namespace": NAMESPACE, "kubeconfig": KUBECONFIG, "container": "netbench"}
    lines = [
        "[nodes]", *hosts, "[nodes:vars]", "ansible_user=root", f"ansible_ssh_private_key_file={SSH}/id",
        f"netbench_known_hosts={SSH}/known_hosts", "[all:vars]", f"netbench_pods={json.dumps(pods)}",
        "netbench_max_parallel=1", NO_RULES,
    ]  # fmt: skip
    inventory.write_text("\n".join(lines) + "\n")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    items = [pod(node, kind) for node in nodes for kind in KINDS[1:]]
    items += [pod(node, "host", "netbench-host", host_network=True) for node in nodes]
    # the service account of a new namespace takes a moment; pods are refused until it is there
    for _ in range(60):
        found = json.loads(kubectl("get", "serviceaccounts", "-n", NAMESPACE, "-o", "json"))["items"]
        if found:
            break
        run("sleep", "0.5")
    kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "pods", "--all", "--timeout=120s")
    yield Cluster(inventory, nodes)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_check_passes_and_names_the_versions(cluster: Cluster) -> None:
    done = netbench("check", "--inventory", str(cluster.inventory))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Kubernetes v1." in done.stdout
    assert "FAILED" not in done.stdout


def test_kubectl_on_a_control_host(cluster: Cluster) -> None:
    """The nodes share this machine's file system, so each has kubectl and can read the kubeconfig."""
    text = cluster.inventory.read_text()
    control = cluster.inventory.with_name("control.ini")
    control.write_text(text.replace('"container"', f'"control": "{sorted(cluster.nodes)[0]}", "container"'))
    assert control.read_text() != text
    arguments = ("--inventory", str(control), "--profile", "smoke", "--probes", "latency", "--kinds", "terway")
    assert netbench("check", *arguments).returncode == 0


def test_a_cluster_whose_nodes_cannot_be_logged_in_to(cluster: Cluster, tmp_path: Path) -> None:
    """No host in the inventory: nodes come from the cluster, hostNetwork pods stand for host."""
    pods = [
        {"selector": f"app={app}", "namespace": NAMESPACE, "kubeconfig": KUBECONFIG}
        for app in ("netbench-test", "netbench-host")
    ]
    inventory = tmp_path / "pods.ini"
    inventory.write_text(f"[all:vars]\nnetbench_pods={json.dumps(pods)}\nnetbench_max_parallel=1\n{NO_RULES}\n")
    campaign = bench(
        "--inventory", str(inventory), "--zone", "cross", "--profile", "smoke", "--kinds", "host,terway", "--probes",
        "throughput,latency", reports=tmp_path / "reports",
    )  # fmt: skip
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    assert set(values(campaign, "throughput")) == {f"{a}->{b}" for a in ("host", "terway") for b in ("host", "terway")}


@pytest.mark.parametrize("zone", ["same", "cross"])
def test_a_whole_campaign(cluster: Cluster, zone: str, tmp_path: Path) -> None:
    """Nine cells, three probes, three rounds; somebody else's iperf3 lives on; nothing of ours stays."""
    node = sorted(cluster.nodes)[0]
    cluster.on_node(node, "sh -c 'iperf3 -s -p 16999 >/dev/null 2>&1 & echo $! >/run/others-iperf3'")
    before = {name: leftovers(cluster, name) for name in cluster.nodes}
    try:
        campaign = bench(
            "--inventory",
            str(cluster.inventory),
            "--zone",
            zone,
            "--profile",
            "smoke",
            "--rounds",
            "3",
            reports=tmp_path / "reports",
        )
        assert_complete(campaign, zone)
        assert {name: leftovers(cluster, name) for name in cluster.nodes} == before
        for name in cluster.nodes:
            for kind in KINDS[1:]:
                processes = cluster.in_pod(f"{kind}-{name}", "ps", "-e", "-o", "comm=").split()
                assert set(processes) <= {"sleep", "ps"}, processes
                assert cluster.in_pod(f"{kind}-{name}", "ls", "/tmp") == ""
        assert "iperf3" in cluster.on_node(node, "cat /proc/$(cat /run/others-iperf3)/comm")
    finally:
        cluster.on_node(node, "kill $(cat /run/others-iperf3); rm /run/others-iperf3")


@pytest.mark.quiet
def test_the_numbers_agree_with_the_command_typed_by_hand(cluster: Cluster, tmp_path: Path) -> None:
    """Same endpoints and flags, one after the other. The links are not shaped: only the order of size can agree."""
    campaign = bench(
        "--inventory", str(cluster.inventory), "--profile", "smoke", "--kinds", "terway", "--probes", "throughput",
        "--duration", "3", reports=tmp_path / "reports",
    )  # fmt: skip
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    (measured,) = values(campaign, "throughput").values()
    step = campaign.plan["steps"][0]  # type: ignore[index]
    source, destination = (step[end].partition("/")[2] for end in ("source", "destination"))
    address = json.loads(kubectl("get", "pod", "-n", NAMESPACE, destination, "-o", "json"))["status"]["podIP"]
    by_hand = []
    for _ in range(3):
        cluster.in_pod(destination, "sh", "-c", "iperf3 -s -1 -D -p 16000; until ss -ltn | grep -q :16000; do :; done")
        said = json.loads(cluster.in_pod(source, "iperf3", "-c", address, "-t", "3", "-P", "4", "-p", "16000", "-J"))
        by_hand.append(said["end"]["sum_received"]["bits_per_second"])
    print(f"netbench {[round(v / 1e9, 2) for v in measured]}, by hand {[round(v / 1e9, 2) for v in by_hand]} Gbit/s")  # noqa: T201
    assert 0.4 < (sum(measured) / len(measured)) / (sum(by_hand) / len(by_hand)) < 2.5


def leftovers(cluster: Cluster, node: str) -> tuple[int, str]:
    """How many iperf3, ping and shells of ours run on a node, and what of netbench lies there."""
    count = cluster.on_node(node, "ps -e -o args= | grep -c -E '^(iperf3|ping|sh -c .*netbench-|sh$)' || true")
    return int(count), cluster.on_node(node, STATE)
