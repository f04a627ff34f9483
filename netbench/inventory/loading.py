"""An inventory file or directory to an Inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netbench.inventory.access import host_access
from netbench.inventory.attestation import attestation_rules
from netbench.inventory.files import base_directory, read_tree
from netbench.inventory.instance_types import instance_types
from netbench.inventory.lineage import Lineage
from netbench.inventory.patterns import select
from netbench.inventory.place import Place
from netbench.inventory.pod_sources import pod_sources
from netbench.inventory.schema import AllVariables, HostVariables
from netbench.inventory.tree import ALL, Tree
from netbench.inventory.validation import OURS, check_names, used, validate
from netbench.model import Access, Endpoint, Inventory, Node

SETTINGS = ("lab", "lab_notes", "max_parallel", "kind_order", "baseline_kind", "lock_group")


def load(path: str | Path, limit: str | None = None) -> Inventory:
    """Read an Ansible inventory: a YAML or INI file, or a directory of them; group_vars/ and host_vars/ beside it.

    ``limit``, a pattern as Ansible's --limit, keeps the nodes it matches; the settings then hold it as ``limit``.
    Pods are not looked for: see ``discover``. Raises InventoryError for a file that cannot be, UsageError for a limit
    that matches nothing.
    """
    source, path = str(path), Path(path)
    tree = read_tree(path)
    check_names(tree)
    lineage = Lineage(tree)
    everywhere = tree.groups[ALL].written | tree.groups[ALL].filed
    all_variables = used(AllVariables, everywhere)
    settings = validate(AllVariables, all_variables, f"group {ALL}")
    hosts = _hosts(tree, lineage, base_directory(path))
    if not hosts and not settings.netbench_pods:
        raise Place(source).error("names neither hosts nor pods", "add hosts, or netbench_pods to the group all")
    chosen = select(limit, tree, lineage) if limit is not None else set(hosts)
    measured = [host for host in hosts.values() if host.values.netbench_endpoint and host.name in chosen]
    _check_zones(measured)
    _check_addresses(measured)
    given = {name: getattr(settings, OURS + name) for name in SETTINGS if OURS + name in all_variables}
    return Inventory(
        source=source,
        nodes=tuple(_node(host) for host in measured),
        endpoints=tuple(_endpoint(host) for host in measured),
        pod_sources=pod_sources(
            settings.netbench_pods,
            all_variables.get("netbench_pods"),
            {host.name: host.access for host in hosts.values()},
            base_directory(path),
        ),
        settings={**given, "limit": limit} if limit is not None else given,
        instance_types=instance_types(settings.netbench_instance_types, source),
        attestation=attestation_rules(settings.netbench_attestation, source),
    )


@dataclass(frozen=True)
class _Host:
    name: str
    place: Place
    values: HostVariables
    access: Access

    @property
    def address(self) -> str:
        """The data-plane address."""
        return self.values.netbench_address or self.values.ansible_host or self.name


def _hosts(tree: Tree, lineage: Lineage, base: Path) -> dict[str, _Host]:
    found = {}
    for name, host in tree.hosts.items():
        variables = used(HostVariables, lineage.variables(name))
        values = validate(HostVariables, variables, f"host {name}")
        found[name] = _Host(name, host.place, values, host_access(name, values, variables, base))
    return found


def _check_zones(measured: Sequence[_Host]) -> None:
    without = [host for host in measured if host.values.netbench_zone is None]
    if without:
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        raise without[0].place.error(
            f"host {without[0].name}{more} has no netbench_zone",
            "set netbench_zone on the host or its group, or netbench_endpoint: false on a host that is not measured",
        )


def _check_addresses(measured: Sequence[_Host]) -> None:
    """Two nodes must not be one machine: two tests would share its NIC."""
    owners: dict[str, _Host] = {}
    for host in measured:
        for address in dict.fromkeys((host.address, *host.values.netbench_node_addresses)):
            other = owners.setdefault(address, host)
            if other is not host:
                raise host.place.error(
                    f"the hosts {other.name} and {host.name} both have the address {address}",
                    "name every machine once, or tell their addresses apart with netbench_address",
                )


def _node(host: _Host) -> Node:
    addresses = (host.values.ansible_host or host.name, host.address, *host.values.netbench_node_addresses)
    return Node(
        name=host.name,
        zone=host.values.netbench_zone or "",
        instance_type=host.values.netbench_instance_type,
        addresses=tuple(dict.fromkeys(addresses)),
    )


def _endpoint(host: _Host) -> Endpoint:
    return Endpoint(host.name, host.values.netbench_kind, host.name, host.address, host.access)
