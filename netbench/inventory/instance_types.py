"""Limits of instance types: shipped data, and what an inventory knows better."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from netbench.inventory.place import Place, Variable
from netbench.inventory.schema import AllVariables, TypeVariables
from netbench.inventory.validation import validate
from netbench.inventory.yaml_values import read_yaml
from netbench.model import InstanceType

FILE = "instance_types.yaml"


def instance_types(given: Mapping[str, TypeVariables], source: str) -> dict[str, InstanceType]:
    """The shipped types, with what ``given`` says in their place; ``source``: who says it where ``given`` does not.

    A number that is not given stays as shipped, and the source then names both.
    """
    found = {name: InstanceType(name, **entry.model_dump()) for name, entry in _shipped().items()}
    for name, entry in given.items():
        shipped = found.get(name, InstanceType(name))
        kept = [key for key in ("bandwidth", "pps", "queues") if getattr(entry, key) is None and getattr(shipped, key)]
        who = entry.source or source
        found[name] = InstanceType(
            name,
            bandwidth=entry.bandwidth or shipped.bandwidth,
            pps=entry.pps or shipped.pps,
            queues=entry.queues or shipped.queues,
            source=f"{who}; {', '.join(kept)}: {shipped.source}" if kept else who,
        )
    return found


def _shipped() -> dict[str, TypeVariables]:
    data = read_yaml(files("netbench.inventory").joinpath(FILE).read_text(encoding="utf-8"), FILE)
    variable = Variable("netbench_instance_types", data, Place(FILE))
    return dict(validate(AllVariables, {variable.name: variable}, "netbench").netbench_instance_types)
