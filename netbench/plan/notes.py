"""What makes the cells of a plan less comparable than they could be."""

from __future__ import annotations

from collections.abc import Iterable

from netbench.model import Cell, Pair, Plan


def notes(plan: Plan) -> tuple[str, ...]:
    """One sentence for each of: cells on different pairs, cells on fewer pairs than asked for, mixed instance types.

    Empty where all cells are measured on the same pairs of like nodes, as many as were asked for.
    """
    found: dict[Cell, dict[Pair, None]] = {}
    for step in plan.steps:
        found.setdefault(step.cell, {})[step.pair] = None
    pairs = {cell: found[cell] for cell in plan.cells if cell in found}
    return (*_different(pairs), *_fewer(pairs, plan.pairs), *_mixed(plan, pairs.values()))


def _different(pairs: dict[Cell, dict[Pair, None]]) -> Iterable[str]:
    cells_on: dict[frozenset[Pair], list[Cell]] = {}
    for cell, some in pairs.items():
        cells_on.setdefault(frozenset(some), []).append(cell)
    if len(cells_on) > 1:
        groups = "; ".join(f"{_list(cells)} on {_list(sorted(some))}" for some, cells in cells_on.items())
        yield f"not all cells are measured on the same pairs of nodes, so hardware may differ too: {groups}"


def _fewer(pairs: dict[Cell, dict[Pair, None]], wanted: int) -> Iterable[str]:
    by_number: dict[int, list[Cell]] = {}
    for cell, some in pairs.items():
        if len(some) < wanted:
            by_number.setdefault(len(some), []).append(cell)
    for number, cells in sorted(by_number.items()):
        yield f"only {number} of {wanted} pairs of nodes can be found for {_list(cells)}"


def _mixed(plan: Plan, pairs: Iterable[dict[Pair, None]]) -> Iterable[str]:
    types = {endpoint.node: endpoint.instance_type or "unknown" for endpoint in plan.endpoints}
    used = {name for some in pairs for pair in some for name in (pair.source, pair.destination)}
    found = sorted({types[name] for name in used})
    if len(found) > 1:
        yield f"the nodes are of different instance types: {_list(found)}"


def _list(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
