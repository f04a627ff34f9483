"""Inventories written for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import TypeVar

from netbench.errors import InventoryError
from netbench.inventory import load
from netbench.inventory.files import read_tree
from netbench.inventory.lineage import Lineage
from netbench.model import Inventory

T = TypeVar("T")


def write(directory: Path, files: Mapping[str, str]) -> Path:
    """Write the files, and return the first one's path."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return directory / next(iter(files))


def load_text(directory: Path, text: str, name: str = "hosts.yaml", limit: str | None = None) -> Inventory:
    """Load an inventory of one file."""
    return load(write(directory, {name: text}), limit)


def attempt(function: Callable[..., T], *arguments: object) -> T | InventoryError:
    """What the function returns, or the InventoryError it raises; anything else is a failure of the test."""
    try:
        return function(*arguments)
    except InventoryError as error:
        return error


def values(path: Path, host: str) -> dict[str, object]:
    """A host's variables, the winning values only."""
    tree = read_tree(path)
    return {name: variable.value for name, variable in Lineage(tree).variables(host).items()}
