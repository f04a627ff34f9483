"""Why no pair of nodes can carry a cell, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from netbench.model import Cell, Endpoint, Inventory, ZoneMode
from netbench.plan.endpoints import natural

SHOWN = 3  # endpoints named in one reason


class Reasons:
    """Explains the cells of one inventory that have no pair."""

    def __init__(self, inventory: Inventory, zone: ZoneMode, kinds_on: Mapping[str, frozenset[str]]) -> None:
        """``kinds_on``: node name -> kinds that can be measured there now."""
        self._zone = zone
        self._zones = {node.name: node.zone for node in inventory.nodes}
        self._kinds_on = kinds_on
        waiting = [e for e in inventory.endpoints if e.not_ready is not None and e.node in self._zones]
        self._waiting = sorted(waiting, key=lambda endpoint: natural(endpoint.name))

    def why(self, cell: Cell) -> str:
        """The reason, in one line. Only for a cell that no pair can carry."""
        sources, destinations = self._nodes(cell.source), self._nodes(cell.destination)
        waiting = [e for e in self._waiting if e.kind in (cell.source, cell.destination)]
        if self._possible(
            sources | {e.node for e in waiting if e.kind == cell.source},
            destinations | {e.node for e in waiting if e.kind == cell.destination},
        ):
            return _not_ready(waiting)
        for kind, nodes in ((cell.source, sources), (cell.destination, destinations)):
            if not nodes:
                mine = [e for e in waiting if e.kind == kind]
                return _not_ready(mine) if mine else f"no endpoint of kind {kind} is on a node of the inventory"
        both = " and ".join(dict.fromkeys((cell.source, cell.destination)))
        runs = "runs" if cell.source == cell.destination else "run"
        nodes = sources | destinations
        if len(nodes) == 1:
            return f"{both} {runs} on node {min(nodes)} only; a flow must cross nodes"
        if self._zone is ZoneMode.SAME:
            return f"no two nodes of one zone carry {both}"
        zone = self._zones[min(nodes)]
        if set(self._zones.values()) == {zone}:
            return f"only one zone in the inventory: {zone}"
        return f"{both} {runs} in {zone} only; a flow must cross zones"

    def _nodes(self, kind: str) -> set[str]:
        return {name for name, kinds in self._kinds_on.items() if kind in kinds}

    def _possible(self, sources: set[str], destinations: set[str]) -> bool:
        """Whether a pair can be made of one node of each set."""
        zones = {self._zones[name] for name in sources}, {self._zones[name] for name in destinations}
        if self._zone is ZoneMode.CROSS:
            return all(zones) and len(zones[0] | zones[1]) > 1
        return any(
            len({name for name in sources | destinations if self._zones[name] == zone}) > 1
            for zone in zones[0] & zones[1]
        )


def _not_ready(endpoints: list[Endpoint]) -> str:
    shown = [f"{e.kind} {e.name} on {e.node} is not ready: {e.not_ready}" for e in endpoints[:SHOWN]]
    if len(endpoints) > SHOWN:
        shown.append(f"and {len(endpoints) - SHOWN} more are not ready")
    return "; ".join(shown)
