"""The functions a user of the library calls; here the parts are put together."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from netbench import __version__
from netbench.analyse import OtherZone, aggregate
from netbench.campaign import REPORTS, Campaign, Request, by_name, find_inventory, make_campaign, pool, read_inventory
from netbench.errors import LockedError, PreflightError, RunDirError, RunStoppedError
from netbench.guard import clean, lease_checks, leased
from netbench.model import Cluster, Inventory, Manifest, Plan, StepRecord
from netbench.plan import eta
from netbench.report import document_of, gather, render
from netbench.rounds import MoreRounds
from netbench.run.attestation import flags
from netbench.run.audit import NAME as COMMANDS
from netbench.run.audit import Trail
from netbench.run.check import Check
from netbench.run.clusters import cluster_versions
from netbench.run.events import Observer
from netbench.run.leases import Leases
from netbench.run.preflight import Preflight, preflight
from netbench.run.runner import Runner
from netbench.run.sweep import needed, sweep
from netbench.store import RunDir, names, run_name
from netbench.transports.pool import Pool

__all__ = [
    "REPORTS",
    "Campaign",
    "Checked",
    "Request",
    "Result",
    "bench",
    "check",
    "clean",
    "find_inventory",
    "finished",
    "lease_checks",
    "leased",
    "make_campaign",
    "measure",
    "pool",
    "read_inventory",
    "report",
    "require_checks",
]

FINDINGS = "findings.json"


@dataclass(frozen=True)
class Checked:
    """A campaign whose endpoints were looked at."""

    campaign: Campaign
    preflight: Preflight
    kubectl: str | None
    kubernetes: str | None

    def adding(self, checks: Sequence[Check]) -> Checked:
        """The same with more rows in its table."""
        return replace(self, preflight=replace(self.preflight, checks=(*self.preflight.checks, *checks)))


@dataclass(frozen=True)
class Result:
    """A finished or interrupted run."""

    path: Path
    report: Path
    manifest: Manifest
    plan: Plan
    records: tuple[StepRecord, ...]


def check(campaign: Campaign, connections: Pool) -> Checked:
    """Look at every endpoint of the plan and at its clusters; failures are rows, not exceptions."""
    endpoints = by_name(campaign.inventory)
    looked = preflight(
        campaign.plan,
        endpoints,
        campaign.probes,
        lambda endpoint: connections.get(endpoint.access),
        rules=campaign.inventory.attestation,
        allow_mixed_versions=campaign.request.allow_mixed_versions,
        allow_mislabelled=campaign.request.allow_mislabelled,
    )
    checks: list[Check] = []
    versions: tuple[str, str] | None = None
    for cluster in _clusters(campaign.inventory):
        row, *found = cluster_versions(cluster, connections.get(cluster.control).run)
        checks.append(row)
        versions = versions or (found[0], found[1])
    return Checked(
        campaign,
        replace(looked, checks=(*checks, *looked.checks)),
        kubectl=versions[0] if versions else None,
        kubernetes=versions[1] if versions else None,
    )


def bench(
    checked: Checked, observer: Observer, leases: Leases, command: Sequence[str] = (), trail: Trail | None = None
) -> Result:
    """Run the plan, keep everything in a new run directory, and write the report there; the audit trail goes there too.

    Raises PreflightError where a check failed and the request does not say to keep going, or an endpoint that is
    measured cannot be leased; otherwise as ``measure``.
    """
    campaign, request = checked.campaign, checked.campaign.request
    require_checks(checked)
    leases.require(checked.preflight.targets)
    now = datetime.now(timezone.utc)
    directory = RunDir.create(Path(request.reports), run_name(now, campaign.plan.zone))
    settings = campaign.inventory.settings
    lab_notes = settings.get("lab_notes")
    manifest = Manifest(
        run=directory.path.name,
        netbench=__version__,
        created=now.isoformat(timespec="seconds"),
        zone=campaign.plan.zone,
        inventory=campaign.inventory.source,
        lab=bool(settings.get("lab")),
        lab_notes=tuple(str(note) for note in lab_notes) if isinstance(lab_notes, list | tuple) else (),
        kubectl=checked.kubectl,
        kubernetes=checked.kubernetes,
        environment=checked.preflight.facts,
        attestations=checked.preflight.attestations,
        instance_types=campaign.inventory.instance_types,
        command=tuple(command),
        token=leases.token,
    )
    with directory.lock():
        directory.write_plan(campaign.plan)
        directory.write_manifest(manifest)
        if trail is not None:
            trail.move(directory.path / COMMANDS)
        return measure(directory, manifest, checked, observer, leases)


def require_checks(checked: Checked) -> None:
    """Raise PreflightError where a check failed and the request does not say to keep going."""
    failures = checked.preflight.failures
    if failures and not (checked.campaign.request.keep_going and checked.preflight.targets):
        raise PreflightError(
            f"{len(failures)} of {len(checked.preflight.checks)} checks failed; nothing was run",
            "mend what the table names, or pass --keep-going to measure the rest",
        )


def measure(directory: RunDir, manifest: Manifest, checked: Checked, observer: Observer, leases: Leases) -> Result:
    """Run what the directory's plan has left, and write the report. The caller holds the directory's lock.

    Raises RunStoppedError where the directory cannot be written to any more, or a lease was lost to another run.
    """
    campaign = checked.campaign
    records = directory.records()
    done = finished(records)
    leases.name(directory.path.name)
    runner = Runner(
        campaign.plan,
        campaign.probes,
        checked.preflight.targets,
        directory,
        observer,
        unusable=ChainMap(leases.lost, checked.preflight.unusable()),
        marks=flags(campaign.plan, checked.preflight.attestations),
        hold=leases.hold,
        token=leases.token,
        session=manifest.session,
        attempts={record.step: record.attempt for record in sorted(records, key=lambda record: record.attempt)},
    )
    more = MoreRounds(campaign.plan, directory, spent=eta(campaign.plan) - campaign.seconds)
    status = "interrupted"
    try:
        status = runner.run(campaign.seconds, done=done, more=more)
        if needed(directory.records()[len(records) :]):
            sweep(leases.transports, leases.token)  # what the endpoint could not be told then, it may be told now
        return close(directory, manifest, status, campaign.request.lang)
    except KeyboardInterrupt:  # after the last step: the run is what it is, and its report must be whole
        return close(directory, manifest, status, campaign.request.lang)
    except (RunDirError, LockedError) as error:
        with suppress(RunDirError):  # an old report must not stand for what is there now
            close(directory, manifest, "interrupted", campaign.request.lang)
        raise RunStoppedError(
            f"the run stopped: {error}; what was finished is kept in {directory.path}",
            f"{error.remedy}; then go on with bench --resume {directory.path}",
        ) from error


def close(directory: RunDir, manifest: Manifest, status: str, lang: str) -> Result:
    """Say how the run ended, and write its report."""
    ended = datetime.now(timezone.utc).isoformat(timespec="seconds")
    directory.write_manifest(replace(manifest, status=status, finished=ended))
    return report(directory.path, lang=lang)


def finished(records: Iterable[StepRecord]) -> frozenset[str]:
    """Steps that need no further attempt: those that gave a result once."""
    return frozenset(record.step for record in records if record.outcome.ok)


def report(run: str | Path, *, lang: str = "en", reports: str = REPORTS) -> Result:
    """Write a run's report, and its findings as JSON, from what its directory holds; no host is touched.

    ``run``: a name, a path, or "latest".
    """
    directory = RunDir.open(Path(reports), run)
    manifest, plan, records = directory.manifest(), directory.plan(), directory.records()
    other = _other_zone(directory.path, manifest, plan)
    material = gather(manifest, plan, records, lang, other)
    findings = [asdict(finding) for finding in material.findings]
    directory.write_report(FINDINGS, json.dumps(findings, indent=1, ensure_ascii=False))
    text = render(document_of(material))
    path = directory.write_report("report.md" if lang == "en" else f"report.{lang}.md", text)
    return Result(directory.path, path, manifest, plan, records)


def _other_zone(path: Path, manifest: Manifest, plan: Plan) -> OtherZone | None:
    """The newest finished run beside this one that did the same in the other mode; None where there is none.

    The same means the same inventory, kinds and probe options; the test bed is never compared with real nodes.
    """
    for name in reversed(names(path.parent)):
        try:
            other = RunDir.open(path.parent, name)
            theirs, their_plan = other.manifest(), other.plan()
            alike = (theirs.inventory, theirs.lab) == (manifest.inventory, manifest.lab)
            alike = alike and (their_plan.kinds, their_plan.probes) == (plan.kinds, plan.probes)
            if alike and theirs.zone is not manifest.zone and theirs.finished:
                return OtherZone(name, theirs.zone, aggregate(their_plan, other.records()))
        except RunDirError:
            continue  # a run that cannot be read is none to compare with; its own report says what is wrong with it
    return None


def _clusters(inventory: Inventory) -> list[Cluster]:
    return list(dict.fromkeys(source.cluster for source in inventory.pod_sources))
