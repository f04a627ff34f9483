"""The documented roles on a real Kubernetes: enough for a campaign, and for nothing else."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netbench.errors import AuthError
from netbench.model import Cluster as ClusterAccess
from netbench.model import Command, PodAccess
from netbench.transports.pool import Pool
from tests.e2e.campaign import bench, netbench, values
from tests.e2e.test_cluster import KUBECONFIG, NAMESPACE, Cluster, cluster, configuration, kubectl

__all__ = ["cluster"]  # the fixture

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
RBAC = Path(__file__).parents[2] / "docs" / "rbac"
TOKEN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "kubernetes.io/service-account-token",
    "metadata": {"name": "netbench-token", "annotations": {"kubernetes.io/service-account.name": "netbench"}},
}


@pytest.fixture(scope="module")
def restricted(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig of the documented ServiceAccount. The token is a Secret's, which Kubernetes of any age has."""
    kubectl("apply", "-n", NAMESPACE, "-f", str(RBAC / "netbench.yaml"))
    kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(TOKEN))
    token = eventually(
        lambda: (
            json.loads(kubectl("get", "secret", "-n", NAMESPACE, "netbench-token", "-o", "json"))
            .get("data", {})
            .get("token")
        )
    )
    config = configuration()
    config["users"] = [
        {"name": user["name"], "user": {"token": base64.b64decode(token).decode()}} for user in config["users"]
    ]
    path = tmp_path_factory.mktemp("rbac") / "kubeconfig"
    path.touch(0o600)
    path.write_text(json.dumps(config))
    yield path
    kubectl("delete", "--ignore-not-found", "clusterrole,clusterrolebinding", "netbench-nodes")


def eventually(found: Callable[[], str | None]) -> str:
    end = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < end, "the token controller made no token"
        time.sleep(0.5)
    return value


def with_kubeconfig(inventory: Path, kubeconfig: Path) -> str:
    text = inventory.read_text()
    assert KUBECONFIG in text
    copy = inventory.with_name("restricted.ini")
    copy.write_text(text.replace(json.dumps(KUBECONFIG), json.dumps(str(kubeconfig))))
    return str(copy)


def test_the_role_is_enough(cluster: Cluster, restricted: Path, tmp_path: Path) -> None:
    inventory = with_kubeconfig(cluster.inventory, restricted)
    done = netbench("check", "--inventory", inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    campaign = bench(
        "--inventory", inventory, "--profile", "smoke", "--kinds", "terway", "--probes", "latency", "--rounds", "1",
        reports=tmp_path / "reports",
    )  # fmt: skip
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    assert set(values(campaign, "latency_avg")) == {"terway->terway"}


def test_the_role_is_for_nothing_else(restricted: Path) -> None:
    def may(verb: str, resource: str, namespace: str = NAMESPACE) -> bool:
        kind, _, part = resource.partition("/")
        words = ("auth", "can-i", verb, kind, f"--subresource={part}", "--namespace", namespace)
        argv = ["kubectl", f"--kubeconfig={restricted}", *words]
        return subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode == 0

    for verb, resource in (("create", "pods/exec"), ("list", "pods")):
        assert may(verb, resource)
        assert not may(verb, resource, "default")
    for forbidden in "get secrets, create pods, delete pods, patch pods, get pods/log, create pods/attach".split(", "):
        assert not may(*forbidden.split()), forbidden
    other = PodAccess(ClusterAccess(str(restricted)), "default", "any", "any")
    with Pool() as pool, pytest.raises(AuthError, match="forbidden") as caught:
        pool.get(other).run(Command(("true",)))
    assert "docs/rbac" in caught.value.remedy


def test_nodes_that_the_inventory_lacks_need_one_right_more(restricted: Path, tmp_path: Path) -> None:
    pods = {"selector": "app=netbench-test", "namespace": NAMESPACE, "kubeconfig": str(restricted)}
    inventory = tmp_path / "pods.ini"
    inventory.write_text(f"[all:vars]\nnetbench_pods={json.dumps(pods)}\n")
    refused = netbench("plan", "--inventory", str(inventory), "--kinds", "terway")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "nodes" in refused.stderr
    assert "docs/rbac" in refused.stderr
    kubectl("apply", "-f", "-", stdin=(RBAC / "nodes.yaml").read_text().replace("NAMESPACE", NAMESPACE))
    done = netbench("plan", "--inventory", str(inventory), "--kinds", "terway")
    assert done.returncode == 0, done.stderr
