"""Runs a plan: wave after wave, each step's record kept as soon as it is there."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol

from netbench.model import FailureClass, Flag, Outcome, Plan, Step, StepRecord
from netbench.plan import eta
from netbench.probes.base import Probe
from netbench.run.events import Event, Observer, RunEnded, RunExtended, RunStarted, StepEnded, StepProgress, StepStarted
from netbench.run.lifecycle import Archive, StepRun, Target


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
        marks: Mapping[str, tuple[Flag, ...]] | None = None,
        hold: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        """``targets`` by endpoint name. ``unusable``: endpoints that failed their checks; their steps fail so.

        ``marks``: flags for all that is measured at an endpoint. ``hold`` is called before each wave with the seconds
        it takes, while nothing is measured: to renew leases.
        """
        self._plan, self._probes, self._targets = plan, probes, targets
        self._journal, self._observer = journal, observer
        self._unusable, self._marks = unusable or {}, marks or {}
        self._hold = hold
        self._lock = threading.Lock()
        self._active: dict[str, StepRun] = {}
        self._stopping = False

    def run(self, seconds: float, done: Collection[str] = (), more: Callable[[], Plan | None] = lambda: None) -> str:
        """Run every step that is not ``done``; returns the status: complete, partial or interrupted.

        ``more`` is asked after the last step for a plan that goes on: the same steps, and further ones.
        KeyboardInterrupt ends the active steps cleanly, keeps their records, and gives "interrupted". What the journal
        raises (a full disk) ends the active steps too, and is raised; so is what ``hold`` raises (a lease is lost).
        """
        self._tell(RunStarted(self._plan, seconds, len(done)))
        todo: Sequence[Step] = [step for step in self._plan.steps if step.id not in done]
        failed = bool(self._plan.exclusions)
        status = "complete"
        try:
            while todo:
                for _, wave in itertools.groupby(todo, key=lambda step: step.wave):
                    steps = list(wave)
                    self._hold(max(step.seconds for step in steps))
                    failed = not self._run_wave(steps) or failed
                todo = self._extended(more())
        except KeyboardInterrupt:
            status = "interrupted"
        else:
            status = "partial" if failed else "complete"
        self._tell(RunEnded(status))
        return status

    def _extended(self, longer: Plan | None) -> Sequence[Step]:
        """The steps that are new."""
        if longer is None:
            return ()
        steps = longer.steps[len(self._plan.steps) :]
        self._tell(RunExtended(longer, len(steps), eta(longer) - eta(self._plan)))
        self._plan = longer
        return steps

    def _run_wave(self, steps: list[Step]) -> bool:
        with ThreadPoolExecutor(max_workers=len(steps), thread_name_prefix="step") as pool:
            futures = [pool.submit(self._run_step, step) for step in steps]
            try:
                # in slices: a wait without a timeout would keep a signal from being handled
                while wait(futures, timeout=0.5).not_done:
                    pass
                results = [future.result() for future in futures]
            except BaseException:
                self._cancel()
                raise
        return all(results)

    def _run_step(self, step: Step) -> bool:
        reason = self._unusable.get(step.source) or self._unusable.get(step.destination)
        if reason is not None:
            return self._end(step, StepRecord(step.id, reason))
        active = StepRun(
            step,
            self._probes[step.probe],
            self._targets[step.source],
            self._targets[step.destination],
            self._journal,
            lambda elapsed, rate: self._tell(StepProgress(step, elapsed, rate)),
        )
        with self._lock:
            if self._stopping:
                return self._end_locked(step, StepRecord(step.id, _interrupted()))
            self._active[step.id] = active
        self._tell(StepStarted(step))
        record = self._marked(step, active.run())
        with self._lock:
            del self._active[step.id]
        return self._end(step, record)

    def _marked(self, step: Step, record: StepRecord) -> StepRecord:
        flags = (*self._marks.get(step.source, ()), *self._marks.get(step.destination, ()))
        measurement = record.measurement
        return (
            replace(record, measurement=replace(measurement, flags=(*measurement.flags, *flags))) if flags else record
        )

    def _end(self, step: Step, record: StepRecord) -> bool:
        with self._lock:
            return self._end_locked(step, record)

    def _end_locked(self, step: Step, record: StepRecord) -> bool:
        self._journal.append(record)
        self._observer.on(StepEnded(step, record))
        return record.outcome.ok

    def _cancel(self) -> None:
        with self._lock:
            self._stopping = True
            active = list(self._active.values())
        for run in active:
            run.cancel()

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._observer.on(event)


def _interrupted() -> Outcome:
    return Outcome(FailureClass.CANCELLED, "the run was interrupted")
