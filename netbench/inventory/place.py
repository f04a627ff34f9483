"""Where in an inventory something stands, so that every error can name it."""

from __future__ import annotations

from dataclasses import dataclass

from netbench.errors import InventoryError


@dataclass(frozen=True)
class Place:
    """A file and, where known, a line of it, counted from 1."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def error(self, message: str, remedy: str = "") -> InventoryError:
        """What to raise when something is wrong here."""
        return InventoryError(f"{self}: {message}", remedy)


@dataclass(frozen=True)
class Variable:
    """A variable as it was written."""

    name: str
    value: object
    place: Place


Variables = dict[str, Variable]
