"""The order within rounds is balanced, for any number of cells and rounds."""

from __future__ import annotations

import itertools
from collections import Counter
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from netbench.model import Cell, Pair, Step, ZoneMode
from netbench.plan import build_plan, eta
from netbench.plan.ids import step_ids
from netbench.plan.schedule import balanced_orders, in_waves
from netbench.probes.registry import load_probes
from tests.plan.fleets import fleet

unhurried = settings(deadline=None)
counts = st.integers(1, 17)
round_numbers = st.integers(1, 40)
seeds = st.text(max_size=3)


@unhurried
@given(counts, round_numbers, seeds)
def test_every_round_has_every_item_once(count: int, rounds: int, seed: str) -> None:
    orders = balanced_orders(range(count), rounds, seed)
    assert len(orders) == rounds
    assert all(sorted(order) == list(range(count)) for order in orders)


@unhurried
@given(counts, round_numbers, seeds)
def test_each_item_is_early_as_often_as_late(count: int, rounds: int, seed: str) -> None:
    lead: Counter[int] = Counter()
    for order in balanced_orders(range(count), rounds, seed):
        lead.update(order[: count // 2])
        lead.subtract(order[count - count // 2 :])
    assert all(abs(difference) <= rounds % 2 for difference in lead.values())


@unhurried
@given(counts, round_numbers, seeds)
def test_a_linear_drift_cancels_out_after_every_second_round(count: int, rounds: int, seed: str) -> None:
    places: Counter[int] = Counter()
    for order in balanced_orders(range(count), 2 * rounds, seed):
        places.update({item: place for place, item in enumerate(order)})
    assert all(places[item] == rounds * (count - 1) for item in range(count))


@unhurried
@given(st.integers(2, 17), round_numbers, seeds)
def test_no_item_follows_a_certain_other_too_often(count: int, rounds: int, seed: str) -> None:
    followed: Counter[tuple[int, int]] = Counter()
    for order in balanced_orders(range(count), rounds, seed):
        followed.update(itertools.pairwise(order))
    assert max(followed.values()) <= ceil(rounds / (count - 1))


@unhurried
@given(st.integers(2, 17), seeds)
def test_a_whole_design_is_balanced_exactly(count: int, seed: str) -> None:
    times = 1 if count % 2 == 0 else 2
    orders = balanced_orders(range(count), count * times, seed)
    followed = Counter(pair for order in orders for pair in itertools.pairwise(order))
    assert followed == dict.fromkeys(itertools.permutations(range(count), 2), times)
    for places in zip(*orders, strict=True):
        assert Counter(places) == dict.fromkeys(range(count), times)


def test_probes_and_seeds_have_orders_of_their_own() -> None:
    kinds = "a b c"
    inventory = fleet(f"a1 z: {kinds}", f"a2 z: {kinds}")
    probes = load_probes()

    def orders(seed: int) -> dict[str, list[Cell]]:
        plan = build_plan(inventory, probes, zone=ZoneMode.SAME, rounds=1, seed=seed)
        return {name: [step.cell for step in plan.steps if step.probe == name] for name in probes}

    first, second = orders(0), orders(1)
    assert first["throughput"] != first["pps"]
    assert first["throughput"] != second["throughput"]


def step(pair: str, *, number: int = 1, probe: str = "latency", seconds: float = 1.0) -> Step:
    source, destination = pair
    return Step(
        id=f"{number}-{probe}-{pair}",
        wave=0,
        round=number,
        probe=probe,
        cell=Cell("host", "host"),
        pair=Pair(source, destination),
        source=source,
        destination=destination,
        client=("true",),
        server=None,
        seconds=seconds,
    )


def test_a_wave_ends_at_a_shared_node_a_full_wave_a_round_and_a_probe() -> None:
    steps = [step("ab"), step("cd"), step("be"), step("fg"), step("fg", number=2), step("ab", number=2, probe="pps")]
    assert [placed.wave for placed in in_waves(steps)] == [1, 1, 2, 2, 3, 4]
    assert [placed.wave for placed in in_waves(steps, 1)] == [1, 2, 3, 4, 5, 6]
    assert [placed.id for placed in in_waves(steps)] == [one.id for one in steps]
    assert in_waves([]) == ()


def test_eta_counts_the_longest_step_of_each_wave() -> None:
    inventory = fleet("a1 z: host", "a2 z: host", "a3 z: host", "a4 z: host")
    probes = load_probes(["throughput", "latency"], {"throughput": {"duration": 10}})
    plan = build_plan(inventory, probes, zone=ZoneMode.SAME, rounds=2, pairs=2)
    seconds = {name: probe.seconds for name, probe in probes.items()}
    assert len(plan.steps) == 8
    assert eta(plan, 0.0) == 2 * sum(seconds.values())
    assert eta(plan, 1.5) == 2 * sum(seconds.values()) + 4 * 1.5
    assert eta(plan, {"latency": 2.0}) == 2 * (seconds["latency"] + 2.0) + 2 * (seconds["throughput"] + 0.8)


def test_ids_that_read_the_same_are_told_apart_and_stay_as_they_are() -> None:
    clash = [
        (1, "pps", Cell("host", "terway"), Pair("eni-a1", "a2")),
        (1, "pps", Cell("host", "terway-eni"), Pair("a1", "a2")),
        (1, "pps", Cell("host", "terway-eni"), Pair("A1", "a2")),
        (12, "pps", Cell("host", "host"), Pair("a1", "a2")),
    ]
    ids = step_ids(clash)
    assert len({text.lower() for text in ids}) == 4
    assert all(text.startswith("r01-pps-host~terway-eni-") for text in ids[:3])
    assert ids[3] == "r12-pps-host~host-a1~a2"
    assert step_ids(clash) == ids
    assert step_ids(clash[1:2]) == ["r01-pps-host~terway-eni-a1~a2"]


@unhurried
@given(st.text(), st.text())
def test_hostile_names_become_different_safe_ones(one: str, other: str) -> None:
    cells = [(1, "pps", Cell(name, "host"), Pair("a1", "a2")) for name in dict.fromkeys((one, other))]
    ids = step_ids(cells)
    assert len(set(ids)) == len(cells)
    assert all(text.isascii() and "/" not in text and len(text) < 100 for text in ids)
