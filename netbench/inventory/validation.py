"""Variables to checked values: unknown names, templates, secrets and wrong types become one clear error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from netbench.errors import InventoryError
from netbench.inventory.place import Place, Variable, Variables
from netbench.inventory.schema import AllVariables, HostVariables, PodVariables, RuleVariables, TypeVariables
from netbench.inventory.tree import ALL, Tree
from netbench.inventory.words import did_you_mean, shown
from netbench.inventory.yaml_values import Block, Vault

OURS = "netbench_"
ON_HOSTS = frozenset(HostVariables.model_fields)
ON_ALL = frozenset(AllVariables.model_fields)
NESTED: Mapping[str, type[BaseModel]] = {
    "netbench_pods": PodVariables,
    "netbench_instance_types": TypeVariables,
    "netbench_attestation": RuleVariables,
}
# names Ansible still takes; the newer one wins
OLDER_NAMES = {
    "ansible_host": ("ansible_ssh_host",),
    "ansible_port": ("ansible_ssh_port",),
    "ansible_user": ("ansible_ssh_user",),
    "ansible_ssh_private_key_file": ("ansible_private_key_file",),
}

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")

Model = TypeVar("Model", bound=BaseModel)


def check_names(tree: Tree) -> None:
    """Raise InventoryError for a netbench_ variable that does not exist, or not where it is set."""
    for owner, variables in _owners(tree):
        for name, variable in variables.items():
            if not name.startswith(OURS):
                continue
            if name in ON_ALL and owner != f"group {ALL}":
                raise variable.place.error(f"{name} of {owner} has no effect there", "set it on the group all")
            if name not in ON_ALL and name not in ON_HOSTS:
                known = [known for known in (*ON_ALL, *ON_HOSTS) if known.startswith(OURS)]
                raise variable.place.error(f"{shown(name)} of {owner} is no variable", did_you_mean(name, known, OURS))


def _owners(tree: Tree) -> Iterator[tuple[str, Variables]]:
    for kind, owners in (("group", tree.groups.values()), ("host", tree.hosts.values())):
        for owner in owners:
            yield f"{kind} {owner.name}", owner.written
            yield f"{kind} {owner.name}", owner.filed


def used(model: type[BaseModel], variables: Mapping[str, Variable]) -> Variables:
    """Those variables that the model has fields for and that are not empty, by the name of the field."""
    found = {}
    for name in model.model_fields:
        for each in (name, *OLDER_NAMES.get(name, ())):
            if (variable := variables.get(each)) is not None and variable.value is not None:
                found[name] = variable
                break
    return found


def validate(model: type[Model], variables: Variables, owner: str) -> Model:
    """The checked values of what ``used`` found; ``owner`` is for messages, as in "host ecs-1".

    Raises InventoryError with file, line, variable and remedy for the first thing that is wrong.
    """
    for variable in variables.values():
        _check_plain(variable, owner)
    try:
        return model.model_validate({name: variable.value for name, variable in variables.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _explain(first, variables[str(first["loc"][0])], owner) from None


def _check_plain(variable: Variable, owner: str) -> None:
    """No templates, nothing encrypted, at any depth."""
    todo = [variable.value]
    while todo:
        value = todo.pop()
        if isinstance(value, str) and _TEMPLATE.search(value):
            raise variable.place.error(
                f"{variable.name} of {owner} is a template: {shown(value)}",
                "netbench evaluates no Jinja: write the value itself",
            )
        if isinstance(value, Vault):
            raise variable.place.error(
                f"{variable.name} of {owner} is encrypted with ansible-vault, which netbench cannot read",
                "write the value itself; for logging in use ssh-agent or a key file",
            )
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple | set):
            todo += value


def _explain(error: Any, variable: Variable, owner: str) -> InventoryError:
    """One of pydantic's errors in our words."""
    path: Sequence[int | str] = error["loc"][1:]
    key = variable.name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    place = _line(variable, path)
    if error["type"] == "missing":
        return place.error(f"{key} of {owner} is missing", f"add {path[-1]}: to {variable.name}")
    if error["type"] == "extra_forbidden":
        return place.error(f"{key} of {owner}: there is no such key", did_you_mean(str(path[-1]), _keys(variable)))
    message = str(error["msg"]).replace("Input should be", "it should be")
    remedy = error.get("ctx", {}).get("remedy", "see the table of variables in inventories/README.md")
    return place.error(f"{key} of {owner} is {shown(error['input'])}: {message}", remedy)


def _keys(variable: Variable) -> Iterable[str]:
    return NESTED[variable.name].model_fields


def _line(variable: Variable, path: Sequence[int | str]) -> Place:
    """The line of what the path leads to, or of the last thing on the way that has one."""
    place, value = variable.place, variable.value
    for part in path:
        if isinstance(value, Block) and isinstance(part, str):
            place = Place(place.file, value.lines.get(part, value.line))
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
            if isinstance(value, Block):
                place = Place(place.file, value.line)
    return place
