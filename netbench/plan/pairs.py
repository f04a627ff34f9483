"""Which pairs of nodes each cell is measured on.

Cells should differ by kind and not by hardware, so one pair of nodes carries as many cells as it can: a pair whose
nodes have every kind carries all of them. Nodes that are alike (zone, instance type, kinds) form a group, and groups
are compared instead of nodes: a fleet has hundreds of nodes and a handful of groups.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from netbench.model import Cell, Node, Pair, ZoneMode


def choose_pairs(
    nodes: Iterable[Node],
    kinds_on: Mapping[str, frozenset[str]],
    cells: Sequence[Cell],
    *,
    zone: ZoneMode,
    count: int,
    seed: int,
) -> dict[Cell, tuple[Pair, ...]]:
    """Up to ``count`` pairs for each cell; a cell that no pair can carry has none.

    ``kinds_on``: node name -> kinds that can be measured there. Each choice takes the pair that carries most of the
    cells still in need; among equals one instance type at both ends, the type that most nodes have, nodes that are
    used least, zones that are used least. The seed decides between what is then still equal, node by node: a node
    that joins the inventory does not shuffle the others.
    """
    groups = _groups(nodes, kinds_on, seed)
    needs = dict.fromkeys(cells, count)
    chosen: dict[Cell, list[Pair]] = {cell: [] for cell in cells}
    use = _Use(groups)
    heap = [
        (use.rank(source, destination, _carried(source, destination, needs)), index, source, destination)
        for index, (source, destination) in enumerate(_fitting(groups, zone))
    ]
    heapq.heapify(heap)
    # A rank only ever gets worse, so the first whose rank is still true is the best there is.
    while heap and needs:
        rank, index, source, destination = heap[0]
        carried = _carried(source, destination, needs)
        pair = use.free_pair(source, destination) if carried else None
        if pair is None:
            heapq.heappop(heap)
            continue
        current = use.rank(source, destination, carried, pair)
        if current > rank:
            heapq.heapreplace(heap, (current, index, source, destination))
            continue
        use.take(source, destination, pair)
        for cell in carried:
            chosen[cell].append(pair)
            needs[cell] -= 1
            if not needs[cell]:
                del needs[cell]
    return {cell: tuple(pairs) for cell, pairs in chosen.items()}


@dataclass(frozen=True)
class _Group:
    """Nodes that are alike, in the order that the seed gives them."""

    zone: str
    instance_type: str
    kinds: frozenset[str]
    nodes: tuple[str, ...]


def _groups(nodes: Iterable[Node], kinds_on: Mapping[str, frozenset[str]], seed: int) -> list[_Group]:
    found: dict[tuple[str, str, frozenset[str]], list[str]] = {}
    usable = (node for node in nodes if kinds_on.get(node.name))
    for node in sorted(usable, key=lambda node: _lot(seed, node.name)):
        found.setdefault((node.zone, node.instance_type or "", kinds_on[node.name]), []).append(node.name)
    return [_Group(*alike, tuple(names)) for alike, names in found.items()]


def _lot(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogatepass")).hexdigest()


def _fitting(groups: Sequence[_Group], zone: ZoneMode) -> Iterator[tuple[_Group, _Group]]:
    for source in groups:
        for destination in groups:
            if (source.zone == destination.zone) == (zone is ZoneMode.SAME):
                yield source, destination


def _carried(source: _Group, destination: _Group, needs: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in needs if cell.source in source.kinds and cell.destination in destination.kinds]


class _Use:
    """What is used how often so far."""

    def __init__(self, groups: Sequence[_Group]) -> None:
        self._taken: set[Pair] = set()
        self._nodes: Counter[str] = Counter()
        self._zones: Counter[tuple[str, str]] = Counter()
        types: Counter[str] = Counter()
        for group in groups:
            types[group.instance_type] += len(group.nodes)
        by_size = sorted(types, key=lambda name: (-types[name], name))
        self._types = {name: place for place, name in enumerate(by_size)}

    def rank(
        self, source: _Group, destination: _Group, carried: Sequence[Cell], pair: Pair | None = None
    ) -> tuple[int, ...]:
        """The lower the better. Without a pair: as long as none of the nodes is used."""
        there, back = (source.zone, destination.zone), (destination.zone, source.zone)
        return (
            -len(carried),
            source.instance_type != destination.instance_type,
            self._types[source.instance_type] + self._types[destination.instance_type],
            self._nodes[pair.source] + self._nodes[pair.destination] if pair else 0,
            self._zones[there] + self._zones[back],
            self._zones[there],
        )

    def free_pair(self, source: _Group, destination: _Group) -> Pair | None:
        """A pair that is not taken, of nodes that are used least; None when all are."""
        sources = sorted(source.nodes, key=self._nodes.__getitem__)
        destinations = sorted(destination.nodes, key=self._nodes.__getitem__)
        return next(
            (
                Pair(one, other)
                for one in sources
                for other in destinations
                if one != other and Pair(one, other) not in self._taken
            ),
            None,
        )

    def take(self, source: _Group, destination: _Group, pair: Pair) -> None:
        """Count the pair as used."""
        self._taken.add(pair)
        self._nodes.update((pair.source, pair.destination))
        self._zones[source.zone, destination.zone] += 1
