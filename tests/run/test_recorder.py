"""What is kept of a step, and what ends a run instead."""

from __future__ import annotations

import math

import pytest

from netbench.errors import RunDirError
from netbench.model import FailureClass, Measurement, Outcome, Sample, StepRecord
from netbench.run.recorder import Recorder
from tests.run.test_runner import Journal, Seen, make_plan, world


class NoRaw(Journal):
    """Takes records, and no raw output."""

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> None:
        raise RunDirError("the disk is full", "free some space")


def test_raw_output_that_cannot_be_written_stops_the_run() -> None:
    w = world()
    w.journal = NoRaw()
    with pytest.raises(RunDirError, match="full"):
        w.run(make_plan(3))
    assert w.journal.records == []  # a record without its output proves nothing
    assert w.left == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_an_invalid_result(value: float) -> None:
    journal, (step,) = Journal(), make_plan().steps
    samples = (Sample("throughput", 1e9, "bit/s"), Sample("retransmits", value, "1"))
    record = StepRecord(step.id, Outcome(), measurement=Measurement(samples, {"tool": "iperf 3.12"}))
    kept = Recorder(journal, Seen(), 2, {}).keep(step, record)
    assert journal.records == [kept]
    assert kept.outcome.failure is FailureClass.INVALID_RESULT
    assert f"retransmits is {value}" in kept.outcome.reason
    assert kept.measurement.samples == ()
    assert kept.measurement.facts == {"tool": "iperf 3.12"}
    assert kept.session == 2
