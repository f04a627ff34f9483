"""Groups, hosts and their variables, as the files of an inventory name them one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from netbench.inventory.place import Place, Variable, Variables
from netbench.inventory.ranges import hosts_of
from netbench.inventory.words import did_you_mean, is_group_name, shown

ALL = "all"
UNGROUPED = "ungrouped"
MOST_HOSTS = 100_000


@dataclass
class Group:
    """A group; ``written`` are the variables in inventory files, ``filed`` those in group_vars/."""

    name: str
    place: Place | None = None  # where it is named first; None: one that always is
    declared: bool = True
    hosts: dict[str, None] = field(default_factory=dict)  # in the order of the files
    children: dict[str, Place] = field(default_factory=dict)
    written: Variables = field(default_factory=dict)
    filed: Variables = field(default_factory=dict)


@dataclass
class Host:
    """A host; ``written`` are the variables in inventory files, ``filed`` those in host_vars/."""

    name: str
    place: Place  # where it is named first
    written: Variables = field(default_factory=dict)
    filed: Variables = field(default_factory=dict)


class Tree:
    """What the files say. Later files add to earlier ones; a variable set again takes the later value."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {ALL: Group(ALL), UNGROUPED: Group(UNGROUPED)}
        self.hosts: dict[str, Host] = {}

    def group(self, name: str, place: Place, *, declared: bool = True) -> Group:
        """The group of that name, made if it is new; not ``declared``: some other place has to declare it.

        Raises InventoryError for a name that cannot be.
        """
        if name not in self.groups:
            if not is_group_name(name):
                raise place.error(
                    f"{shown(name)} cannot be the name of a group", "use letters, digits, dashes and underscores"
                )
            self.groups[name] = Group(name, place, declared)
        group = self.groups[name]
        group.declared = group.declared or declared
        return group

    def add_hosts(self, group: Group, pattern: str, place: Place, variables: Iterable[Variable] = ()) -> None:
        """Add the hosts a pattern stands for to a group, with these variables."""
        names, port = hosts_of(pattern, place)
        if len(self.hosts) + len(names) > MOST_HOSTS:
            raise place.error(f"more than {MOST_HOSTS} hosts", "split the inventory")
        given = {variable.name: variable for variable in variables}
        if port is not None:
            given = {"ansible_port": Variable("ansible_port", port, place)} | given
        for name in names:
            group.hosts[name] = None
            self.hosts.setdefault(name, Host(name, place)).written.update(given)

    def check_declared(self) -> None:
        """Raise InventoryError for a group that is named and nowhere declared."""
        for group in self.groups.values():
            if not group.declared and group.place:
                known = [name for name, other in self.groups.items() if other.declared]
                raise group.place.error(
                    f"no file declares the group {group.name}", f"add [{group.name}]; {did_you_mean(group.name, known)}"
                )
