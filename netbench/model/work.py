"""What is to be done: cells, pairs, steps, and the plan they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ZoneMode(str, Enum):
    """Which pairs of nodes a run is made of: both ends in one zone, or each end in another."""

    SAME = "same"
    CROSS = "cross"


@dataclass(frozen=True, order=True)
class Cell:
    """Source kind -> destination kind."""

    source: str
    destination: str

    def __str__(self) -> str:
        return f"{self.source}->{self.destination}"


@dataclass(frozen=True, order=True)
class Pair:
    """Source node -> destination node, never the same one."""

    source: str
    destination: str

    def __str__(self) -> str:
        return f"{self.source}->{self.destination}"


@dataclass(frozen=True)
class ServerCommand:
    """A server a step needs: it is ready as soon as it listens on its TCP port itself."""

    argv: tuple[str, ...]
    port: int
    bind: tuple[str, ...] = ()  # added to argv where the destination holds its data-plane address: listens on it alone


@dataclass(frozen=True)
class Step:
    """One probe, one cell, one pair, one round."""

    id: str  # unique in its plan, fit for a file name
    wave: int  # steps of one wave share no node and may run at the same time; waves run in order from 1
    round: int  # from 1
    probe: str
    cell: Cell
    pair: Pair
    source: str  # Endpoint.name
    destination: str  # Endpoint.name
    client: tuple[str, ...]  # exact argv run on the source
    server: ServerCommand | None  # run on the destination before the client
    seconds: float  # how long the client is expected to take


@dataclass(frozen=True)
class Exclusion:
    """A cell that cannot be measured, and why."""

    cell: Cell
    reason: str


@dataclass(frozen=True)
class PlannedEndpoint:
    """The part of an endpoint a plan and a report need: no way to reach it, no secrets."""

    name: str
    kind: str
    node: str
    zone: str
    address: str
    instance_type: str | None = None


@dataclass(frozen=True)
class Precision:
    """Rounds are added until every compared ratio is known this well, or the budget is spent."""

    wanted: float  # the larger half of the 95 % interval, as a fraction of the ratio
    max_rounds: int
    max_seconds: float | None = None  # of the whole run; None: as long as it takes


@dataclass(frozen=True)
class Plan:
    """All steps in order, as pure data."""

    zone: ZoneMode
    kinds: tuple[str, ...]
    probes: Mapping[str, Mapping[str, object]]  # probe name -> the options it runs with
    rounds: int
    seed: int
    pairs: int
    endpoints: tuple[PlannedEndpoint, ...]
    steps: tuple[Step, ...]
    exclusions: tuple[Exclusion, ...] = ()
    baseline: str = ""  # the kind others are compared with; the empty string where it is not among ``kinds``
    lab: bool = False  # made on the test bed
    precision: Precision | None = None  # then steps are those planned so far
    notes: tuple[str, ...] = ()  # what makes cells less comparable than they could be, for people

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the matrix, excluded ones too, in the order of ``kinds``."""
        return tuple(Cell(a, b) for a in self.kinds for b in self.kinds)
