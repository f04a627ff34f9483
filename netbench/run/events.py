"""What happens in a run, told to observers as it happens. Nothing below ``tasks.py`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from netbench.model import Plan, Step, StepRecord


@dataclass(frozen=True)
class RunStarted:
    """The first event; ``done`` steps of the plan were finished before (a resumed run)."""

    plan: Plan
    seconds: float  # expected
    done: int = 0


@dataclass(frozen=True)
class RunExtended:
    """Another round was planned."""

    plan: Plan
    steps: int  # of the new round
    seconds: float  # expected, of the new round


@dataclass(frozen=True)
class StepStarted:
    step: Step


@dataclass(frozen=True)
class StepProgress:
    """About once a second while a step's client runs."""

    step: Step
    elapsed: float  # seconds since the client started
    rate: float | None  # bit/s that leave the source's NIC; None where it is not known


@dataclass(frozen=True)
class StepEnded:
    step: Step
    record: StepRecord


@dataclass(frozen=True)
class RunEnded:
    """The last event. ``status`` as in Manifest: complete, partial or interrupted."""

    status: str


Event = RunStarted | RunExtended | StepStarted | StepProgress | StepEnded | RunEnded


class Observer(Protocol):
    """Sees every event, in the order of happening. May be called from several threads, one at a time."""

    def on(self, event: Event) -> None: ...
