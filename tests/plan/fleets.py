"""Inventories for the tests of plans."""

from __future__ import annotations

from hypothesis import strategies as st

from netbench.model import Endpoint, Inventory, LocalAccess, Node

KINDS = ("host", "terway", "terway-eni", "a b/..~网", "x" * 60)
NODES = ("a1", "a2", "A1", "eni-a1", "n/../1", "节点", "b~1", "n" * 80, "ecs-9", "ecs-10")


def fleet(*lines: str, **settings: object) -> Inventory:
    """Nodes written as ``a1 zone-a: host terway`` or ``a1 zone-a ecs.large: host terway=Pending``."""
    nodes, endpoints = [], []
    for line in lines:
        head, _, kinds = line.partition(":")
        name, zone, *instance_type = head.split()
        nodes.append(Node(name, zone, *instance_type))
        for word in kinds.split():
            kind, _, reason = word.partition("=")
            endpoints.append(endpoint(f"{kind}-{name}", kind, name, reason or None))
    return Inventory("hosts.yaml", tuple(nodes), tuple(endpoints), settings=settings)


def endpoint(name: str, kind: str, node: str, not_ready: str | None = None) -> Endpoint:
    return Endpoint(name, kind, node, f"198.18.0.{len(name)}", LocalAccess(), not_ready=not_ready)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Small fleets with every sort of trouble: hostile names, missing kinds, pods that are not ready, two of a kind."""
    names = draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=7, unique=True))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    nodes, endpoints = [], []
    for name in names:
        zone = draw(st.sampled_from(("zone-a", "zone-b", "zone-c")))
        nodes.append(Node(name, zone, draw(st.sampled_from((None, "ecs.small", "ecs.large")))))
        for number, kind in enumerate(draw(st.lists(st.sampled_from(kinds), max_size=5))):
            not_ready = draw(st.sampled_from((None, None, None, "CrashLoopBackOff")))
            endpoints.append(endpoint(f"{kind}-{name}-{number}", kind, name, not_ready))
    if not endpoints:
        endpoints.append(endpoint("only", kinds[0], names[0]))
    return Inventory("hosts.yaml", tuple(nodes), tuple(endpoints))
