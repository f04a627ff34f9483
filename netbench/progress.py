"""How a run shows itself: live on a terminal, one plain line a step elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any, TextIO

from netbench.model import Step, StepRecord
from netbench.run.events import Event, Observer, RunEnded, RunExtended, RunStarted, StepEnded, StepProgress, StepStarted
from netbench.visible import visible


class Silent:
    """``--quiet``."""

    def on(self, event: Event) -> None:
        """Say nothing."""


class Lines:
    """One line a step, flushed at once; fit for cron mail and for a log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = 0
        self._ended: set[str] = set()  # a step that is tried again counts once

    def on(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._total, self._done = len(event.plan.steps), event.done
            self._say(f"{self._total} steps, about {clock(event.seconds)}")
        elif isinstance(event, RunExtended):
            self._total += event.steps
            self._say(f"round {event.plan.rounds}: {event.steps} steps more, about {clock(event.seconds)}")
        elif isinstance(event, StepEnded):
            self._ended.add(event.step.id)
            count = self._done + len(self._ended)
            self._say(f"[{count:>{len(str(self._total))}}/{self._total}] {describe(event.step, event.record)}")
        elif isinstance(event, RunEnded):
            self._say(f"run {event.status}")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a log whose reader has gone, or whose disk is full, must not end the run
            print(text, file=self._stream, flush=True)


class Live:
    """A progress bar with the current steps, the rate on the NIC, and the time left; failures scroll by above it."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bars = Progress(*columns, console=Console(file=stream))
        self._task: Any = None
        self._running: dict[str, str] = {}
        self._ended: set[str] = set()  # a step that is tried again counts once
        self._begun = 0.0
        self._expected = self._spent = self._planned = 0.0

    def on(self, event: Event) -> None:
        from rich.markup import escape

        if isinstance(event, RunStarted):
            self._begun, self._expected = time.monotonic(), event.seconds
            self._planned = sum(step.seconds for step in event.plan.steps) or 1.0
            self._task = self._bars.add_task("starting", total=len(event.plan.steps), completed=event.done, left="")
            self._bars.start()
        elif isinstance(event, RunExtended):
            self._expected += event.seconds
            self._planned = sum(step.seconds for step in event.plan.steps)
            self._bars.update(self._task, total=len(event.plan.steps))
        elif isinstance(event, StepStarted):
            self._running[event.step.id] = name(event.step)
        elif isinstance(event, StepProgress):
            rate = f" {event.rate / 1e9:.2f} Gbit/s" if event.rate is not None else ""
            self._running[event.step.id] = f"{name(event.step)} {event.elapsed:.0f} s{rate}"
        elif isinstance(event, StepEnded):
            self._running.pop(event.step.id, None)
            if event.step.id not in self._ended:
                self._ended.add(event.step.id)
                self._spent += event.step.seconds
                self._bars.advance(self._task)
            if not event.record.outcome.ok:
                self._bars.console.print(escape(describe(event.step, event.record)), style="red", highlight=False)
        if isinstance(event, RunEnded):
            self._bars.stop()
        else:
            self._bars.update(self._task, description=escape("; ".join(self._running.values())), left=self._left())

    def _left(self) -> str:
        """Time left: the plan's own estimate, corrected by how long the finished part of it really took."""
        share = self._spent / self._planned
        elapsed = time.monotonic() - self._begun
        whole = self._expected if share < 0.05 else elapsed / share
        return f"{clock(max(0.0, whole - elapsed))} left"


def observer(*, quiet: bool, stream: TextIO | None = None) -> Observer:
    """What fits the stream (stderr by default: stdout is for results)."""
    stream = stream or sys.stderr
    if quiet:
        return Silent()
    return Live(stream) if stream.isatty() else Lines(stream)


def clock(seconds: float) -> str:
    """Seconds as people say them: "45 s", "3 min 05 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def name(step: Step) -> str:
    """A step as one reads it."""
    return visible(f"round {step.round} {step.probe} {step.cell} ({step.pair})")


def describe(step: Step, record: StepRecord) -> str:
    """A step and how it ended, in one line that a terminal shows as it is."""
    return visible(_described(step, record))


def _described(step: Step, record: StepRecord) -> str:
    if not record.outcome.ok:
        assert record.outcome.failure is not None  # noqa: S101 - that is what not ok means
        return f"{name(step)}: FAILED, {record.outcome.failure.value}: {record.outcome.reason}"
    samples = record.measurement.samples
    shown = number(samples[0].value, samples[0].unit) if samples else "ok"
    flags = "".join(f" [{flag.code}]" for flag in record.measurement.flags)
    return f"{name(step)}: {shown}{flags}"


def number(value: float, unit: str) -> str:
    """A value with a unit that fits it."""
    for wanted, scale, shown in (("bit/s", 1e9, "Gbit/s"), ("packets/s", 1e3, "kpps"), ("s", 1e-3, "ms")):
        if unit == wanted:
            return f"{value / scale:.3f} {shown}"
    return f"{value:g} {unit}"
