"""Puts a plan together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from netbench.errors import UsageError
from netbench.model import Exclusion, InstanceType, Inventory, Node, Plan, PlannedEndpoint, Precision, Step, ZoneMode
from netbench.plan.endpoints import Chosen, choose_endpoints, natural
from netbench.plan.ids import Identity, step_ids
from netbench.plan.kinds import baseline_kind, order_kinds
from netbench.plan.matrix import Matrix, build_matrix
from netbench.plan.notes import notes
from netbench.plan.schedule import balanced_orders, in_waves, rotated
from netbench.probes.base import FitsSource, Probe

OTHER_ZONE = {ZoneMode.SAME: ZoneMode.CROSS, ZoneMode.CROSS: ZoneMode.SAME}


def build_plan(
    inventory: Inventory,
    probes: Mapping[str, Probe],
    *,
    zone: ZoneMode,
    rounds: int = 3,
    pairs: int = 1,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
    max_parallel: int | None = None,
    precision: Precision | None = None,
) -> Plan:
    """Everything that is to be done, in order. The same arguments give the same plan.

    ``pairs``: pairs of nodes for each cell, fewer where there are not as many. ``kinds``: None for all of the
    inventory. ``max_parallel``: steps that may run at the same time, None for as many as share no node. ``precision``:
    what makes a run add rounds to these.
    Cells that cannot be measured are in ``exclusions``. Raises UsageError for a number below 1, a kind that is not
    there, no probes, or when no cell can be measured; InventoryError for a setting that cannot be.
    """
    for name, number in (("rounds", rounds), ("pairs", pairs), ("max_parallel", max_parallel)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}", f"give {name} a number from 1 on")
    if not probes:
        raise UsageError("there is no probe to run", "name at least one with --probes")
    ordered = order_kinds(inventory, kinds)
    if not ordered:
        raise UsageError(f"{inventory.source} has no endpoints", "add hosts or pods to it, or widen --limit")
    chosen, _ = choose_endpoints(inventory)
    matrix = build_matrix(inventory, chosen, ordered, zone=zone, pairs=pairs, seed=seed)
    if not matrix.pairs:
        raise _nothing(matrix.exclusions, zone)
    order = list(_order(matrix, tuple(probes), rounds, seed))
    steps = in_waves(_steps(order, chosen, probes, inventory), max_parallel)
    used = {name for step in steps for name in (step.source, step.destination)}
    plan = Plan(
        zone=zone,
        kinds=ordered,
        probes={name: dataclasses.asdict(cast(Any, probe)) for name, probe in probes.items()},
        rounds=rounds,
        seed=seed,
        pairs=pairs,
        endpoints=_endpoints(inventory, chosen, ordered, used),
        steps=steps,
        exclusions=matrix.exclusions,
        baseline=baseline_kind(inventory, ordered),
        lab=bool(inventory.settings.get("lab")),
        precision=precision,
    )
    return dataclasses.replace(plan, notes=notes(plan))


def _order(matrix: Matrix, probes: Sequence[str], rounds: int, seed: int) -> Iterable[Identity]:
    """A round takes each probe in turn, beginning with another each time; a probe takes every cell on all its pairs."""
    cells = tuple(matrix.pairs)
    orders = {probe: balanced_orders(cells, rounds, f"{seed}/{probe}") for probe in probes}
    for index in range(rounds):
        for probe in rotated(probes, index):
            for cell in orders[probe][index]:
                for pair in matrix.pairs[cell]:
                    yield index + 1, probe, cell, pair


def _steps(order: Sequence[Identity], chosen: Chosen, probes: Mapping[str, Probe], inventory: Inventory) -> list[Step]:
    """The steps, not yet in waves."""
    types = {node.name: _type(node, inventory) for node in inventory.nodes}
    steps = []
    for step_id, (number, name, cell, pair) in zip(step_ids(order), order, strict=True):
        source = chosen[pair.source][cell.source]
        destination = chosen[pair.destination][cell.destination]
        probe = probes[name]
        if isinstance(probe, FitsSource):
            probe = probe.for_source(pair.source, types[pair.source])
        steps.append(
            Step(
                id=step_id,
                wave=0,
                round=number,
                probe=name,
                cell=cell,
                pair=pair,
                source=source.name,
                destination=destination.name,
                client=probe.client(destination.address),
                server=probe.server(destination.address),
                seconds=probe.seconds,
            )
        )
    return steps


def _type(node: Node, inventory: Inventory) -> InstanceType | None:
    """What is known of the node's type, be it but its name; None where it has none."""
    if node.instance_type is None:
        return None
    return inventory.instance_types.get(node.instance_type, InstanceType(node.instance_type))


def _endpoints(
    inventory: Inventory, chosen: Chosen, kinds: Sequence[str], used: set[str]
) -> tuple[PlannedEndpoint, ...]:
    """Those that take part, by kind, then by name."""
    nodes = {node.name: node for node in inventory.nodes}
    some = (e for endpoints in chosen.values() for e in endpoints.values() if e.name in used)
    return tuple(
        PlannedEndpoint(e.name, e.kind, e.node, nodes[e.node].zone, e.address, nodes[e.node].instance_type)
        for e in sorted(some, key=lambda e: (kinds.index(e.kind), natural(e.name)))
    )


def _nothing(exclusions: Sequence[Exclusion], zone: ZoneMode) -> UsageError:
    reasons = "; ".join(dict.fromkeys(exclusion.reason for exclusion in exclusions))
    return UsageError(
        f"nothing can be measured with --zone {zone.value}: {reasons}",
        f"add nodes or pods, widen --limit, or try --zone {OTHER_ZONE[zone].value}; "
        "inventory.show lists the endpoints there are",
    )
