"""What a run shows: lines for cron, a live bar on a terminal."""

from __future__ import annotations

import io

import pytest

from netbench.model import FailureClass, Flag, Measurement, Outcome, Sample, StepRecord
from netbench.progress import Lines, Live, Silent, clock, describe, number, observer
from netbench.run.events import Event, RunEnded, RunStarted, StepEnded, StepProgress, StepStarted
from tests.run.test_runner import make_plan


def events() -> list[Event]:
    plan = make_plan(2)
    first, second = plan.steps
    good = Measurement((Sample("throughput", 1.907e9, "bit/s"),), flags=(Flag("cpu-bound", "why"),))
    return [
        RunStarted(plan, 125.0),
        StepStarted(first),
        StepProgress(first, 1.0, 2e9),
        StepEnded(first, StepRecord(first.id, Outcome(), measurement=good)),
        StepStarted(second),
        StepEnded(second, StepRecord(second.id, Outcome(FailureClass.BUSY, "somebody [red]else[/red]"))),
        RunEnded("partial"),
    ]


def test_one_plain_line_a_step() -> None:
    stream = io.StringIO()
    seen = Lines(stream)
    for event in events():
        seen.on(event)
    assert stream.getvalue().splitlines() == [
        "2 steps, about 2 min 05 s",
        "[1/2] round 1 throughput host->host (a->b): 1.907 Gbit/s [cpu-bound]",
        "[2/2] round 2 throughput host->host (a->b): FAILED, busy: somebody [red]else[/red]",
        "run partial",
    ]


def tried_again() -> list[Event]:
    """Both steps end, then the second once more, in a plan of three."""
    plan = make_plan(3)
    first, second, third = plan.steps
    busy = Outcome(FailureClass.BUSY, "in use")
    return [
        RunStarted(plan, 3.0),
        StepEnded(first, StepRecord(first.id, Outcome())),
        StepEnded(second, StepRecord(second.id, busy)),
        StepEnded(second, StepRecord(second.id, Outcome(), attempt=2)),
        StepEnded(third, StepRecord(third.id, Outcome())),
    ]


def test_a_step_that_is_tried_again_counts_once_in_lines() -> None:
    stream = io.StringIO()
    seen = Lines(stream)
    for event in tried_again():
        seen.on(event)
    assert [line.partition(" ")[0] for line in stream.getvalue().splitlines()[1:]] == [
        "[1/3]", "[2/3]", "[2/3]", "[3/3]",
    ]  # fmt: skip


def test_a_step_that_is_tried_again_counts_once_in_the_live_display() -> None:
    stream = io.StringIO()
    seen = Live(stream)
    for event in (*tried_again(), RunEnded("complete")):
        seen.on(event)
    assert "3/3" in stream.getvalue()
    assert "4/3" not in stream.getvalue()


def test_the_live_display_shows_steps_rate_failures_and_escapes_data() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    seen = observer(quiet=False, stream=stream)
    assert isinstance(seen, Live)
    for event in events():
        seen.on(event)
    assert "2/2" in stream.getvalue()
    assert "FAILED, busy: somebody [red]else[/red]" in stream.getvalue()


def test_quiet_says_nothing_and_a_pipe_gets_lines() -> None:
    assert isinstance(observer(quiet=True), Silent)
    assert isinstance(observer(quiet=False, stream=io.StringIO()), Lines)


def test_a_step_whose_probe_gave_no_sample_is_described() -> None:
    step = make_plan().steps[0]
    assert describe(step, StepRecord(step.id, Outcome())).endswith(": ok")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3599.6, "1 h 00 min"), (7260, "2 h 01 min")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_units() -> None:
    assert [number(1.5e9, "bit/s"), number(43_000, "packets/s"), number(8.5e-5, "s"), number(3, "1")] == [
        "1.500 Gbit/s", "43.000 kpps", "0.085 ms", "3 1",
    ]  # fmt: skip
