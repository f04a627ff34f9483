"""An inventory as rows for a table."""

from __future__ import annotations

from netbench.model import Access, Endpoint, Inventory, LocalAccess, PodAccess, SshAccess

MISSING = "-"


def describe(inventory: Inventory) -> list[tuple[str, ...]]:
    """One row an endpoint: endpoint, kind, node, zone, address, instance type, how it is reached."""
    nodes = {node.name: node for node in inventory.nodes}
    rows: list[tuple[str, ...]] = []
    for endpoint in inventory.endpoints:
        node = nodes.get(endpoint.node)
        zone, instance_type = (node.zone, node.instance_type) if node else (MISSING, None)
        row = (endpoint.name, endpoint.kind, endpoint.node, zone, endpoint.address, instance_type, _reached(endpoint))
        rows.append(tuple(cell or MISSING for cell in row))
    return rows


def _reached(endpoint: Endpoint) -> str:
    way = _way(endpoint.access)
    return f"{way} (not ready: {endpoint.not_ready})" if endpoint.not_ready else way


def _way(access: Access) -> str:
    if isinstance(access, SshAccess):
        user = f"{access.user}@" if access.user else ""
        host = f"[{access.host}]" if access.port and ":" in access.host else access.host
        port = f":{access.port}" if access.port else ""
        jump = f" through {access.proxy_jump}" if access.proxy_jump else ""
        return f"ssh {user}{host}{port}{jump}"
    if isinstance(access, PodAccess):
        context = f" in {access.cluster.context}" if access.cluster.context else ""
        control = access.cluster.control
        where = "" if isinstance(control, LocalAccess) else f" on {_way(control)}"
        return f"kubectl exec{context}{where}, container {access.container or MISSING}"
    return access.transport
