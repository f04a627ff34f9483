"""Which endpoint stands for its kind on its node."""

from __future__ import annotations

import re
from collections.abc import Mapping

from netbench.model import Endpoint, Inventory

#: node name -> kind -> the endpoint that is used there
Chosen = Mapping[str, Mapping[str, Endpoint]]


def choose_endpoints(inventory: Inventory) -> tuple[dict[str, dict[str, Endpoint]], tuple[tuple[Endpoint, str], ...]]:
    """Choose at most one endpoint of a kind on a node: the first by name of those that are ready.

    Returns node name -> kind -> endpoint (nodes without a usable endpoint are not in it), and every other endpoint
    with the reason why it is left out, in natural order of their names.
    """
    nodes = {node.name for node in inventory.nodes}
    chosen: dict[str, dict[str, Endpoint]] = {}
    left_out: list[tuple[Endpoint, str]] = []
    for endpoint in sorted(inventory.endpoints, key=lambda endpoint: natural(endpoint.name)):
        if endpoint.not_ready is not None:
            left_out.append((endpoint, f"not ready: {endpoint.not_ready}"))
        elif endpoint.node not in nodes:
            left_out.append((endpoint, f"its node {endpoint.node} is not in the inventory"))
        else:
            used = chosen.setdefault(endpoint.node, {}).setdefault(endpoint.kind, endpoint)
            if used is not endpoint:
                left_out.append((endpoint, f"{used.name} is the {endpoint.kind} used on {endpoint.node}"))
    return chosen, tuple(left_out)


def natural(text: str) -> tuple[list[str | int], str]:
    """A sort key that puts ecs-9 before ecs-10."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], text
