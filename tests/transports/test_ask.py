"""What comes before a run is asked again where the link was lost."""

from __future__ import annotations

import pytest

from netbench.errors import AuthError, ConnectionCutError, DeadlineError, TransportError, UnreachableError
from netbench.model import Command, Completed
from netbench.transports.base import OnOutput, ask


class Flaky:
    """Fails with these errors, one after the other, and then answers."""

    def __init__(self, *errors: TransportError) -> None:
        self.errors = list(errors)
        self.asked = 0

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return Completed(0, b"here", b"")

    def close(self) -> None: ...


@pytest.mark.parametrize("error", [UnreachableError("no banner"), ConnectionCutError("cut")])
def test_a_lost_link_is_tried_again(error: TransportError) -> None:
    flaky = Flaky(error)
    assert ask(flaky, Command(("true",))).stdout == b"here"
    assert flaky.asked == 2


def test_at_last_the_failure_is_what_it_is() -> None:
    flaky = Flaky(*(UnreachableError(f"no route {number}") for number in range(9)))
    with pytest.raises(UnreachableError, match="no route 1"):
        ask(flaky, Command(("true",)))
    assert flaky.asked == 2


@pytest.mark.parametrize("error", [AuthError("key refused"), DeadlineError("too slow")])
def test_what_stays_as_it_is_is_asked_once(error: TransportError) -> None:
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        ask(flaky, Command(("true",)))
    assert flaky.asked == 1
