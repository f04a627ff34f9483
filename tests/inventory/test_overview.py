from __future__ import annotations

from netbench.inventory import describe
from netbench.model import Access, Cluster, Endpoint, Inventory, LocalAccess, Node, PodAccess, SshAccess

NODE = Node("n1", "zone-a", "ecs.g7.large")


def row(access: Access, node: str = "n1", not_ready: str | None = None) -> tuple[str, ...]:
    endpoint = Endpoint("e", "host", node, "198.18.0.1", access, not_ready=not_ready)
    (found,) = describe(Inventory("f", (NODE,), (endpoint,)))
    return found


def test_a_row_for_each_endpoint() -> None:
    assert row(LocalAccess()) == ("e", "host", "n1", "zone-a", "198.18.0.1", "ecs.g7.large", "local")


def test_what_is_not_known_is_a_dash() -> None:
    pending = row(PodAccess(Cluster(), "ns", "p", "main"), node="", not_ready="phase Pending")
    assert pending[2:4] == ("-", "-")
    assert pending[5:] == ("-", "kubectl exec, container main (not ready: phase Pending)")


def test_how_endpoints_are_reached() -> None:
    assert row(SshAccess("h"))[-1] == "ssh h"
    assert row(SshAccess("2001:db8::1", 22, "root", proxy_jump="a,b"))[-1] == "ssh root@[2001:db8::1]:22 through a,b"
    cluster = Cluster(context="prod", control=SshAccess("ctl", user="ops"))
    assert row(PodAccess(cluster, "ns", "p", "main"))[-1] == "kubectl exec in prod on ssh ops@ctl, container main"
