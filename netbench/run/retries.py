"""Which failures are tried again, how often, after how long, and when an endpoint is taken for dead.

A failed step is tried again at the end of its round: by then a hiccup is over without anybody having waited for it,
the order of the other cells stays as planned, and the value still belongs to its round. So there is no loop around a
call that tenacity could drive. What a run may spend on this is bounded by its size: a fleet with a broken half must not
double the night.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from netbench.errors import NetbenchError
from netbench.model import Command, FailureClass, Outcome, Step
from netbench.run.lifecycle import Target
from netbench.transports.base import LOOK

LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class Patience:
    """What a class of failure is worth: attempts in all, and seconds to wait before the second one (then doubled)."""

    attempts: int
    wait: float


# What passes by itself. A wrong key, a missing tool, a taken port or output nobody understands stays as it is.
POLICY: Mapping[FailureClass, Patience] = {
    FailureClass.CONNECTION_CUT: Patience(3, 2.0),
    FailureClass.UNREACHABLE: Patience(3, 5.0),
    FailureClass.REFUSED: Patience(2, 2.0),
    FailureClass.BUSY: Patience(3, 5.0),
    FailureClass.TIMEOUT: Patience(2, 5.0),
    FailureClass.NOT_READY: Patience(3, 10.0),
}
LINK = frozenset(
    {FailureClass.UNREACHABLE, FailureClass.CONNECTION_CUT, FailureClass.TIMEOUT, FailureClass.NOT_READY}
)  # what a dead endpoint looks like


@dataclass(frozen=True)
class RetryPolicy:
    """``share``: extra attempts a run may spend, as a part of its steps; never fewer than ``least``.

    ``dead_after``: failures in a row of one endpoint, with a class in LINK, after which it is looked at.
    """

    patience: Mapping[FailureClass, Patience] = field(default_factory=lambda: POLICY)
    share: float = 0.2
    least: int = 5
    dead_after: int = 3

    def budget(self, steps: int) -> int:
        """Extra attempts for a run of so many steps."""
        return max(self.least, math.ceil(self.share * steps))

    def again(self, outcome: Outcome, tries: int) -> float | None:
        """Seconds to wait before the next attempt, ``tries`` having been made; None where it is not worth one."""
        patience = self.patience.get(outcome.failure) if outcome.failure else None
        if patience is None or tries >= patience.attempts:
            return None
        return float(patience.wait * 2 ** (tries - 1))


class Health:
    """Which endpoints are dead. Not for several threads at once, but for ``reason``."""

    def __init__(self, targets: Mapping[str, Target], dead_after: int) -> None:
        self._targets, self._dead_after = targets, dead_after
        self._in_a_row: dict[str, int] = {}
        self._dead: dict[str, Outcome] = {}

    def reason(self, step: Step) -> Outcome | None:
        """Why the step cannot be run: one of its ends is dead."""
        return self._dead.get(step.source) or self._dead.get(step.destination)

    def note(self, step: Step, outcome: Outcome) -> None:
        """A step was tried. A failure does not say which end it was, so an end that fails often is looked at."""
        for name in (step.source, step.destination):
            if outcome.failure in LINK:
                self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
                if self._in_a_row[name] >= self._dead_after:
                    self._look(name)
            elif outcome.ok:
                self._in_a_row[name] = 0

    def look_again(self) -> None:
        """Take endpoints that answer again for alive."""
        for name in tuple(self._dead):
            self._look(name)

    def _look(self, name: str) -> None:
        self._in_a_row[name] = 0
        try:
            self._targets[name].transport.run(Command(LOOK, deadline=LOOK_SECONDS))
        except NetbenchError as error:
            text = f"{name} does not answer, so its steps are not tried until it does: {error}"
            self._dead[name] = Outcome(error.failure, f"{text}; {error.remedy}" if error.remedy else text)
        else:
            self._dead.pop(name, None)
