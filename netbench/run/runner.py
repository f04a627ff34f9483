"""Runs a plan: wave after wave, each step's record kept as soon as it is there; failed steps again after each round."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol

from netbench.errors import RunDirError
from netbench.model import FailureClass, Measurement, Outcome, Plan, Step, StepRecord
from netbench.probes.base import Probe
from netbench.run.events import Event, Observer, RunEnded, RunStarted, StepEnded, StepProgress, StepStarted
from netbench.run.lifecycle import Archive, StepRun, Target
from netbench.run.retries import Health, RetryPolicy


class Journal(Archive, Protocol):
    """Where records and raw output go."""

    def append(self, record: StepRecord) -> object: ...


class Runner:
    """Executes a plan on targets. One use; ``run`` blocks in the caller's thread, which may be interrupted."""

    def __init__(
        self,
        plan: Plan,
        probes: Mapping[str, Probe],
        targets: Mapping[str, Target],
        journal: Journal,
        observer: Observer,
        *,
        unusable: Mapping[str, Outcome] | None = None,
        session: int = 1,
        attempts: Mapping[str, int] | None = None,
        retries: RetryPolicy | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """``targets`` by endpoint name. ``unusable``: endpoints that failed their checks; their steps fail so.

        ``session`` is written into each record; ``attempts``: how often steps were tried in earlier sessions.
        ``pause`` waits that many seconds before failed steps are tried again; an exception in it ends the run.
        """
        self._plan, self._probes, self._targets = plan, probes, targets
        self._journal, self._observer = journal, observer
        self._unusable = unusable or {}
        self._session = session
        self._attempts = dict(attempts or {})
        self._before = dict(attempts or {})
        self._retries, self._pause = retries or RetryPolicy(), pause
        self._health = Health(targets, self._retries.dead_after)
        self._archive = _Archive(journal)
        self._lock = threading.Lock()
        self._active: dict[str, StepRun] = {}
        self._stopping = False

    def run(self, seconds: float, done: Collection[str] = ()) -> str:
        """Run every step that is not ``done``; returns the status: complete, partial or interrupted.

        KeyboardInterrupt ends the active steps cleanly, keeps their records, and gives "interrupted". What the journal
        raises (a full disk) ends the active steps too, and is raised.
        """
        self._tell(RunStarted(self._plan, seconds, len(done)))
        todo = [step for step in self._plan.steps if step.id not in done]
        budget = self._retries.budget(len(todo))
        failed = bool(self._plan.exclusions)
        try:
            for _, in_round in itertools.groupby(todo, key=lambda step: step.round):
                ended = self._run_steps(in_round)
                self._health.look_again()
                while again := self._worth_it(ended)[:budget]:
                    budget -= len(again)
                    self._pause(max(self._wait(ended[step.id]) or 0.0 for step in again))
                    ended |= self._run_steps(again)
                failed = failed or not all(record.outcome.ok for record in ended.values())
        except KeyboardInterrupt:
            status = "interrupted"
        else:
            status = "partial" if failed else "complete"
        self._tell(RunEnded(status))
        return status

    def _worth_it(self, ended: Mapping[str, StepRecord]) -> list[Step]:
        """Steps to try once more, in the order of the plan, so that those of a wave still share no node."""
        return [
            step
            for step in self._plan.steps
            if step.id in ended and self._hopeless(step) is None and self._wait(ended[step.id]) is not None
        ]

    def _wait(self, record: StepRecord) -> float | None:
        return self._retries.again(record.outcome, record.attempt - self._before.get(record.step, 0))

    def _hopeless(self, step: Step) -> Outcome | None:
        return self._unusable.get(step.source) or self._unusable.get(step.destination) or self._health.reason(step)

    def _run_steps(self, steps: Iterable[Step]) -> dict[str, StepRecord]:
        ended: dict[str, StepRecord] = {}
        for _, wave in itertools.groupby(steps, key=lambda step: step.wave):
            for step, record, tried in self._run_wave(list(wave)):
                ended[step.id] = record
                if tried:
                    self._health.note(step, record.outcome)
        return ended

    def _run_wave(self, steps: list[Step]) -> list[tuple[Step, StepRecord, bool]]:
        with ThreadPoolExecutor(max_workers=len(steps), thread_name_prefix="step") as pool:
            futures = [pool.submit(self._run_step, step) for step in steps]
            try:
                # in slices: a wait without a timeout would keep a signal from being handled
                while wait(futures, timeout=0.5).not_done:
                    pass
                return [future.result() for future in futures]
            except BaseException:
                self._cancel()
                raise

    def _run_step(self, step: Step) -> tuple[Step, StepRecord, bool]:
        """The record of one more attempt, and whether the endpoints were really asked."""
        attempt = self._attempts.get(step.id, 0) + 1
        self._attempts[step.id] = attempt
        reason = self._hopeless(step)
        if reason is not None:
            return step, self._end(step, StepRecord(step.id, reason, attempt)), False
        active = StepRun(
            step,
            self._probes[step.probe],
            self._targets[step.source],
            self._targets[step.destination],
            self._archive,
            lambda elapsed, rate: self._tell(StepProgress(step, elapsed, rate)),
            attempt,
        )
        with self._lock:
            if self._stopping:
                return step, self._end_locked(step, StepRecord(step.id, _interrupted(), attempt)), False
            self._active[step.id] = active
        self._tell(StepStarted(step))
        record = _finite(active.run())
        with self._lock:
            del self._active[step.id]
        return step, self._end(step, record), True

    def _end(self, step: Step, record: StepRecord) -> StepRecord:
        with self._lock:
            return self._end_locked(step, record)

    def _end_locked(self, step: Step, record: StepRecord) -> StepRecord:
        if self._archive.error is not None:  # a record without the output it was read from proves nothing
            raise self._archive.error
        kept = replace(record, session=self._session)
        self._journal.append(kept)
        self._observer.on(StepEnded(step, kept))
        return kept

    def _cancel(self) -> None:
        with self._lock:
            self._stopping = True
            active = list(self._active.values())
        for run in active:
            run.cancel()

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._observer.on(event)


class _Archive:
    """The journal's raw output, remembering that the disk let it down: the run stops for that, not only the step."""

    def __init__(self, journal: Archive) -> None:
        self._journal = journal
        self.error: RunDirError | None = None

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> None:
        try:
            self._journal.write_raw(step_id, attempt, part, data)
        except RunDirError as error:
            self.error = error
            raise


def _interrupted() -> Outcome:
    return Outcome(FailureClass.CANCELLED, "the run was interrupted")


def _finite(record: StepRecord) -> StepRecord:
    """No result is infinite, whatever a tool or a plugin's parser says."""
    wrong = [sample for sample in record.measurement.samples if not math.isfinite(sample.value)]
    if not wrong:
        return record
    listed = ", ".join(f"{sample.metric} is {sample.value}" for sample in wrong)
    reason = f"not a finite number: {listed}; read raw/ and report it as a fault of the probe"
    measurement = Measurement((), record.measurement.facts, record.measurement.flags)
    return replace(record, outcome=Outcome(FailureClass.INVALID_RESULT, reason), measurement=measurement)
