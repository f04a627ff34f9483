"""The files of an inventory: which there are, in which order, and their text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from netbench import trust
from netbench.errors import InventoryError, UntrustedError
from netbench.inventory.ini_inventory import read_ini_inventory
from netbench.inventory.place import Place, Variables
from netbench.inventory.tree import Tree
from netbench.inventory.words import shown
from netbench.inventory.yaml_inventory import read_yaml_inventory, variables_of
from netbench.inventory.yaml_values import Block, read_yaml

DEEPEST = 8  # directories inside of each other below group_vars/ and host_vars/
LARGEST = 4 * 1024 * 1024  # bytes of one file
YAML_SUFFIXES = (".yml", ".yaml", ".json")
INI_SUFFIXES = (".ini", ".cfg")
GROUP_VARS, HOST_VARS = "group_vars", "host_vars"
# what Ansible passes over in an inventory directory, but for .ini, which holds hosts more often than not
PASSED_OVER = ("~", *".pyc .pyo .swp .bak .rpm .md .txt .rst .orig .retry .cfg".split())

_YAML_START = re.compile(r"---|\{|[^\s=\[\]#;]+:(\s|$)")


def read_tree(path: Path) -> Tree:
    """All groups, hosts and variables of an inventory file or directory, group_vars/ and host_vars/ included.

    Raises InventoryError for whatever cannot be read or is no inventory.
    """
    tree = Tree()
    for file in _inventory_files(path):
        text = _read(file)
        if text.startswith("#!") and os.access(file, os.X_OK):
            raise Place(str(file)).error(
                "is a program; netbench executes no inventory scripts",
                "write its result to a file: ansible-inventory -i THIS --list --yaml --output hosts.yaml",
            )
        read = read_yaml_inventory if _is_yaml(file, text) else read_ini_inventory
        read(text, str(file), tree)
    tree.check_declared()
    directory = base_directory(path)
    for kind, owners in ((GROUP_VARS, tree.groups.values()), (HOST_VARS, tree.hosts.values())):
        names = set(_listing(directory / kind)) if (directory / kind).is_dir() else set()
        for owner in owners if names else ():
            owner.filed.update(_filed(directory / kind, names, owner.name))
    return tree


def base_directory(path: Path) -> Path:
    """The directory that relative paths in an inventory start from."""
    return path if path.is_dir() else path.parent


def _inventory_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = []
    for name in _listing(path):
        if name in (GROUP_VARS, HOST_VARS) or name.endswith(PASSED_OVER):
            continue
        if (path / name).is_dir():
            raise Place(str(path / name)).error(
                "is a directory inside of an inventory directory", "move its files up, or move it away"
            )
        files.append(path / name)
    if not files:
        raise Place(str(path)).error("holds no inventory file", "put one there, such as hosts.yaml")
    return files


def _filed(directory: Path, names: set[str], owner: str) -> Variables:
    """The variables a group or host has in group_vars/ or host_vars/: NAME, NAME.yml and so on, or files in NAME/."""
    found = [name for name in (owner, *(owner + suffix for suffix in YAML_SUFFIXES)) if name in names]
    if len(found) > 1:
        raise Place(str(directory / found[1])).error(
            f"{found[0]} beside it is for {owner} too, and Ansible would read only that", "keep one of them"
        )
    variables: Variables = {}
    for file in (file for name in found for file in _variable_files(directory / name)):
        variables.update(_read_variables(file))
    return variables


def _variable_files(path: Path, depth: int = 0) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    if depth > DEEPEST:  # symbolic links may lead round in circles
        raise Place(str(path)).error(f"directories deeper than {DEEPEST} levels", "flatten them")
    for name in _listing(path):
        below = path / name
        if below.is_dir() or below.suffix in ("", *YAML_SUFFIXES):
            yield from _variable_files(below, depth + 1)


def _read_variables(file: Path) -> Variables:
    text = _read(file)
    if text.startswith("$ANSIBLE_VAULT"):
        raise Place(str(file), 1).error(
            "is encrypted with ansible-vault, which netbench cannot read",
            "give netbench an inventory of its own, without secrets: it uses ssh-agent or key files",
        )
    data = read_yaml(text, str(file))
    if data is None:
        return {}
    if not isinstance(data, Block):
        raise Place(str(file), 1).error(f"holds {shown(data)}, not variables", "write KEY: VALUE")
    return {variable.name: variable for variable in variables_of(data, str(file))}


def _listing(directory: Path) -> list[str]:
    try:
        names = sorted(path.name for path in trust.resolve(directory).iterdir())
    except UntrustedError as error:  # others could take files away from there
        raise InventoryError(str(error), error.remedy) from error
    except OSError as error:
        raise _unreadable(directory, error) from error
    return [name for name in names if not name.startswith(".") and not name.endswith("~")]


def _read(file: Path) -> str:
    """The text of a trusted regular file of at most 4 MiB in UTF-8."""
    try:
        data = trust.read(file, LARGEST)
    except UntrustedError as error:
        raise InventoryError(str(error), error.remedy) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(file, error) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(str(file), line).error("is not UTF-8", "save it as UTF-8 text") from error
    return text.replace("\r\n", "\n")


def _unreadable(path: Path, error: OSError | ValueError) -> Exception:
    remedy = "check the path, and that it is readable for you"
    return Place(str(path)).error(f"cannot be read: {getattr(error, 'strerror', None) or error}", remedy)


def _is_yaml(file: Path, text: str) -> bool:
    """By the name, and where that does not tell, by the first line that says something."""
    if file.suffix in (*YAML_SUFFIXES, *INI_SUFFIXES):
        return file.suffix in YAML_SUFFIXES
    lines = (line for line in text.split("\n") if line.strip() and not line.startswith(("#", ";")))
    return _YAML_START.match(next(lines, "")) is not None
