"""Keeps what a run gives: records and raw output in the journal, and observers told, one thing at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from netbench.errors import RunDirError
from netbench.model import FailureClass, Flag, Measurement, Outcome, Step, StepRecord
from netbench.run.events import Event, Observer, StepEnded
from netbench.run.lifecycle import Archive


class Journal(Archive, Protocol):
    """Where records and raw output go."""

    def append(self, record: StepRecord) -> object: ...


class Recorder:
    """May be used by several threads."""

    def __init__(
        self, journal: Journal, observer: Observer, session: int, marks: Mapping[str, tuple[Flag, ...]]
    ) -> None:
        """``session`` is written into each record; ``marks``: flags for all that is measured at an endpoint."""
        self._journal, self._observer = journal, observer
        self._session, self._marks = session, marks
        self._lock = threading.Lock()
        self._lost: RunDirError | None = None

    def tell(self, event: Event) -> None:
        """Tell the observer."""
        with self._lock:
            self._observer.on(event)

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> None:
        """Keep what a tool said. A disk that refuses ends the run, not only the step: see ``keep``."""
        try:
            self._journal.write_raw(step_id, attempt, part, data)
        except RunDirError as error:
            self._lost = error
            raise

    def keep(self, step: Step, record: StepRecord) -> StepRecord:
        """Add the record as it is to be kept, and tell it. Raises RunDirError where it, or its output, cannot be."""
        with self._lock:
            if self._lost is not None:  # a record without the output it was read from proves nothing
                raise self._lost
            kept = replace(self._marked(step, _finite(record)), session=self._session)
            self._journal.append(kept)
            self._observer.on(StepEnded(step, kept))
        return kept

    def _marked(self, step: Step, record: StepRecord) -> StepRecord:
        flags = (*self._marks.get(step.source, ()), *self._marks.get(step.destination, ()))
        if not flags or not record.seconds:  # nothing was measured
            return record
        measurement = record.measurement
        return replace(record, measurement=replace(measurement, flags=(*measurement.flags, *flags)))


def _finite(record: StepRecord) -> StepRecord:
    """No result is infinite, whatever a tool or a plugin's parser says."""
    wrong = [sample for sample in record.measurement.samples if not math.isfinite(sample.value)]
    if not wrong:
        return record
    listed = ", ".join(f"{sample.metric} is {sample.value}" for sample in wrong)
    reason = f"not a finite number: {listed}; read raw/ and report it as a fault of the probe"
    measurement = Measurement((), record.measurement.facts, record.measurement.flags)
    return replace(record, outcome=Outcome(FailureClass.INVALID_RESULT, reason), measurement=measurement)
