"""The YAML form of an inventory: groups with ``hosts``, ``vars`` and ``children``."""

from __future__ import annotations

from netbench.inventory.place import Place, Variable
from netbench.inventory.tree import Tree
from netbench.inventory.words import did_you_mean, shown
from netbench.inventory.yaml_values import Block, read_yaml

SECTIONS = ("hosts", "vars", "children")


def read_yaml_inventory(text: str, file: str, tree: Tree) -> None:
    """Add what the text says to the tree. Raises InventoryError with file and line."""
    data = read_yaml(text, file)
    if data is None:
        raise Place(file).error("is empty", "begin with all:, and hosts: or children: below it")
    if not isinstance(data, Block):
        raise Place(file, 1).error(f"holds {_kind(data)}, not groups", "begin with all:, and hosts: below it")
    if "plugin" in data:
        raise Place(file, data.lines["plugin"]).error(
            "this is the configuration of an inventory plugin; netbench runs none",
            "write its result to a file: ansible-inventory -i THIS --list --yaml --output hosts.yaml",
        )
    for name, content in data.items():
        _read_group(tree, name, content, Place(file, data.lines[name]))


def variables_of(block: Block, file: str) -> list[Variable]:
    """The entries of a mapping as variables."""
    return [Variable(name, value, Place(file, block.lines[name])) for name, value in block.items()]


def _read_group(tree: Tree, name: str, content: object, place: Place) -> None:
    group = tree.group(name, place)
    block = _mapping(content, place, f"the group {name}", "give it hosts:, vars: or children:")
    for key in block:
        if key not in SECTIONS:
            raise Place(place.file, block.lines[key]).error(
                f"the group {name} has the key {shown(key)}",
                f"{did_you_mean(key, SECTIONS)}; variables go below vars:, groups below children:",
            )
    sections = {key: _section(block, key, name, place) for key in SECTIONS}
    group.written.update((variable.name, variable) for variable in variables_of(sections["vars"], place.file))
    for child, below in sections["children"].items():
        at = Place(place.file, sections["children"].lines[child])
        _read_group(tree, child, below, at)
        group.children.setdefault(child, at)
    for pattern, below in sections["hosts"].items():
        at = Place(place.file, sections["hosts"].lines[pattern])
        own = _mapping(below, at, f"the host {shown(pattern)}", "write its variables as KEY: VALUE below it")
        tree.add_hosts(group, pattern, at, variables_of(own, place.file))


def _section(block: Block, key: str, group: str, place: Place) -> Block:
    at = Place(place.file, block.lines.get(key, block.line))
    content = block.get(key)
    if isinstance(content, str) and key != "vars":  # Ansible takes one name too
        single = Block(at.line or 0)
        single[content] = None
        single.lines[content] = at.line or 0
        return single
    remedy = "write KEY: VALUE below it" if key == "vars" else "write every name with a colon behind it, without a dash"
    return _mapping(content, at, f"{key} of the group {group}", remedy)


def _mapping(content: object, place: Place, what: str, remedy: str) -> Block:
    if content is None:
        return Block(place.line or 0)
    if not isinstance(content, Block):
        raise place.error(f"{what} is {_kind(content)}, not a mapping", remedy)
    return content


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else f"the value {shown(value)}"
