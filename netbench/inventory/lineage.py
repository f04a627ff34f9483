"""Which groups a host is in, and which of their variables win."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netbench.inventory.place import Variables
from netbench.inventory.tree import ALL, UNGROUPED, Group, Tree
from netbench.inventory.words import shown

DEEPEST = 64  # groups inside of each other


class Lineage:
    """The relations in a complete tree. Raises InventoryError for groups that contain themselves."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._parents = _parents(tree)
        self._depths = _depths(tree, self._parents)
        self._groups_of = _groups_of(tree)
        self._merged: dict[tuple[str, ...], Variables] = {}

    def members(self, group: str) -> list[str]:
        """All hosts of a group: its own first, then those of its children, level by level."""
        if group == ALL:
            return list(self._tree.hosts)
        if group == UNGROUPED:
            return [name for name, groups in self._groups_of.items() if not groups]
        found: dict[str, None] = {}
        level = [group]
        seen = {group}
        while level:
            for name in level:
                found |= self._tree.groups[name].hosts
            below = dict.fromkeys(child for name in level for child in self._tree.groups[name].children)
            level = [name for name in below if name not in seen]
            seen.update(level)
        return list(found)

    def variables(self, host: str) -> Variables:
        """A host's variables after Ansible's precedence, the weakest first.

        In inventory files: all, groups from parents to children (on one level by ``ansible_group_priority``, then by
        name); group_vars/ in the same order; then the host's own in inventory files, and in host_vars/.
        """
        direct = tuple(self._groups_of[host])
        if direct not in self._merged:
            self._merged[direct] = self._of_groups(direct)
        own = self._tree.hosts[host]
        return self._merged[direct] | own.written | own.filed

    def _of_groups(self, direct: Iterable[str]) -> Variables:
        names = set(_upwards(direct or (UNGROUPED,), self._parents)) - {ALL}
        groups = [self._tree.groups[name] for name in names]
        groups.sort(key=lambda group: (self._depths[group.name], _priority(group), group.name))
        found: Variables = {}
        for group in (self._tree.groups[ALL], *groups):
            found |= group.written
        for group in (self._tree.groups[ALL], *groups):
            found |= group.filed
        return found


def _parents(tree: Tree) -> dict[str, list[str]]:
    """Child -> parents; groups without a parent are children of all."""
    parents: dict[str, list[str]] = {name: [] for name in tree.groups}
    for group in tree.groups.values():
        for child, place in group.children.items():
            if child == ALL:
                raise place.error(f"all cannot be in the group {group.name}: it holds every group", "take it out")
            parents[child].append(group.name)
    for name, above in parents.items():
        if not above and name != ALL:
            above.append(ALL)
    return parents


def _depths(tree: Tree, parents: dict[str, list[str]]) -> dict[str, int]:
    """The longest way from all to each group."""
    children: dict[str, list[str]] = {name: [] for name in tree.groups}
    for name, above in parents.items():
        for parent in above:
            children[parent].append(name)
    waiting = {name: len(above) for name, above in parents.items()}
    depths = {name: 0 for name, count in waiting.items() if count == 0}
    ready = list(depths)
    for name in ready:
        for child in children[name]:
            depths[child] = max(depths.get(child, 0), depths[name] + 1)
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
                if depths[child] > DEEPEST:
                    place = tree.groups[name].children[child]
                    raise place.error(f"the group {child} is deeper than {DEEPEST} levels", "flatten the groups")
    if len(ready) < len(parents):
        raise _cycle(tree, parents, {name for name, count in waiting.items() if count > 0})
    return depths


def _cycle(tree: Tree, parents: dict[str, list[str]], caught: set[str]) -> Exception:
    """All groups in ``caught`` have a parent in it, so going upwards must come back."""
    path: list[str] = [min(caught)]
    while path[-1] not in path[:-1]:
        path.append(next(name for name in parents[path[-1]] if name in caught))
    circle = path[path.index(path[-1]) :][::-1]
    place = tree.groups[circle[0]].children[circle[1]]
    shorter = circle if len(circle) <= 8 else [*circle[:4], "...", *circle[-3:]]
    return place.error(
        f"the group {circle[0]} contains itself: {' > '.join(shorter)}", "take one of them out of the other's children"
    )


def _groups_of(tree: Tree) -> dict[str, list[str]]:
    """Host -> the groups that name it, without all, and ungrouped only where it stands alone."""
    found: dict[str, list[str]] = {name: [] for name in tree.hosts}
    for group in tree.groups.values():
        if group.name not in (ALL, UNGROUPED):
            for host in group.hosts:
                found[host].append(group.name)
    return found


def _upwards(names: Iterable[str], parents: dict[str, list[str]]) -> Iterator[str]:
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += parents[name]
            yield name


def _priority(group: Group) -> int:
    variable = group.written.get("ansible_group_priority")
    if variable is None:
        return 1
    if not isinstance(variable.value, int):
        raise variable.place.error(
            f"ansible_group_priority is {shown(variable.value)}, not a whole number", "the usual priority is 1"
        )
    return variable.value
