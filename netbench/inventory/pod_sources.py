"""netbench_pods to the places where pods are looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from netbench.inventory.access import local_path, require_trust
from netbench.inventory.place import Place, Variable
from netbench.inventory.schema import PodVariables
from netbench.inventory.words import did_you_mean
from netbench.model import Access, Cluster, LocalAccess, PodSource

NAME = "netbench_pods"


def pod_sources(
    entries: Sequence[PodVariables], variable: Variable | None, accesses: Mapping[str, Access], base: Path
) -> tuple[PodSource, ...]:
    """One PodSource an entry. ``variable``: where the entries stand; ``accesses``: of the hosts that may be control.

    Raises InventoryError for a control host that is not in the inventory, or paths that mean nothing there.
    """
    if variable is None:
        return ()
    several = len(entries) > 1
    return tuple(
        _source(f"{NAME}[{index}]" if several else NAME, entry, variable.place, accesses, base)
        for index, entry in enumerate(entries)
    )


def _source(name: str, entry: PodVariables, place: Place, accesses: Mapping[str, Access], base: Path) -> PodSource:
    control: Access = LocalAccess()
    kubeconfig = entry.kubeconfig
    if entry.control is not None:
        if entry.control not in accesses:
            raise place.error(
                f"{name}.control: no host of the inventory is named {entry.control}",
                did_you_mean(entry.control, accesses),
            )
        control = accesses[entry.control]
    if kubeconfig is not None and isinstance(control, LocalAccess):
        kubeconfig = local_path(kubeconfig, place, base)
    elif kubeconfig is not None and not kubeconfig.startswith("/"):
        raise place.error(
            f"{name}.kubeconfig is {kubeconfig}, and kubectl runs on {entry.control}",
            "write the whole path there, or leave it out for the default of the user there",
        )
    if "/" in entry.kubectl and isinstance(control, LocalAccess):
        require_trust(Path(entry.kubectl), place)  # it is executed
    return PodSource(
        name=name,
        cluster=Cluster(kubeconfig, entry.context, entry.kubectl, control),
        namespace=entry.namespace,
        selector=entry.selector,
        kind_label=entry.kind_label,
        container=entry.container,
        host_network_kind=entry.host_network_kind,
    )
