"""``bench --resume``: a run resumed after any kind of end, from what its directory says.

The plan is the stored one. The inventory is read again only to reach its endpoints, which are checked again; what they
have become must be what they were.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path

from netbench import __version__, app
from netbench.campaign import Campaign, Request, by_name, read_inventory
from netbench.errors import PreflightError, RunDirError, UsageError
from netbench.model import FailureClass, Manifest, Outcome, Plan, Session, StepRecord
from netbench.plan import eta
from netbench.plan.commands import Rebuilt
from netbench.probes.base import Probe
from netbench.probes.registry import load_probes
from netbench.run import environment
from netbench.run.events import Observer
from netbench.run.leases import Leases
from netbench.store import RunDir
from netbench.transports.pool import Pool

# what may be said together with --resume; everything else is decided by the stored plan
ALLOWED = frozenset(
    "inventory accept_new_host_keys allow_mixed_versions allow_mislabelled keep_going allow_changed_environment"
    " reports lang".split()
)
TOKEN = re.compile(r"[0-9a-f]{12}")
NEW_RUN = "restore the file from a copy, or start a new run without --resume"
DIED = Outcome(FailureClass.CANCELLED, "netbench ended in the middle of this attempt; what it left is in raw/")


@dataclass(frozen=True)
class Stored:
    """A run as its directory has it. The caller holds ``directory.lock()``."""

    directory: RunDir
    manifest: Manifest
    plan: Plan
    request: Request
    done: frozenset[str]  # steps that gave a result

    @property
    def whole(self) -> bool:
        """Whether every step gave a result, and no further round may be wanted: there is nothing to take up."""
        over = self.plan.precision is None or self.manifest.status in ("complete", "partial")
        return over and {step.id for step in self.plan.steps} <= self.done


def find(run: str, request: Request) -> RunDir:
    """The run of that name or path, or "latest". Raises UsageError for options that would make it another plan."""
    default = Request()
    for field in fields(Request):
        if field.name not in ALLOWED and getattr(request, field.name) != getattr(default, field.name):
            option = "--" + field.name.replace("_", "-").replace("options", "option")  # as it is typed
            raise UsageError(
                f"{option} does not go together with --resume: the run's own plan says it",
                f"leave {option} out, or begin a new run without --resume",
            )
    return RunDir.open(Path(request.reports), run)


def open_run(directory: RunDir, request: Request) -> Stored:
    """The run's state, with a record for each attempt a death cut short. The caller holds its lock."""
    manifest = directory.manifest()
    if manifest.token and not TOKEN.fullmatch(manifest.token):  # scripts on endpoints are given it
        raise RunDirError(f"{directory.path}: manifest.json: invalid token {manifest.token!r:.60}", NEW_RUN)
    for step, attempt in directory.unrecorded():
        directory.append(StepRecord(step, DIED, attempt, session=manifest.session))
    inventory = request.inventory
    if inventory is None and Path(manifest.inventory).exists():
        inventory = manifest.inventory
    taken = replace(request, inventory=inventory, zone=manifest.zone.value)
    return Stored(directory, manifest, directory.plan(), taken, app.finished(directory.records()))


def finish(stored: Stored) -> app.Result:
    """The report of a run of which nothing is left to do; it may have died before it could say so."""
    if stored.manifest.finished is not None and stored.manifest.status != "interrupted":
        return app.report(stored.directory.path, lang=stored.request.lang)
    status = "partial" if stored.plan.exclusions else "complete"
    return app.close(stored.directory, stored.manifest, status, stored.request.lang)


def make_campaign(stored: Stored, connections: Pool) -> Campaign:
    """The rest of the stored plan, with the addresses that its endpoints have now.

    Commands are made anew, of the probes' options. Raises RunDirError where the stored ones are others; nothing was
    contacted then.
    """
    probes = _require_own_commands(stored)
    inventory = read_inventory(stored.request, connections)
    moved = environment.moved(stored.plan, by_name(inventory))
    plan = environment.readdressed(stored.plan, moved, stored.done)
    rebuilt = Rebuilt(plan, probes, stored.manifest.instance_types)
    plan = replace(plan, steps=tuple(step if step.id in stored.done else rebuilt.step(step) for step in plan.steps))
    rest = replace(plan, steps=tuple(step for step in plan.steps if step.id not in stored.done))
    return Campaign(stored.request, inventory, probes, plan, eta(rest), plan.notes)


def _require_own_commands(stored: Stored) -> dict[str, Probe]:
    """The probes with the options of the plan. Raises RunDirError where its commands are not theirs."""
    plan, where = stored.plan, stored.directory.path
    try:
        probes = load_probes(tuple(plan.probes), plan.probes)
        difference = Rebuilt(plan, probes, stored.manifest.instance_types).difference(stored.done)
    except UsageError as error:
        raise RunDirError(f"{where}: plan.json: {error}", error.remedy) from error
    if difference is not None:
        raise RunDirError(
            f"{where}: plan.json: its commands are not those of its probes' options; nothing was run: {difference}",
            f"use the netbench that started the run ({stored.manifest.netbench}), or start a new run without --resume",
        )
    return probes


def check(stored: Stored, campaign: Campaign, connections: Pool) -> app.Checked:
    """Look at every endpoint again. What nothing can allow (an endpoint gone or swapped) is a failed check."""
    endpoints = by_name(campaign.inventory)
    there = tuple(planned for planned in campaign.plan.endpoints if planned.name in endpoints)
    checked = app.check(replace(campaign, plan=replace(campaign.plan, endpoints=there)), connections)
    rows = environment.missing(stored.plan, endpoints)
    return replace(checked.adding(rows), campaign=campaign)


def resume(
    stored: Stored, checked: app.Checked, observer: Observer, leases: Leases, command: Sequence[str] = ()
) -> app.Result:
    """Run what is left. Raises PreflightError where a check failed, or the environment is not what it was."""
    app.require_checks(checked)
    leases.require(checked.preflight.targets)
    manifest = stored.manifest
    moved = environment.moved(stored.plan, by_name(checked.campaign.inventory))
    changes = (
        *environment.changes(stored.plan, moved, manifest.environment, checked.preflight.facts),
        *environment.shown_otherwise(manifest.attestations, checked.preflight.attestations),
    )
    if manifest.kubernetes and checked.kubernetes and manifest.kubernetes != checked.kubernetes:
        changes += (f"Kubernetes was {manifest.kubernetes}, is {checked.kubernetes}",)
    if changes and not stored.request.allow_changed_environment:
        raise PreflightError(
            f"the environment is not what it was when the run began; nothing was run: {'; '.join(changes)}",
            "begin a new run, or pass --allow-changed-environment to go on; the report then says so",
        )
    session = Session(
        number=manifest.session + 1,
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        netbench=__version__,
        environment=checked.preflight.facts,
        changes=changes,
        command=tuple(command),
    )
    taken_up = replace(
        manifest, sessions=(*manifest.sessions, session), status="running", finished=None, token=leases.token
    )
    stored.directory.write_manifest(taken_up)  # first: the changes are told even if the next write never comes
    if moved:
        stored.directory.write_plan(checked.campaign.plan)
    return app.measure(stored.directory, taken_up, checked, observer, leases)


def hint(path: Path, request: Request, program: str) -> str:
    """The command that takes the run up again, exactly as it can be typed."""
    words = [program, "bench", "--resume", path.name]
    if request.reports != app.REPORTS:
        words += ["--reports", request.reports]
    if request.inventory:
        words += ["--inventory", request.inventory]
    return shlex.join(words)
