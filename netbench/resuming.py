"""``bench --resume``: a run taken up again after any kind of end, from what its directory says.

The plan is the stored one. The inventory is read again only to reach its endpoints, which are checked again; what they
have become must be what they were.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path

from netbench import __version__, app
from netbench.errors import PreflightError, UsageError
from netbench.model import FailureClass, Manifest, Outcome, Session, StepRecord
from netbench.plan import eta
from netbench.probes.registry import load_probes
from netbench.run import environment
from netbench.run.events import Observer
from netbench.store import RunDir
from netbench.transports.pool import Pool

# what may be said together with --resume; everything else is decided by the stored plan
ALLOWED = frozenset(
    "inventory accept_new_host_keys allow_mixed_versions keep_going allow_changed_environment reports lang".split()
)
DIED = Outcome(FailureClass.CANCELLED, "netbench ended in the middle of this attempt; what it left is in raw/")


@dataclass(frozen=True)
class Stored:
    """A run as its directory has it. The caller holds ``directory.lock()``."""

    directory: RunDir
    manifest: Manifest
    request: app.Request
    done: frozenset[str]  # steps that gave a result

    @property
    def whole(self) -> bool:
        """Whether every step gave a result: there is nothing to take up."""
        return {step.id for step in self.directory.plan().steps} <= self.done


def find(run: str, request: app.Request) -> RunDir:
    """The run of that name or path, or "latest". Raises UsageError for options that would make it another plan."""
    default = app.Request()
    for field in fields(app.Request):
        if field.name not in ALLOWED and getattr(request, field.name) != getattr(default, field.name):
            raise UsageError(
                f"--{field.name} does not go together with --resume: the run's own plan says it",
                f"leave --{field.name} out, or begin a new run without --resume",
            )
    return RunDir.open(Path(request.reports), run)


def open_run(directory: RunDir, request: app.Request) -> Stored:
    """The run's state, with a record for each attempt a death cut short. The caller holds its lock."""
    manifest = directory.manifest()
    session = 1 + len(manifest.sessions)
    for step, attempt in directory.unrecorded():
        directory.append(StepRecord(step, DIED, attempt, session=session))
    inventory = request.inventory
    if inventory is None and Path(manifest.inventory).exists():
        inventory = manifest.inventory
    taken = replace(request, inventory=inventory, zone=manifest.zone.value)
    return Stored(directory, manifest, taken, app.finished(directory.records()))


def check(stored: Stored, connections: Pool) -> app.Checked:
    """Look at every endpoint again. What nothing can allow (an endpoint gone or swapped) is a failed check."""
    plan = stored.directory.plan()
    inventory = app.read_inventory(stored.request, connections)
    endpoints = {endpoint.name: endpoint for endpoint in inventory.endpoints}
    moved = environment.moved(plan, endpoints)
    plan = environment.readdressed(plan, moved, stored.done)
    there = replace(plan, endpoints=tuple(e for e in plan.endpoints if e.name in endpoints))
    probes = load_probes(tuple(plan.probes), plan.probes)
    rest = replace(plan, steps=tuple(step for step in plan.steps if step.id not in stored.done))
    campaign = app.Campaign(stored.request, inventory, probes, there, eta(rest), plan.notes)
    checked = app.check(campaign, connections)
    rows = (*environment.missing(plan, endpoints), *checked.preflight.checks)
    return replace(checked, campaign=replace(campaign, plan=plan), preflight=replace(checked.preflight, checks=rows))


def resume(stored: Stored, checked: app.Checked, observer: Observer, command: Sequence[str] = ()) -> app.Result:
    """Run what is left. Raises PreflightError where a check failed, or the environment is not what it was."""
    app.require_checks(checked)
    manifest, before = stored.manifest, stored.directory.plan()
    now = {planned.name: planned.address for planned in checked.campaign.plan.endpoints}
    moved = {planned.name: now[planned.name] for planned in before.endpoints if now[planned.name] != planned.address}
    changes = tuple(environment.changes(before, moved, manifest.environment, checked.preflight.facts))
    if manifest.kubernetes and checked.kubernetes and manifest.kubernetes != checked.kubernetes:
        changes += (f"Kubernetes was {manifest.kubernetes}, is {checked.kubernetes}",)
    if changes and not stored.request.allow_changed_environment:
        raise PreflightError(
            f"the environment is not what it was when the run began; nothing was run: {'; '.join(changes)}",
            "begin a new run, or pass --allow-changed-environment to go on; the report then says so",
        )
    session = Session(
        number=2 + len(manifest.sessions),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        netbench=__version__,
        environment=checked.preflight.facts,
        changes=changes,
        command=tuple(command),
    )
    taken_up = replace(manifest, sessions=(*manifest.sessions, session), status="running", finished=None)
    stored.directory.write_manifest(taken_up)  # first: the changes are told even if the next write never comes
    if moved:
        stored.directory.write_plan(checked.campaign.plan)
    return app.measure(stored.directory, taken_up, checked, observer)


def hint(result_path: Path, request: app.Request, program: str) -> str:
    """The command that takes the run up again, exactly as it can be typed."""
    words = [program, "bench", "--resume", result_path.name]
    if request.reports != app.REPORTS:
        words += ["--reports", request.reports]
    if request.inventory:
        words += ["--inventory", request.inventory]
    return shlex.join(words)
