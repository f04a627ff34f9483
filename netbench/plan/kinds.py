"""In which order kinds are shown, and which one the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from netbench.errors import InventoryError, UsageError
from netbench.model import Inventory


def order_kinds(inventory: Inventory, kinds: Sequence[str] | None) -> tuple[str, ...]:
    """The kinds to compare: those of ``kinds`` (None: all the inventory has, ready or not), each once.

    First those that ``netbench_kind_order`` lists (without it, the package's own list), then the others by name.
    Raises UsageError for a kind that no endpoint has, InventoryError for a setting that is not a list of kinds.
    """
    known = {endpoint.kind for endpoint in inventory.endpoints}
    listed = inventory.settings.get("kind_order", _defaults()[0])
    if not isinstance(listed, (list, tuple)) or not all(isinstance(kind, str) for kind in listed):
        raise InventoryError(
            f"{inventory.source}: netbench_kind_order is {listed!r}, not a list of kinds",
            "write it as a YAML list, such as netbench_kind_order: [host, pod]",
        )
    ordered = tuple(kind for kind in dict.fromkeys((*listed, *sorted(known))) if kind in known)
    if kinds is None:
        return ordered
    for kind in kinds:
        if kind not in known:
            raise UsageError(
                f"no endpoint of {inventory.source} is of kind {kind}",
                f"choose from {', '.join(ordered) or 'none: the inventory has no endpoints'}",
            )
    if not kinds:
        raise UsageError("there is no kind to compare", f"choose from {', '.join(ordered)}")
    return tuple(kind for kind in ordered if kind in kinds)


def baseline_kind(inventory: Inventory, kinds: Sequence[str]) -> str:
    """The kind that others are compared with; the empty string where it is not among ``kinds``."""
    kind = inventory.settings.get("baseline_kind", _defaults()[1])
    if not isinstance(kind, str):
        raise InventoryError(
            f"{inventory.source}: netbench_baseline_kind is {kind!r}, not the name of a kind",
            "give it one kind, such as netbench_baseline_kind: host",
        )
    return kind if kind in kinds else ""


@cache
def _defaults() -> tuple[tuple[str, ...], str]:
    from ruamel.yaml import YAML  # takes a while, and importing the package should not

    data = YAML(typ="safe").load(files("netbench.plan").joinpath("kinds.yaml").read_text(encoding="utf-8"))
    return tuple(data["order"]), str(data["baseline"])
