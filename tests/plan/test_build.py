"""What holds for every plan, whatever the inventory."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netbench.errors import InventoryError, UsageError
from netbench.model import InstanceType, Inventory, Plan, ZoneMode
from netbench.plan import build_plan, choose_endpoints, eta
from netbench.probes.registry import load_probes
from tests.plan.fleets import fleet, inventories

PROBES = load_probes(["throughput", "pps", "latency"])
unhurried = settings(deadline=None, max_examples=60)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Inventory, Plan, dict[str, object]]:
    """An inventory, its plan, and the arguments the plan was made with."""
    inventory = draw(inventories())
    arguments = {
        "zone": draw(st.sampled_from(ZoneMode)),
        "rounds": draw(st.integers(1, 4)),
        "pairs": draw(st.integers(1, 3)),
        "seed": draw(st.integers(0, 3)),
        "max_parallel": draw(st.sampled_from((None, 1, 2))),
    }
    try:
        return inventory, build_plan(inventory, PROBES, **arguments), arguments
    except UsageError:
        assume(False)
        raise


@unhurried
@given(plans())
def test_every_flow_crosses_nodes_and_keeps_to_the_zone_rule(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    inventory, plan, _ = made
    chosen, _ = choose_endpoints(inventory)
    for step in plan.steps:
        source, destination = inventory.node(step.pair.source), inventory.node(step.pair.destination)
        assert source is not destination
        assert (source.zone == destination.zone) == (plan.zone is ZoneMode.SAME)
        assert chosen[source.name][step.cell.source].name == step.source
        assert chosen[destination.name][step.cell.destination].name == step.destination
        assert step.client == PROBES[step.probe].client(chosen[destination.name][step.cell.destination].address)


@unhurried
@given(plans())
def test_every_cell_is_planned_or_excluded_with_a_reason(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    _, plan, arguments = made
    planned = {step.cell for step in plan.steps}
    excluded = [exclusion.cell for exclusion in plan.exclusions]
    assert sorted([*planned, *excluded]) == sorted(plan.cells)
    assert all(exclusion.reason for exclusion in plan.exclusions)
    for cell in planned:
        assert 1 <= len({step.pair for step in plan.steps if step.cell == cell}) <= arguments["pairs"]


@unhurried
@given(plans())
def test_an_excluded_cell_really_has_no_pair(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    inventory, plan, _ = made
    chosen, _ = choose_endpoints(inventory)
    for exclusion in plan.exclusions:
        for one, other in itertools.permutations(inventory.nodes, 2):
            if (one.zone == other.zone) == (plan.zone is ZoneMode.SAME):
                assert not (
                    exclusion.cell.source in chosen.get(one.name, {})
                    and exclusion.cell.destination in chosen.get(other.name, {})
                )


@unhurried
@given(plans())
def test_a_round_takes_each_cell_once_per_probe_and_pair_before_the_next_begins(
    made: tuple[Inventory, Plan, dict[str, object]],
) -> None:
    _, plan, _ = made
    rounds = [list(steps) for _, steps in itertools.groupby(plan.steps, key=lambda step: step.round)]
    assert [steps[0].round for steps in rounds] == list(range(1, plan.rounds + 1))
    wanted = {(step.cell, step.pair) for step in plan.steps}
    for index, steps in enumerate(rounds):
        blocks = [(probe, list(some)) for probe, some in itertools.groupby(steps, key=lambda step: step.probe)]
        names = list(PROBES)
        assert [probe for probe, _ in blocks] == names[index % 3 :] + names[: index % 3]
        for _, block in blocks:
            visited = Counter((step.cell, step.pair) for step in block)
            assert visited == dict.fromkeys(wanted, 1)


@unhurried
@given(plans())
def test_a_wave_uses_no_node_twice_and_keeps_the_order(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    _, plan, arguments = made
    waves = [(number, list(steps)) for number, steps in itertools.groupby(plan.steps, key=lambda step: step.wave)]
    assert [number for number, _ in waves] == list(range(1, len(waves) + 1))
    for _, steps in waves:
        nodes = [node for step in steps for node in (step.pair.source, step.pair.destination)]
        assert len(nodes) == len(set(nodes))
        assert len({(step.round, step.probe) for step in steps}) == 1
        assert len(steps) <= (arguments["max_parallel"] or len(steps))


@unhurried
@given(plans())
def test_ids_are_unique_file_names(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    _, plan, _ = made
    ids = [step.id for step in plan.steps]
    assert len({text.lower() for text in ids}) == len(ids)
    for text in ids:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,235}", text)


@unhurried
@given(plans())
def test_the_same_arguments_give_the_same_plan(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    inventory, plan, arguments = made
    assert build_plan(inventory, PROBES, **arguments) == plan


@unhurried
@given(plans())
def test_the_endpoints_are_those_of_the_steps(made: tuple[Inventory, Plan, dict[str, object]]) -> None:
    inventory, plan, _ = made
    assert {e.name for e in plan.endpoints} == {name for step in plan.steps for name in (step.source, step.destination)}
    for planned in plan.endpoints:
        node = inventory.node(planned.node)
        assert (planned.zone, planned.instance_type) == (node.zone, node.instance_type)


def test_a_plan_of_the_documented_campaign() -> None:
    kinds = "host terway terway-eni"
    inventory = fleet(f"a1 zone-a: {kinds}", f"a2 zone-a: {kinds}", f"b1 zone-b: {kinds}", lab=True)
    plan = build_plan(inventory, PROBES, zone=ZoneMode.SAME)
    assert plan.kinds == ("host", "terway-eni", "terway")
    assert plan.baseline == "host"
    assert plan.lab
    assert plan.exclusions == ()
    assert len(plan.steps) == 3 * 3 * 9
    assert len({step.pair for step in plan.steps}) == 1
    assert [e.kind for e in plan.endpoints] == ["host", "host", "terway-eni", "terway-eni", "terway", "terway"]
    assert plan.probes["throughput"]["duration"] == 45
    pair = plan.steps[0].pair
    assert f"r01-throughput-host~terway-eni-{pair.source}~{pair.destination}" in {step.id for step in plan.steps}
    assert {step.wave for step in plan.steps} == set(range(1, 82))
    assert eta(plan, 0.0) == pytest.approx(27 * sum(probe.seconds for probe in PROBES.values()))


def test_waves_shorten_the_plan_where_pairs_share_no_node() -> None:
    inventory = fleet(*(f"a{number} zone-a: host pod" for number in range(1, 9)))
    plan = build_plan(inventory, PROBES, zone=ZoneMode.SAME, pairs=4, rounds=2)
    assert plan.steps[-1].wave == 2 * 3 * 4
    assert build_plan(inventory, PROBES, zone=ZoneMode.SAME, pairs=4, rounds=2, max_parallel=3).steps[-1].wave == 36
    assert build_plan(inventory, PROBES, zone=ZoneMode.SAME, pairs=4, rounds=2, max_parallel=1).steps[-1].wave == 96


def test_a_large_fleet_is_planned_in_well_under_five_seconds() -> None:
    lines = (f"n{number} zone-{number % 5} type-{number % 4}: host terway terway-eni" for number in range(700))
    inventory = fleet(*lines)
    for zone in ZoneMode:
        begun = time.process_time()
        plan = build_plan(inventory, PROBES, zone=zone, pairs=10, rounds=10)
        assert time.process_time() - begun < 2.5
        assert len(plan.steps) == 10 * 3 * 9 * 10
        nodes = {node for step in plan.steps for node in (step.pair.source, step.pair.destination)}
        assert len(nodes) == 20


@pytest.mark.parametrize(("name", "number"), [("rounds", 0), ("pairs", -1), ("max_parallel", 0)])
def test_numbers_below_one_are_refused(name: str, number: int) -> None:
    with pytest.raises(UsageError, match=f"{name} is {number}"):
        build_plan(fleet("a1 z: host", "a2 z: host"), PROBES, zone=ZoneMode.SAME, **{name: number})


def test_a_plan_needs_probes_and_endpoints() -> None:
    with pytest.raises(UsageError, match="no probe"):
        build_plan(fleet("a1 z: host", "a2 z: host"), {}, zone=ZoneMode.SAME)
    with pytest.raises(UsageError, match=r"hosts\.yaml has no endpoints"):
        build_plan(fleet("a1 z:"), PROBES, zone=ZoneMode.SAME)


def test_where_nothing_can_be_measured_the_error_says_why_and_what_to_try() -> None:
    inventory = fleet("a1 zone-a: host", "a2 zone-a: host")
    with pytest.raises(UsageError, match="--zone cross: only one zone in the inventory: zone-a") as caught:
        build_plan(inventory, PROBES, zone=ZoneMode.CROSS)
    assert "try --zone same" in caught.value.remedy


def test_unknown_kinds_are_refused_with_the_known_ones() -> None:
    inventory = fleet("a1 z: pod host", "a2 z: pod host")
    with pytest.raises(UsageError, match="is of kind podd") as caught:
        build_plan(inventory, PROBES, zone=ZoneMode.SAME, kinds=["podd"])
    assert caught.value.remedy == "choose from host, pod"
    with pytest.raises(UsageError, match="no kind to compare"):
        build_plan(inventory, PROBES, zone=ZoneMode.SAME, kinds=[])


def test_kinds_narrow_the_matrix_and_the_baseline_goes_with_them() -> None:
    inventory = fleet("a1 z: pod host vm", "a2 z: pod host vm")
    plan = build_plan(inventory, PROBES, zone=ZoneMode.SAME, kinds=["vm", "pod", "vm"])
    assert plan.kinds == ("pod", "vm")
    assert plan.baseline == ""
    assert len(plan.cells) == 4


def test_the_inventory_sets_order_and_baseline() -> None:
    inventory = fleet("a1 z: pod host vm", "a2 z: pod host vm", kind_order=["vm", "gone"], baseline_kind="pod")
    plan = build_plan(inventory, PROBES, zone=ZoneMode.SAME)
    assert plan.kinds == ("vm", "host", "pod")
    assert plan.baseline == "pod"


@pytest.mark.parametrize("settings", [{"kind_order": "host,pod"}, {"kind_order": [1]}, {"baseline_kind": ["host"]}])
def test_settings_that_cannot_be_are_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(InventoryError, match=rf"hosts\.yaml: netbench_{next(iter(settings))} is"):
        build_plan(fleet("a1 z: host", "a2 z: host", **settings), PROBES, zone=ZoneMode.SAME)


def test_streams_by_the_queues_of_each_source() -> None:
    """The plan shows the exact command, node by node."""
    types = {"small": InstanceType("small", queues=2), "large": InstanceType("large", queues=8)}
    fleet_of_two = replace(fleet("a1 z small: host", "a2 z large: host"), instance_types=types)
    probes = load_probes(["throughput"], {"throughput": {"parallel": "auto"}})
    plan = build_plan(fleet_of_two, probes, zone=ZoneMode.SAME, rounds=1, pairs=2)
    streams = {step.pair.source: step.client[step.client.index("-P") + 1] for step in plan.steps}
    assert streams == {"a1": "2", "a2": "8"}


def test_streams_of_a_source_whose_queues_nobody_knows() -> None:
    unknown = fleet("a1 z ecs.x: host", "a2 z ecs.x: host")
    probes = load_probes(["throughput"], {"throughput": {"parallel": "auto"}})
    asked = r"the number of a[12]'s NIC queues, and for the instance type ecs\.x"
    with pytest.raises(UsageError, match=asked) as caught:
        build_plan(unknown, probes, zone=ZoneMode.SAME)
    assert "netbench_instance_types" in caught.value.remedy


def test_each_server_is_bound_to_its_own_destination() -> None:
    plan = build_plan(fleet("a1 z: host pod", "a2 z: host pod"), PROBES, zone=ZoneMode.SAME)
    addresses = {endpoint.name: endpoint.address for endpoint in plan.endpoints}
    served = [step for step in plan.steps if step.server]
    assert served
    for step in served:
        assert step.server == PROBES[step.probe].server(addresses[step.destination])
        assert step.server is not None
        assert step.server.bind == ("-B", addresses[step.destination])
