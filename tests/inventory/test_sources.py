"""Several places to look for pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netbench.errors import InventoryError
from netbench.inventory import discover
from netbench.model import Cluster, Inventory, PodSource
from tests.inventory.cluster import SOURCE, Json, Kubectl, answer, inventory, node, nodes_argv, pod, pods_argv


def several(**changes: Any) -> tuple[PodSource, PodSource]:
    first = replace(SOURCE, name="netbench_pods[0]")
    return first, replace(SOURCE, name="netbench_pods[1]", **changes)


def both(first: PodSource, second: PodSource, pods: list[Json], others: list[Json]) -> Inventory:
    kubectl = Kubectl({pods_argv(first): answer(pods), pods_argv(second): answer(others)})
    return discover(inventory(first, second), kubectl.run_for)


def test_a_pod_that_two_sources_select_alike_is_one_endpoint() -> None:
    first, second = several(selector="app")
    assert [endpoint.name for endpoint in both(first, second, [pod("p")], [pod("p"), pod("q")]).endpoints] == [
        "bench/p",
        "bench/q",
    ]


def test_a_pod_that_two_sources_select_differently_is_refused() -> None:
    first, second = several(selector="app", container="side")
    with pytest.raises(InventoryError, match=r"netbench_pods\[1\] and netbench_pods\[0\] both select the pod bench/p"):
        both(first, second, [pod("p")], [pod("p")])


def test_names_in_two_clusters_get_a_prefix_only_where_they_collide() -> None:
    first, second = several(cluster=Cluster(context="b"))
    names = [each.name for each in both(first, second, [pod("p"), pod("q")], [pod("p"), pod("r")]).endpoints]
    assert names == ["netbench_pods[0]/bench/p", "bench/q", "netbench_pods[1]/bench/p", "bench/r"]
    first = replace(first, cluster=Cluster(context="a"))
    names = [each.name for each in both(first, second, [pod("p")], [pod("p")]).endpoints]
    assert names == ["a/bench/p", "b/bench/p"]


def test_nodes_of_one_name_in_two_clusters_are_refused() -> None:
    first, second = several(cluster=Cluster(context="b"))
    kubectl = Kubectl(
        {
            pods_argv(first): answer([pod("p", "k")]),
            nodes_argv(first): answer([node("k")]),
            pods_argv(second): answer([pod("q", "k")]),
        }
    )
    with pytest.raises(InventoryError, match=r"netbench_pods\[1\]: another cluster has a node k too"):
        discover(inventory(first, second), kubectl.run_for)


def test_a_cluster_is_asked_for_its_nodes_once() -> None:
    first, second = several(selector="app")
    kubectl = Kubectl(
        {
            pods_argv(first): answer([pod("p", "k")]),
            pods_argv(second): answer([pod("q", "l")]),
            nodes_argv(first): answer([node("k"), node("l")]),
        }
    )
    assert [each.name for each in discover(inventory(first, second), kubectl.run_for).nodes] == ["n1", "n2", "k", "l"]
