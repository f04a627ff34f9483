"""What is true, and how it shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from netbench.model import Cell, FailureClass, Step, ZoneMode


class Drift(str, Enum):
    """How everything changes while a run goes on."""

    LINEAR = "linear"
    SINE = "sine"  # one period in a run, beginning anywhere
    STEP = "step"  # at once, somewhere in the run


@dataclass(frozen=True)
class World:
    """The truth about a fleet, by kind and by cell, and everything that hides it.

    Factors multiply; what is not named has the factor 1. ``base`` is host -> host without noise, in SI units, by probe.
    Times (seconds) take the inverse of factors, so that a factor below 1 is always worse.
    """

    kinds: tuple[str, ...] = ("host", "terway-eni", "terway")
    base: Mapping[str, float] = field(default_factory=lambda: {"throughput": 1.2e9, "pps": 4e5, "latency": 2e-4})
    into: Mapping[str, float] = field(default_factory=dict)  # by the destination's kind
    out_of: Mapping[str, float] = field(default_factory=dict)  # by the source's kind
    cells: Mapping[str, float] = field(default_factory=dict)  # by cell, "host->terway"
    across: Mapping[str, float] = field(default_factory=dict)  # across zones only, by cell
    limit: Mapping[str, float] = field(default_factory=dict)  # what no value exceeds before noise, by probe
    noise: float = 0.02  # standard deviation of the logarithm of a value
    noise_of: Mapping[str, float] = field(default_factory=dict)  # by cell, in place of ``noise``
    drift: float = 0.0  # of the logarithm, from the run's first step to its last
    shape: Drift = Drift.LINEAR
    bursts: float = 0.0  # share of steps that something disturbs
    burst: float = 0.5  # what a disturbed step is left with
    failures: Mapping[FailureClass, float] = field(default_factory=dict)  # share of steps that fail so

    def true_value(self, probe: str, cell: Cell, zone: ZoneMode) -> float:
        """Without noise, drift and bursts, in SI units."""
        factor = self.into.get(cell.destination, 1.0) * self.out_of.get(cell.source, 1.0)
        factor *= self.cells.get(str(cell), 1.0)
        if zone is ZoneMode.CROSS:
            factor *= self.across.get(str(cell), 1.0)
        value = self.base[probe]
        if probe in INVERSE:
            return value / factor
        return min(value * factor, self.limit.get(probe, math.inf))


#: Probes whose values are times: what is worse is larger.
INVERSE = frozenset({"latency"})


class Weather:
    """One run in a world: what a step sees, in the order in which steps run. Seeded."""

    def __init__(self, world: World, zone: ZoneMode, steps: int, seed: int) -> None:
        """``steps``: how many there will be; drift is spread over them."""
        self._world, self._zone, self._steps = world, zone, max(2, steps)
        self._random = Random(f"weather/{seed}")  # noqa: S311 - nothing is secret here
        self._phase = self._random.random()
        self._seen = 0

    def value(self, step: Step) -> float:
        """What the step's tool measures, in SI units."""
        world, cell = self._world, str(step.cell)
        when = self._seen / (self._steps - 1)
        self._seen += 1
        log = self._random.gauss(0, world.noise_of.get(cell, world.noise)) + self._drift(when)
        if self._random.random() < world.bursts:
            log += math.log(world.burst)
        true = world.true_value(step.probe, step.cell, self._zone)
        return true * math.exp(-log if step.probe in INVERSE else log)

    def failure(self) -> FailureClass | None:
        """How the next step fails, if it does."""
        if not self._world.failures:
            return None
        drawn = self._random.random()
        for failure, share in self._world.failures.items():
            drawn -= share
            if drawn < 0:
                return failure
        return None

    def _drift(self, when: float) -> float:
        drift = self._world.drift
        if self._world.shape is Drift.LINEAR:
            return drift * (when - 0.5)
        if self._world.shape is Drift.SINE:
            return drift / 2 * math.sin(2 * math.pi * (when + self._phase))
        return drift if when > self._phase else 0.0
