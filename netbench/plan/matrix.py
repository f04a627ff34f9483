"""The matrix: every cell with the pairs of nodes it is measured on, or with the reason why it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netbench.model import Cell, Exclusion, Inventory, Pair, ZoneMode
from netbench.plan.endpoints import Chosen
from netbench.plan.exclusions import Reasons
from netbench.plan.pairs import choose_pairs


@dataclass(frozen=True)
class Matrix:
    """Each cell is in exactly one of the two; both in the order of the kinds, sources first."""

    pairs: Mapping[Cell, tuple[Pair, ...]]  # at least one each
    exclusions: tuple[Exclusion, ...]


def build_matrix(
    inventory: Inventory, chosen: Chosen, kinds: Sequence[str], *, zone: ZoneMode, pairs: int, seed: int
) -> Matrix:
    """Up to ``pairs`` pairs of nodes for every cell of these kinds, the same for all cells where that is possible.

    A pair never has one node twice. ``same``: both nodes are in one zone; ``cross``: in two.
    """
    kinds_on = {node: frozenset(endpoints).intersection(kinds) for node, endpoints in chosen.items()}
    cells = [Cell(source, destination) for source in kinds for destination in kinds]
    found = choose_pairs(inventory.nodes, kinds_on, cells, zone=zone, count=pairs, seed=seed)
    reasons = Reasons(inventory, zone, kinds_on)
    return Matrix(
        pairs={cell: some for cell, some in found.items() if some},
        exclusions=tuple(Exclusion(cell, reasons.why(cell)) for cell, some in found.items() if not some),
    )
