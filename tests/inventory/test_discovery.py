from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netbench.errors import InventoryError
from netbench.inventory import discover
from netbench.model import Cluster, Endpoint, Inventory, Node, PodAccess, SshAccess
from tests.inventory.cluster import (
    CLUSTER,
    READY,
    SOURCE,
    Json,
    Kubectl,
    answer,
    inventory,
    node,
    nodes_argv,
    pod,
    pods_argv,
)


def found(pods: list[Json], nodes: list[Json] | None = None, limit: str | None = None, **source: Any) -> Inventory:
    """Discover with one source; ``nodes``: None where kubectl must not be asked for them."""
    chosen = replace(SOURCE, **source)
    kubectl = Kubectl({pods_argv(chosen): answer(pods)})
    if nodes is not None:
        kubectl.answers[nodes_argv(chosen)] = answer(nodes)
    result = discover(inventory(chosen, limit=limit), kubectl.run_for)
    assert set(kubectl.asked) == set(kubectl.answers)
    return result


def refused(pods: list[Json], nodes: list[Json] | None = None, **source: Any) -> InventoryError:
    with pytest.raises(InventoryError, match=r"^fleet\.yaml: netbench_pods") as caught:
        found(pods, nodes, **source)
    assert caught.value.remedy
    assert str(caught.value).isprintable()
    return caught.value


def test_a_pod_becomes_an_endpoint_on_the_node_of_its_name() -> None:
    labels = {"app": "netbench", "netbench/kind": "terway"}
    declared = {"label app": "netbench", "label netbench/kind": "terway"}
    result = found([pod("p1")])
    access = PodAccess(CLUSTER, "bench", "p1", "main")
    assert result.endpoints == (Endpoint("bench/p1", "terway", "n1", "198.18.1.1", access, labels, declared=declared),)
    assert result.nodes == inventory().nodes


def test_without_sources_nothing_is_asked() -> None:
    bare = replace(inventory(), pod_sources=())
    assert discover(bare, Kubectl({}).run_for) == bare


def test_endpoints_of_hosts_stay_first() -> None:
    host = Endpoint("n1", "terway", "n1", "198.18.0.1", SshAccess("n1"))
    kubectl = Kubectl({pods_argv(): answer([pod("p", ip="198.18.0.1", hostNetwork=True)])})
    result = discover(replace(inventory(), endpoints=(host,)), kubectl.run_for)
    assert [endpoint.name for endpoint in result.endpoints] == ["n1", "bench/p"]


def test_several_pods_of_a_kind_on_a_node_are_all_kept() -> None:
    assert [endpoint.name for endpoint in found([pod("b"), pod("a")]).endpoints] == ["bench/b", "bench/a"]


@pytest.mark.parametrize("address", ["198.18.0.2", "2001:0db8:0000::0001"])
def test_a_node_is_found_by_the_address_of_the_pods_host(address: str) -> None:
    result = found([pod("p", "other-name", host_ip=address)])
    assert result.endpoints[0].node == ("n2" if "." in address else "n1")
    assert len(result.nodes) == 2


@pytest.mark.parametrize("address", ["198.18.0.2", "k8s-2", "K8S-2"])
def test_a_node_is_found_by_the_addresses_kubernetes_knows(address: str) -> None:
    result = found([pod("p", "k", host_ip="198.18.9.9")], [node("k", None, "198.18.9.9", address)])
    assert result.endpoints[0].node == "n2"
    assert len(result.nodes) == 2


def test_an_address_that_two_nodes_share_tells_nothing() -> None:
    """Both hosts are reached through one address, on different ports."""
    behind = tuple(replace(each, addresses=("198.18.5.5",)) for each in inventory().nodes)
    kubectl = Kubectl({pods_argv(): answer([pod("p", "n2", host_ip="198.18.5.5")])})
    assert discover(replace(inventory(), nodes=behind), kubectl.run_for).endpoints[0].node == "n2"


def test_a_node_that_name_and_address_tell_differently_is_refused() -> None:
    error = refused([pod("p", "n1", host_ip="198.18.0.2")])
    assert "the node n1 is n1 and n2 of the inventory" in str(error)


