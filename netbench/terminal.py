"""What the tasks print, and how errors become exit codes. Everything that comes from outside is escaped."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from netbench.visible import visible, visible_lines

if TYPE_CHECKING:
    from netbench.analyse import Analysis
    from netbench.app import Campaign, Checked, Result

INTERRUPTED = 130


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors into one clear message and the promised exit code; SIGTERM into a clean interrupt."""
    from netbench.errors import NetbenchError

    _open_streams()
    os.environ["PATH"] = os.environ.get("PATH") or os.defpath  # set to nothing, it would be the current directory
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # LANG=C must not turn a ± into a traceback
    interrupt = _Interrupt()
    ends = True
    try:
        yield
        ends = False  # another task may follow
    except NetbenchError as error:
        say_error(str(error), error.remedy)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say_error("interrupted", "")
        sys.exit(INTERRUPTED)
    finally:
        for stream in (sys.stdout, sys.stderr):
            _tolerate(stream, stream.flush)  # here, for at the interpreter's end a reader gone would be exit code 120
        interrupt.over(ends=ends)


def program() -> str:
    """The program to type for another command like this one."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - argv[0] need not be a path
    return name if name in ("invoke", "inv") else "netbench"


def _open_streams() -> None:
    """``>&-``: a closed stream becomes the null device, or the next file or connection would take its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


class _Interrupt:
    """The first signal interrupts; those after it are passed over, for the end is on its way and must be whole.

    One that is ignored (nohup, a job in the background) stays ignored.
    """

    def __init__(self) -> None:
        self._caught = False
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before: dict[signal.Signals, Any] = {
            number: signal.signal(number, self._come) for number in wanted if signal.getsignal(number) != signal.SIG_IGN
        }

    def over(self, *, ends: bool) -> None:
        """The task has ended; ``ends``: so does the program, with an exit code that no late signal shall change."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if ends else handler)

    def _come(self, number: int, frame: FrameType | None) -> None:
        if not self._caught:
            self._caught = True
            raise KeyboardInterrupt


def _tolerate(stream: TextIO, write: Callable[[], object]) -> None:
    """A reader that has gone (`netbench plan | head`), or a full disk behind a log, must not change how a run ends."""
    try:
        write()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(text: str = "") -> None:
    """One or more lines on stdout."""
    _tolerate(sys.stdout, lambda: print(visible_lines(text)))


def note(text: str) -> None:
    """Something worth knowing, on stderr."""
    _tolerate(sys.stderr, lambda: print(visible_lines(text, "  "), file=sys.stderr))


def say_error(message: str, remedy: str) -> None:
    """An error and what to do about it, on stderr. Further lines are indented: none can pass for the remedy."""
    note(f"error: {message}")
    if remedy:
        note(f"remedy: {remedy}")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A plain table."""
    from tabulate import tabulate

    cells = [[visible(str(cell)) for cell in row] for row in rows]
    return str(tabulate(cells, headers=[visible(name) for name in header], disable_numparse=True))


def show_plan(campaign: Campaign) -> None:
    """Matrix, order, exact commands and the time it takes."""
    from netbench.progress import clock

    plan = campaign.plan
    say(f"zone {plan.zone.value}, {plan.rounds} rounds, {len(plan.steps)} steps, about {clock(campaign.seconds)}")
    _show_precision(campaign)
    say()
    say(
        table(
            ("endpoint", "kind", "node", "zone", "address"),
            ((e.name, e.kind, e.node, e.zone, e.address) for e in plan.endpoints),
        )
    )
    say()
    pairs: dict[str, list[str]] = {str(cell): [] for cell in plan.cells}
    for step in plan.steps:
        if str(step.pair) not in pairs[str(step.cell)]:
            pairs[str(step.cell)].append(str(step.pair))
    reasons = {str(exclusion.cell): f"n/a: {exclusion.reason}" for exclusion in plan.exclusions}
    say(
        table(
            ("cell", "node pairs"), ((cell, ", ".join(found) or reasons.get(cell, "")) for cell, found in pairs.items())
        )
    )
    say()
    rows = ((s.wave, s.round, s.probe, s.cell, s.pair, shlex.join(s.client)) for s in plan.steps)
    say(table(("wave", "round", "probe", "cell", "pair", "client command"), rows))
    say()
    for text in campaign.notes:
        say(visible(f"note: {text}"))
    servers = {(step.server.argv, bool(step.server.bind)) for step in plan.steps if step.server}
    for server, bound in sorted(servers):
        say(f"server, fresh for each step: {shlex.join(server)}{' (bound to the address under test)' if bound else ''}")


def _show_precision(campaign: Campaign) -> None:
    """What a run with --precision may take."""
    from netbench.analyse import expected_rounds
    from netbench.progress import clock

    plan = campaign.plan
    precision = plan.precision
    if precision is None:
        return
    each = campaign.seconds / plan.rounds
    budget = "" if precision.max_seconds is None else f", and not after {clock(precision.max_seconds)}"
    say(
        f"then more rounds, of what is not yet known to ±{precision.wanted:.3g} of the ratio: at most "
        f"{precision.max_rounds} rounds, about {clock(each * precision.max_rounds)}{budget}"
    )
    for spread in (0.01, 0.02, 0.05):
        rounds = expected_rounds(spread, precision.wanted, precision.max_rounds)
        takes = f"about {rounds} rounds, {clock(each * rounds)}" if rounds else "more rounds than are allowed"
        say(f"  where values vary by {spread:.0%}: {takes}")


def show_checks(checked: Checked, *, all_rows: bool = True) -> None:
    """The preflight table; failures carry their remedy."""
    rows = [
        (check.endpoint, check.what, "FAILED" if check.failure else check.note, check.detail, check.remedy)
        for check in checked.preflight.checks
        if all_rows or check.failure or check.warns
    ]
    if rows:
        say(table(("endpoint", "check", "", "found", "remedy"), rows))


def show_result(result: Result, lang: str) -> None:
    """The matrices and where the report lies."""
    from netbench.analyse import aggregate
    from netbench.report import matrices

    analysis = aggregate(result.plan, result.records)
    for matrix in matrices(analysis, lang):
        say()
        if matrix.caption:
            say(visible(matrix.caption))
        say(table(matrix.header, matrix.rows))
        for line in matrix.notes:
            say(visible(line))
    say()
    say(f"{result.manifest.status}: {analysis.ok} of {analysis.steps} steps ok")
    _recap(result, analysis, lang)
    say(f"report: {result.report}")


def exit_code(result: Result) -> int:
    """0 complete, 1 partial, 130 interrupted."""
    return {"complete": 0, "interrupted": INTERRUPTED}.get(result.manifest.status, 1)


def _recap(result: Result, analysis: Analysis, lang: str) -> None:
    """What failed in the end by class, then each reason once, those of attempts that were made again too."""
    from netbench.report import failures

    failed = failures(analysis, lang)
    if failed is None:
        return
    say(table(failed.header, failed.rows))
    found: dict[tuple[str, str], int] = {}
    for record in result.records:
        if record.outcome.failure is not None:
            key = (record.outcome.failure.value, record.outcome.reason)
            found[key] = found.get(key, 0) + 1
    rows = ((kind, count, why) for (kind, why), count in sorted(found.items()))
    say(table(("failure", "attempts", "reason"), rows))
