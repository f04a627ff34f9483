"""What each task does: the request from its arguments, the calls to app, and what is printed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netbench import app, terminal
from netbench.errors import LockedError, UsageError
from netbench.progress import observer
from netbench.run.audit import NAME, begin

if TYPE_CHECKING:
    from netbench.resuming import Stored
    from netbench.run.events import Observer
    from netbench.run.leases import Leases
    from netbench.transports.pool import Pool

Arguments = Mapping[str, Any]


def plan(arguments: Arguments) -> None:
    """Print the plan."""
    with terminal.exit_codes():
        request = make_request(arguments)
        _lab_unless_inventory(request)
        with app.pool(request, begin("plan")) as connections:
            terminal.show_plan(app.make_campaign(request, connections))


def check(arguments: Arguments) -> None:
    """Print the preflight table; exit 3 where a check failed."""
    with terminal.exit_codes():
        request = make_request(arguments)
        _lab_unless_inventory(request)
        with app.pool(request, begin("check")) as connections:
            campaign = app.make_campaign(request, connections)
            checked = app.check(campaign, connections)
            checked = checked.adding(app.lease_checks(campaign, connections))
        terminal.show_checks(checked)
        if checked.preflight.failures:
            sys.exit(3)


def bench(arguments: Arguments) -> None:
    """Check, run, print the matrices."""
    if arguments["dry_run"]:
        if arguments["resume"]:
            with terminal.exit_codes():
                raise UsageError("--dry-run does not go together with --resume", "leave one of them out")
        plan(arguments)
        return
    if arguments["resume"]:
        resume(arguments)
        return
    with terminal.exit_codes():
        request = make_request(arguments)
        _lab_unless_inventory(request)
        trail = begin("bench")
        with app.pool(request, trail) as connections:
            campaign = app.make_campaign(request, connections)
            for text in campaign.notes:
                terminal.note(f"note: {text}")
            with app.leased(campaign, connections) as leases:
                _unguarded(leases)
                checked = app.check(campaign, connections)
                terminal.show_checks(checked, all_rows=False)
                result = app.bench(checked, observer(quiet=arguments["quiet"]), leases, sys.argv[1:], trail)
        _end(result, request)


def resume(arguments: Arguments) -> None:
    """Take a run up again: check, run what is left, print the matrices."""
    from netbench import resuming

    with terminal.exit_codes():
        request = make_request(arguments)
        directory = resuming.find(arguments["resume"], request)
        if directory.manifest().lab:
            _lab_unless_inventory(request)
        trail = begin("resume")
        with directory.lock(), app.pool(request, trail) as connections:
            trail.move(directory.path / NAME)
            stored = resuming.open_run(directory, request)
            if stored.whole:
                terminal.note(f"{directory.path.name} is finished: every step gave a result")
                result = resuming.finish(stored)
            else:
                result = _go_on(stored, connections, observer(quiet=arguments["quiet"]))
        _end(result, request)


def _go_on(stored: Stored, connections: Pool, watcher: Observer) -> app.Result:
    from netbench import resuming
    from netbench.run.sweep import sweep

    campaign = resuming.make_campaign(stored, connections)
    with app.leased(campaign, connections, stored.manifest.token) as leases:
        _unguarded(leases)
        for text in sweep(leases.transports, leases.token):  # what the session that died left running
            terminal.note(f"note: {text}")
        checked = resuming.check(stored, campaign, connections)
        terminal.show_checks(checked, all_rows=False)
        return resuming.resume(stored, checked, watcher, leases, sys.argv[1:])


def _unguarded(leases: Leases) -> None:
    for name, reason in leases.missing.items():
        terminal.note(f"note: {name} is not guarded against other runs: {reason}")
    for name, outcome in leases.lost.items():
        terminal.note(f"note: {name} is left out: {outcome.reason}")


def _end(result: app.Result, request: app.Request) -> None:
    from netbench import resuming

    terminal.show_result(result, request.lang)
    if result.manifest.status == "interrupted":
        again = resuming.hint(result.path, request, terminal.program())
        terminal.say_error(f"interrupted; what was measured is kept in {result.path}", f"go on with: {again}")
    sys.exit(terminal.exit_code(result))


def clean(arguments: Arguments) -> None:
    """Print what was left on endpoints and what was done about it; exit 75 where a run goes on, 1 where it failed."""
    with terminal.exit_codes():
        request = make_request(arguments)
        _lab_unless_inventory(request)
        with app.pool(request, begin("clean")) as connections:
            found = app.clean(request, connections, dry_run=arguments["dry_run"], force=arguments["force"])
        if found:
            header = ("endpoint", "what", "state", "done")
            terminal.say(terminal.table(header, ((one.endpoint, one.what, one.state, one.done) for one in found)))
        else:
            terminal.say("nothing of netbench is left on the endpoints")
        if any(one.failed for one in found):
            sys.exit(1)
        if any(one.in_use for one in found):
            sys.exit(LockedError.exit_code)


def report(arguments: Arguments) -> None:
    """Write and print a report again."""
    with terminal.exit_codes():
        request = make_request(arguments)
        result = app.report(arguments["run"], lang=request.lang, reports=request.reports)
        terminal.say(result.report.read_text(encoding="utf-8"))


def show_inventory(arguments: Arguments) -> None:
    """Print the endpoints of an inventory."""
    from netbench.inventory import describe

    with terminal.exit_codes():
        request = make_request(arguments)
        with app.pool(request, begin("inventory")) as connections:
            inventory = app.read_inventory(request, connections)
        header = ("endpoint", "kind", "node", "zone", "address", "instance type", "reached by")
        terminal.say(terminal.table(header, describe(inventory)))


def lab_up() -> None:
    """Start the lab unless it is up."""
    from netbench.lab import control

    with terminal.exit_codes():
        control.up()
        terminal.say("the lab is up; run a command in it: netbench lab.run -- netbench bench --profile quick")


def lab_down() -> None:
    """Stop the lab if it is up."""
    from netbench.lab import control

    with terminal.exit_codes():
        control.down()


def lab_status() -> None:
    """Print whether the lab is up."""
    from netbench.lab import control

    with terminal.exit_codes():
        status = control.status()
        terminal.say(f"the lab in {status.state.directory} is {'up' if status.up else 'not up'}")
        if status.up:
            header = ("endpoint", "kind", "node", "zone", "address", "not ready")
            rows = [(e.name, e.kind, e.node, e.zone, e.address, e.not_ready or "") for e in status.endpoints]
            terminal.say(terminal.table(header, rows))
        for text in status.notes:
            terminal.say(f"note: {text}")


def lab_run(argv: Sequence[str]) -> None:
    """Run a command inside the lab and exit as it does."""
    from netbench.lab import control

    with terminal.exit_codes():
        if not argv:
            raise UsageError("lab.run needs a command", "write it after two dashes: lab.run -- netbench bench")
        sys.exit(control.run(argv))


def make_request(arguments: Arguments) -> app.Request:
    """A task's arguments as a Request; "" and 0 mean the default."""
    taken = {
        name: arguments[name]
        for name in app.Request.__dataclass_fields__
        if name in arguments and arguments[name] != "" and (arguments[name] != 0 or name == "seed")
    }
    for name in ("kinds", "probes"):
        if name in taken:
            taken[name] = tuple(item.strip() for item in taken[name].split(",") if item.strip())
    if "duration" in taken:
        taken["duration"] = _positive("duration", taken["duration"])
    if "precision" in taken:
        taken["precision"] = _precision(taken["precision"])
    if "max_time" in taken:
        taken["max_time"] = _seconds(taken["max_time"])
    for name in ("rounds", "max_rounds", "pairs", "port"):
        if name in taken:
            _positive(name, taken[name])
    if taken.get("lang", "en") not in ("en", "zh"):
        raise UsageError(f"--lang {taken['lang']}: there is no such language", "use en or zh")
    return app.Request(**taken, options=_options(arguments.get("option") or ()))


def _positive(name: str, value: str | int) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise UsageError(f"--{name} {value}: not a positive number", f"give --{name} a positive number")
    return number


def _precision(text: str) -> float:
    """ "2%" or "0.02" as 0.02."""
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0.0005 <= value < 1:
        raise UsageError(f"--precision {text}: not from 0.05% to 100%", "as in --precision 2%")
    return value


def _seconds(text: str) -> float:
    """A time such as "90m", "8h" or "300" (seconds)."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:].lower())
    return _positive("max-time", text[:-1] if unit else text) * (unit or 1)


def _lab_unless_inventory(request: app.Request) -> None:
    """The embedded default: without any inventory, the same command again inside the lab."""
    if app.find_inventory(request) is not None:
        return
    from netbench.lab import control

    terminal.note("no inventory: using the lab, a test bed on this machine")
    sys.exit(control.run([sys.executable, "-m", "netbench", *sys.argv[1:]]))


def _options(given: Sequence[str]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        probe, dot, option = name.partition(".")
        if not (equals and dot and probe and option):
            raise UsageError(f"--option {text}: not of the form probe.option=value", "as in throughput.parallel=8")
        found.setdefault(probe, {})[option] = value
    return found