def test_a_node_that_only_kubernetes_knows() -> None:
    pods = [pod("p", "k1", host_ip="198.18.3.1"), pod("q", "k1"), pod("r", "k2")]
    old = {"failure-domain.beta.kubernetes.io/zone": "zone-c", "beta.kubernetes.io/instance-type": "old"}
    result = found(pods, [node("k1", "zone-b", "198.18.3.1"), node("k2", None, labels=old), node("unused", None)])
    assert [endpoint.node for endpoint in result.endpoints] == ["k1", "k1", "k2"]
    first, second = result.nodes[2:]
    assert (first.name, first.zone, first.instance_type) == ("k1", "zone-b", "ecs.g7.large")
    assert first.addresses == ("198.18.3.1", "k1")
    assert second == Node("k2", "zone-c", "old", ("k2",), old)


def test_a_node_without_a_zone_is_refused() -> None:
    error = refused([pod("p", "k1")], [node("k1", None)])
    assert "the node k1 is not in the inventory, and its zone is not known" in str(error)
    assert "netbench_zone" in error.remedy
    assert "topology.kubernetes.io/zone" in error.remedy


def test_a_node_that_is_gone_is_refused() -> None:
    assert "the node k1, which nobody knows" in str(refused([pod("p", "k1")], [node("k2")]))


def test_with_a_limit_pods_elsewhere_are_left_out() -> None:
    pods = [pod("in"), pod("by-address", "k2"), pod("out", "k1"), pod("nowhere", None, phase="Pending")]
    result = found(pods, [node("k1"), node("k2", None, "198.18.0.2")], limit="n*")
    assert [endpoint.name for endpoint in result.endpoints] == ["bench/in", "bench/by-address"]
    assert len(result.nodes) == 2


WAITING = [{"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}]
UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
NOT_READY = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (pod("p", deletionTimestamp="2026-01-01T00:00:00Z"), "terminating"),
        (pod("p", ip=None, phase="Pending", containerStatuses=WAITING), "phase Pending (ImagePullBackOff)"),
        (pod("p", ip=None, phase="Pending", conditions=None), "phase Pending"),
        (pod("p", phase="Failed", reason="Evicted", conditions=None), "phase Failed (Evicted)"),
        (pod("p", phase="Succeeded"), "phase Succeeded"),
        (pod("p", ip=None), "it has no address"),
        (pod("p", conditions=NOT_READY), "it is not Ready (ContainersNotReady)"),
        (pod("p", conditions=None), "it is not Ready"),
        (pod("p", conditions=NOT_READY, reason="a\x1b[2J" + "x" * 99), f"it is not Ready (a [2J{'x' * 52}...)"),
    ],
)
def test_pods_that_cannot_be_used_say_why(made: Json, reason: str) -> None:
    assert found([made]).endpoints[0].not_ready == reason


def test_a_pod_that_is_not_scheduled_is_on_no_node() -> None:
    endpoint = found([pod("p", None, ip=None, phase="Pending", conditions=UNSCHEDULABLE)]).endpoints[0]
    assert (endpoint.node, endpoint.address, endpoint.not_ready) == ("", "", "phase Pending (Unschedulable)")


def test_the_container_is_the_configured_one() -> None:
    access = found([pod("p")], container="side").endpoints[0].access
    assert isinstance(access, PodAccess)
    assert access.container == "side"


def test_a_pod_without_the_configured_container_says_so() -> None:
    endpoints = found([pod("p"), pod("q", containers=["main"])], container="side").endpoints
    assert [endpoint.not_ready for endpoint in endpoints] == [None, "it has no container side, but main"]


def test_a_container_that_no_pod_has_is_refused() -> None:
    error = refused([pod("p"), pod("q")], container="sid")
    assert "none of its 2 pods has a container sid" in str(error)
    assert error.remedy == "set container to one of main, side"


def test_kinds_come_from_the_configured_label() -> None:
    endpoints = found([pod("p", labels={"mode": "eni"})], kind_label="mode").endpoints
    assert endpoints[0].kind == "eni"


