"""Which pairs are chosen, which endpoints stand for their kind, and what is said about the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from netbench.model import Cell, Pair, ZoneMode
from netbench.plan import build_plan, choose_endpoints
from netbench.plan.endpoints import natural
from netbench.plan.matrix import Matrix, build_matrix
from netbench.plan.notes import notes
from netbench.probes.registry import load_probes
from tests.plan.fleets import endpoint, fleet

ALL = "host terway eni"


def matrix(*lines: str, zone: ZoneMode = ZoneMode.SAME, pairs: int = 1, seed: int = 0) -> Matrix:
    inventory = fleet(*lines)
    chosen, _ = choose_endpoints(inventory)
    kinds = sorted({endpoint.kind for endpoint in inventory.endpoints})
    return build_matrix(inventory, chosen, kinds, zone=zone, pairs=pairs, seed=seed)


def reasons(made: Matrix) -> dict[str, str]:
    return {str(exclusion.cell): exclusion.reason for exclusion in made.exclusions}


def ends(pair: Pair) -> set[str]:
    return {pair.source, pair.destination}


@pytest.mark.parametrize("seed", range(5))
def test_all_cells_share_the_pair_that_carries_all_of_them(seed: int) -> None:
    made = matrix(
        "a1 zone-a: host", f"a2 zone-a: {ALL}", "a3 zone-a: host terway", f"a4 zone-a: {ALL}", "b1 zone-b: eni host"
    )
    assert len(made.pairs) == 9
    assert {frozenset(ends(pair)) for (pair,) in made.pairs.values()} == {frozenset({"a2", "a4"})}
    assert len(set(made.pairs.values())) == 1


def test_all_cells_share_all_pairs_when_there_are_several() -> None:
    made = matrix(*(f"a{number} zone-a: {ALL}" for number in range(4)), "a9 zone-a: host terway", pairs=3)
    assert len(set(made.pairs.values())) == 1
    assert len(set(next(iter(made.pairs.values())))) == 3
    assert all("a9" not in ends(pair) for pair in next(iter(made.pairs.values())))


def test_without_a_common_pair_few_pairs_carry_all_cells() -> None:
    made = matrix("a1 zone-a: host terway eni", "a2 zone-a: host terway", "a3 zone-a: eni")
    assert reasons(made) == {}
    assert all(len(pairs) == 1 for pairs in made.pairs.values())
    assert len(set(made.pairs.values())) <= 3


def test_one_instance_type_comes_before_the_rest_and_the_common_one_first() -> None:
    lines = [f"a{number} zone-a big: host" for number in range(4)]
    lines += [f"b{number} zone-b small: host" for number in range(2)]
    made = matrix(*lines, "c0 zone-a small: host", pairs=2)
    assert all(node.startswith("a") for pair in made.pairs[Cell("host", "host")] for node in ends(pair))
    crossing = matrix("a1 zone-a big: host", "b1 zone-b small: host", "c1 zone-c big: host", zone=ZoneMode.CROSS)
    assert ends(crossing.pairs[Cell("host", "host")][0]) == {"a1", "c1"}


def test_pairs_spread_over_zones_and_nodes() -> None:
    lines = [f"{zone}{number} zone-{zone}: host" for zone in "abc" for number in range(6)]
    same = matrix(*lines, pairs=6).pairs[Cell("host", "host")]
    assert Counter(pair.source[0] for pair in same) == {"a": 2, "b": 2, "c": 2}
    assert len({node for pair in same for node in ends(pair)}) == 12
    cross = matrix(*lines, pairs=6, zone=ZoneMode.CROSS).pairs[Cell("host", "host")]
    assert set(Counter(frozenset(node[0] for node in ends(pair)) for pair in cross).values()) == {2}
    assert len({node for pair in cross for node in ends(pair)}) == 12


def test_two_nodes_give_two_pairs_and_no_more() -> None:
    found = matrix("a1 zone-a: host", "a2 zone-a: host", pairs=5).pairs[Cell("host", "host")]
    assert sorted(found) == [Pair("a1", "a2"), Pair("a2", "a1")]


def test_the_seed_chooses_and_a_new_node_shuffles_little() -> None:
    lines = [f"a{number} zone-a: host" for number in range(40)]
    chosen = [matrix(*lines, seed=seed).pairs[Cell("host", "host")][0] for seed in range(10)]
    assert len(set(chosen)) > 5
    grown = [matrix(*lines, "a99 zone-a: host", seed=seed).pairs[Cell("host", "host")][0] for seed in range(10)]
    assert all(before == after or "a99" in ends(after) for before, after in zip(chosen, grown, strict=True))


def test_reasons_in_one_zone() -> None:
    made = matrix("a1 zone-a: host terway", "a2 zone-a: host", "b1 zone-b: eni")
    assert reasons(made) == {
        "terway->terway": "terway runs on node a1 only; a flow must cross nodes",
        "eni->eni": "eni runs on node b1 only; a flow must cross nodes",
        "eni->host": "no two nodes of one zone carry eni and host",
        "host->eni": "no two nodes of one zone carry host and eni",
        "eni->terway": "no two nodes of one zone carry eni and terway",
        "terway->eni": "no two nodes of one zone carry terway and eni",
    }
    assert reasons(matrix("a1 zone-a: host", "b1 zone-b: host")) == {
        "host->host": "no two nodes of one zone carry host"
    }
    assert reasons(matrix("a1 zone-a: host eni", "b1 zone-b:"))["host->eni"] == (
        "host and eni run on node a1 only; a flow must cross nodes"
    )


def test_reasons_across_zones() -> None:
    made = matrix("a1 zone-a: host terway", "a2 zone-a: terway", "b1 zone-b: host", zone=ZoneMode.CROSS)
    assert reasons(made) == {"terway->terway": "terway runs in zone-a only; a flow must cross zones"}
    made = matrix("a1 zone-a: host", "a2 zone-a: host", zone=ZoneMode.CROSS)
    assert reasons(made) == {"host->host": "only one zone in the inventory: zone-a"}


def test_a_pod_that_is_not_ready_is_the_reason_where_it_is() -> None:
    made = matrix("a1 zone-a: host pod=CrashLoopBackOff vm", "a2 zone-a: host pod")
    assert reasons(made) == {
        "pod->pod": "pod pod-a1 on a1 is not ready: CrashLoopBackOff",
        "vm->vm": "vm runs on node a1 only; a flow must cross nodes",
    }
    made = matrix(*(f"a{number} zone-a: host pod=Pending" for number in range(1, 6)))
    assert reasons(made)["pod->host"] == (
        "pod pod-a1 on a1 is not ready: Pending; pod pod-a2 on a2 is not ready: Pending; "
        "pod pod-a3 on a3 is not ready: Pending; and 2 more are not ready"
    )
    made = matrix("a1 zone-a: host pod=Pending", "b1 zone-b: host")
    assert reasons(made)["pod->host"] == "pod pod-a1 on a1 is not ready: Pending"


def test_of_two_endpoints_of_a_kind_the_first_ready_one_by_name_is_used() -> None:
    inventory = fleet("a1 zone-a:")
    pods = (
        endpoint("pod-10", "pod", "a1"),
        endpoint("pod-9", "pod", "a1"),
        endpoint("pod-2", "pod", "a1", "Pending"),
        endpoint("lost", "pod", "a7"),
    )
    chosen, left_out = choose_endpoints(replace(inventory, endpoints=pods))
    assert chosen["a1"]["pod"].name == "pod-9"
    assert [(endpoint.name, reason) for endpoint, reason in left_out] == [
        ("lost", "its node a7 is not in the inventory"),
        ("pod-2", "not ready: Pending"),
        ("pod-10", "pod-9 is the pod used on a1"),
    ]


def test_natural_order() -> None:
    names = ["ecs-10", "ecs-9", "ecs", "9", "ecs-09", "ecs-9b"]
    assert sorted(names, key=natural) == ["9", "ecs", "ecs-09", "ecs-9", "ecs-9b", "ecs-10"]


def test_notes_say_what_makes_cells_less_comparable() -> None:
    probes = load_probes(["latency"])
    alike = build_plan(fleet(f"a1 z x: {ALL}", f"a2 z x: {ALL}"), probes, zone=ZoneMode.SAME)
    assert notes(alike) == ()
    inventory = fleet("a1 z x: host vm", "a2 z x: host", "a3 z: vm")
    plan = build_plan(inventory, probes, zone=ZoneMode.SAME, pairs=6)
    different, *fewer, mixed = notes(plan)
    assert different.startswith("not all cells are measured on the same pairs of nodes")
    assert all(f"{pair}" in different for pair in {step.pair for step in plan.steps})
    assert "only 2 of 6 pairs of nodes can be found for host->host, vm->vm" in fewer
    assert mixed == "the nodes are of different instance types: unknown, x"
