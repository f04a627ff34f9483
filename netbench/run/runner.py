"""Runs a plan: wave after wave, each step's record kept as soon as it is there; failed steps again after each round."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from netbench.model import FailureClass, Flag, Outcome, Plan, Step, StepRecord
from netbench.plan import eta
from netbench.probes.base import Probe
from netbench.run.events import Observer, RunEnded, RunExtended, RunStarted, StepProgress, StepStarted
from netbench.run.lifecycle import StepRun, Target
from netbench.run.recorder import Journal, Recorder
from netbench.run.retries import Health, RetryPolicy


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
        token: str = "",
        session: int = 1,
        attempts: Mapping[str, int] | None = None,
        retries: RetryPolicy | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """``targets`` by endpoint name. ``unusable``: endpoints that failed their checks, or whose lease was lost on
        the way (it may grow in ``hold``); their steps fail so.

        ``marks``: flags for all that is measured at an endpoint. ``hold`` is called before each wave with the seconds
        it takes, while nothing is measured: to renew leases. ``token``: see Job. ``session`` is written into each
        record; ``attempts``: how often steps were tried in earlier sessions. ``pause`` waits that many seconds before
        failed steps are tried again; an exception in it ends the run.
        """
        self._plan, self._probes, self._targets = plan, probes, targets
        self._recorder = Recorder(journal, observer, session, marks or {})
        self._unusable = {} if unusable is None else unusable
        self._hold, self._token = hold, token
        self._before = dict(attempts or {})
        self._attempts = dict(self._before)
        self._retries, self._pause = retries or RetryPolicy(), pause
        self._health = Health(targets, self._retries.dead_after)
        self._lock = threading.Lock()
        self._active: dict[str, StepRun] = {}
        self._stopping = False

    def run(self, seconds: float, done: Collection[str] = (), more: Callable[[], Plan | None] = lambda: None) -> str:
        """Run every step that is not ``done``; returns the status: complete, partial or interrupted.

        ``more`` is asked after the last step for a plan that goes on: the same steps, and further ones.
        KeyboardInterrupt ends the active steps cleanly, keeps their records, and gives "interrupted". What the journal
        raises (a full disk) ends the active steps too, and is raised; so is what ``hold`` raises (a lease is lost).
        """
        self._recorder.tell(RunStarted(self._plan, seconds, len(done)))
        todo: Sequence[Step] = [step for step in self._plan.steps if step.id not in done]
        budget = self._retries.budget(len(todo))
        failed = bool(self._plan.exclusions)
        status = "interrupted"
        try:
            if done and not todo:  # it ended between two rounds
                todo = self._extended(more())
            while todo:
                for _, in_round in itertools.groupby(todo, key=lambda step: step.round):
                    ended, spent = self._run_round(list(in_round), budget)
                    budget -= spent
                    failed = failed or not all(record.outcome.ok for record in ended.values())
                todo = self._extended(more())
                budget += self._retries.budget(len(todo)) if todo else 0
            status = "partial" if failed else "complete"
        except KeyboardInterrupt:
            pass
        finally:
            self._recorder.tell(RunEnded(status))
        return status

    def _run_round(self, steps: Sequence[Step], budget: int) -> tuple[dict[str, StepRecord], int]:
        """The last record of each step, and how many attempts more than one each were made."""
        spent = 0
        ended = self._run_steps(steps)
        self._health.look_again()
        while again := self._worth_it(steps, ended)[: budget - spent]:
            spent += len(again)
            self._pause(max(self._wait(ended[step.id]) or 0.0 for step in again))
            ended |= self._run_steps(again)
        return ended, spent

    def _extended(self, longer: Plan | None) -> Sequence[Step]:
        """The steps that are new."""
        if longer is None:
            return ()
        steps = longer.steps[len(self._plan.steps) :]
        self._recorder.tell(RunExtended(longer, len(steps), eta(longer) - eta(self._plan)))
        self._plan = longer
        return steps

    def _worth_it(self, steps: Iterable[Step], ended: Mapping[str, StepRecord]) -> list[Step]:
        """Steps to try once more, in the order of the plan, so that those of a wave still share no node."""
        return [step for step in steps if self._hopeless(step) is None and self._wait(ended[step.id]) is not None]

    def _wait(self, record: StepRecord) -> float | None:
        return self._retries.again(record.outcome, record.attempt - self._before.get(record.step, 0))

    def _hopeless(self, step: Step) -> Outcome | None:
        return self._unusable.get(step.source) or self._unusable.get(step.destination) or self._health.reason(step)

    def _run_steps(self, steps: Iterable[Step]) -> dict[str, StepRecord]:
        ended: dict[str, StepRecord] = {}
        for _, in_wave in itertools.groupby(steps, key=lambda step: step.wave):
            wave = list(in_wave)
            self._hold(max(step.seconds for step in wave))
            for step, record, tried in self._run_wave(wave):
                ended[step.id] = record
                if tried:
                    self._health.note(step, record.outcome)
        return ended

    def _run_wave(self, steps: list[Step]) -> list[tuple[Step, StepRecord, bool]]:
        # An interrupt in the middle of starting a thread leaves one that the pool does not know and does not wait for.
        # So none begins before all are started, and then only where there was no interrupt.
        begin = threading.Event()
        with ThreadPoolExecutor(max_workers=len(steps), thread_name_prefix="step") as pool:
            try:
                futures = [pool.submit(self._run_step, step, begin) for step in steps]
                begin.set()
                # in slices: a wait without a timeout would keep a signal from being handled
                while wait(futures, timeout=0.5).not_done:
                    pass
                return [future.result() for future in futures]
            except BaseException:
                self._cancel()
                raise
            finally:
                begin.set()

    def _run_step(self, step: Step, begin: threading.Event) -> tuple[Step, StepRecord, bool]:
        """The record of one more attempt, and whether the endpoints were really asked."""
        begin.wait()
        attempt = self._attempts.get(step.id, 0) + 1
        self._attempts[step.id] = attempt
        reason = self._hopeless(step)
        if reason is not None:
            return step, self._recorder.keep(step, StepRecord(step.id, reason, attempt)), False
        active = StepRun(
            step,
            self._probes[step.probe],
            self._targets[step.source],
            self._targets[step.destination],
            self._recorder,
            lambda elapsed, rate: self._recorder.tell(StepProgress(step, elapsed, rate)),
            attempt=attempt,
            token=self._token,
        )
        with self._lock:
            stopping = self._stopping
            if not stopping:
                self._active[step.id] = active
        if stopping:
            return step, self._recorder.keep(step, StepRecord(step.id, _interrupted(), attempt)), False
        self._recorder.tell(StepStarted(step))
        record = active.run()
        with self._lock:
            del self._active[step.id]
        return step, self._recorder.keep(step, record), True

    def _cancel(self) -> None:
        with self._lock:
            self._stopping = True
            active = list(self._active.values())
        for run in active:
            run.cancel()


def _interrupted() -> Outcome:
    return Outcome(FailureClass.CANCELLED, "the run was interrupted")