@pytest.mark.parametrize("labels", [{}, None, {"netbench/kin": "x"}])
def test_a_pod_without_a_kind_is_refused(labels: Json | None) -> None:
    error = refused([pod("p", labels=labels)])
    assert "the pod bench/p has no label netbench/kind" in str(error)
    assert "kind_label" in error.remedy
    assert "host_network_kind" not in error.remedy


def test_host_network_pods_may_stand_for_a_kind() -> None:
    pods = [pod("p", labels={}, hostNetwork=True), pod("q", hostNetwork=True)]
    assert [endpoint.kind for endpoint in found(pods, host_network_kind="host").endpoints] == ["host", "terway"]
    assert "host_network_kind" in refused([pod("p", labels={}, hostNetwork=True)]).remedy
    assert "no label" in str(refused([pod("p", labels={})], host_network_kind="host"))


@pytest.mark.parametrize(("ip", "address"), [("2001:db8::7", "2001:db8::7"), ("198.18.4.4", "198.18.4.4")])
def test_addresses(ip: str, address: str) -> None:
    assert found([pod("p", ip=ip)]).endpoints[0].address == address


def test_what_kubernetes_declares_is_kept_as_evidence() -> None:
    annotations = {"kubernetes.io/egress-bandwidth": "10M", "other": "a\n\x1b[31m|b"}
    made = pod("p", annotations=annotations)
    made["spec"]["containers"][1]["resources"] = {"limits": {"aliyun/eni": "1", "cpu": 2}}
    declared = found([made]).endpoints[0].declared
    assert declared["annotation kubernetes.io/egress-bandwidth"] == "10M"
    assert declared["annotation other"] == "a  [31m|b"
    assert (declared["limit aliyun/eni"], declared["limit cpu"]) == ("1", "2")
    assert declared["label netbench/kind"] == "terway"


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (pod("-oProxy"), "items[0].metadata.name"),
        (pod("a b"), "items[0].metadata.name"),
        (pod("p;id"), "items[0].metadata.name"),
        (pod("P"), "items[0].metadata.name"),
        (pod("p" * 254), "items[0].metadata.name"),
        (pod("p", "-n"), "items[0].spec.nodeName"),
        (pod("p", containers=["-c"]), "items[0].spec.containers[0].name"),
        (pod("p", containers=[]), "items[0].spec.containers"),
        (pod("p", labels={"netbench/kind": "a\nb"}), "items[0].metadata.labels.netbench/kind"),
        (pod("p", labels={"netbench/kind": 3.5}), "items[0].metadata.labels.netbench/kind"),
        (pod("p", phase=[]), "items[0].status.phase"),
    ],
)
def test_hostile_objects(made: Json, key: str) -> None:
    error = refused([made])
    assert f"kubectl's answer cannot be used: {key} is " in str(error)
    assert "kubectl get pods" in error.remedy


@pytest.mark.parametrize("ip", ["-1", "198.18.0.256", "a;id", "\x1b[2J"])
def test_hostile_addresses(ip: str) -> None:
    assert "which is none" in str(refused([pod("p", ip=ip)]))


@pytest.mark.parametrize("kind", ["", "-x", " a", "k" * 64])
def test_hostile_kinds(kind: str) -> None:
    assert "has the kind" in str(refused([pod("p", labels={"netbench/kind": kind})]))


def test_hostile_nodes() -> None:
    assert "has the address '-x'" in str(refused([pod("p", "k")], [node("k", "z", "-x")]))
    assert "has the label" in str(refused([pod("p", "k")], [node("k", " z ")]))


def test_no_pods() -> None:
    error = refused([])
    assert "no pod matches the selector app=netbench in the namespace bench" in str(error)
    assert error.remedy == "compare with: kubectl get pods --all-namespaces --show-labels"


def test_kubectl_is_called_with_the_clusters_options() -> None:
    cluster = Cluster("/k", "prod", "/opt/kubectl", SshAccess("ctl"))
    assert pods_argv(replace(SOURCE, cluster=cluster))[:5] == (
        "/opt/kubectl", "--kubeconfig=/k", "--context=prod", "get", "pods",
    )  # fmt: skip
    assert len(found([pod("p", conditions=READY)], cluster=cluster).endpoints) == 1
