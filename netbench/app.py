"""The functions a user of the library calls; here the parts are put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from netbench import __version__
from netbench.errors import PreflightError, RunDirError, RunStoppedError, TransportError, UsageError
from netbench.inventory import discover, load
from netbench.model import (
    Cluster,
    Command,
    Completed,
    Inventory,
    Manifest,
    Plan,
    PodSource,
    StepRecord,
    ZoneMode,
)
from netbench.plan import build_plan, choose_endpoints, eta
from netbench.probes.base import Probe
from netbench.probes.registry import load_probes, profile
from netbench.report import build_document, render
from netbench.run.clusters import cluster_versions
from netbench.run.events import Observer
from netbench.run.preflight import Check, Preflight, preflight
from netbench.run.runner import Runner
from netbench.store import RunDir, run_name
from netbench.transports.base import ConnectOptions
from netbench.transports.pool import Pool

INVENTORY_VARIABLE = "NETBENCH_INVENTORY"
DEFAULT_INVENTORIES = (
    "inventories/default",
    "inventories/default.yaml",
    "inventories/default.yml",
    "inventories/default.ini",
)
REPORTS = "reports"


@dataclass(frozen=True)
class Request:
    """What is asked for; the defaults are the documented campaign."""

    zone: str = "same"
    inventory: str | None = None  # None: see find_inventory
    limit: str | None = None
    kinds: Sequence[str] | None = None
    probes: Sequence[str] | None = None
    rounds: int | None = None
    pairs: int = 1
    seed: int = 0
    profile: str = "documented"
    duration: float | None = None  # seconds, for every probe that has a duration
    port: int | None = None
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # probe -> option -> value; these win
    accept_new_host_keys: bool = False
    allow_mixed_versions: bool = False
    keep_going: bool = False  # measure what can be measured though a check failed
    allow_changed_environment: bool = False  # resume though the endpoints changed; the report says so
    reports: str = REPORTS
    lang: str = "en"


@dataclass(frozen=True)
class Campaign:
    """A request made concrete: pods found, probes configured, steps in order."""

    request: Request
    inventory: Inventory
    probes: Mapping[str, Probe]
    plan: Plan
    seconds: float  # expected
    notes: tuple[str, ...]  # what makes cells less comparable, and endpoints that are left out


@dataclass(frozen=True)
class Checked:
    """A campaign whose endpoints were looked at."""

    campaign: Campaign
    preflight: Preflight
    kubectl: str | None
    kubernetes: str | None


@dataclass(frozen=True)
class Result:
    """A finished or interrupted run."""

    path: Path
    report: Path
    manifest: Manifest
    plan: Plan
    records: tuple[StepRecord, ...]


def find_inventory(request: Request) -> str | None:
    """The inventory's path: as asked for, $NETBENCH_INVENTORY, or inventories/default; None where there is none."""
    if request.inventory or os.environ.get(INVENTORY_VARIABLE):
        return request.inventory or os.environ[INVENTORY_VARIABLE]
    return next((path for path in DEFAULT_INVENTORIES if Path(path).exists()), None)


def pool(request: Request) -> Pool:
    """The connections of one command; use it as a context manager."""
    return Pool(ConnectOptions(accept_new_host_keys=request.accept_new_host_keys))


def read_inventory(request: Request, connections: Pool) -> Inventory:
    """The inventory with its pods discovered. Touches nothing but what kubectl talks to."""
    path = find_inventory(request)
    if path is None:
        raise UsageError(
            "there is no inventory", f"pass --inventory, set {INVENTORY_VARIABLE}, or make {DEFAULT_INVENTORIES[1]}"
        )
    inventory = load(path, limit=request.limit)

    def run_for(source: PodSource) -> Callable[[Command], Completed]:
        return connections.get(source.cluster.control).run

    try:
        return discover(inventory, run_for)
    except TransportError as error:  # no kubectl here, or no way to the control host
        raise PreflightError(f"pods cannot be discovered: {error}", error.remedy) from error


def make_campaign(request: Request, connections: Pool) -> Campaign:
    """Everything that is known before a host is touched."""
    zone = _zone(request.zone)
    base = profile(request.profile)
    probes = load_probes(request.probes, _options(request, base.probes))
    inventory = read_inventory(request, connections)
    plan = build_plan(
        inventory,
        probes,
        zone=zone,
        rounds=request.rounds if request.rounds is not None else base.rounds,
        pairs=request.pairs,
        kinds=request.kinds,
        seed=request.seed,
        max_parallel=_max_parallel(inventory),
    )
    left_out = tuple(f"{endpoint.name} is not used: {reason}" for endpoint, reason in choose_endpoints(inventory)[1])
    return Campaign(request, inventory, probes, plan, eta(plan), (*plan.notes, *left_out))


def check(campaign: Campaign, connections: Pool) -> Checked:
    """Look at every endpoint of the plan and at its clusters; failures are rows, not exceptions."""
    endpoints = {endpoint.name: endpoint for endpoint in campaign.inventory.endpoints}
    looked = preflight(
        campaign.plan,
        endpoints,
        campaign.probes,
        lambda endpoint: connections.get(endpoint.access),
        allow_mixed_versions=campaign.request.allow_mixed_versions,
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


def bench(checked: Checked, observer: Observer, command: Sequence[str] = ()) -> Result:
    """Run the plan, keep everything in a new run directory, and write the report there.

    Raises PreflightError where a check failed and the request does not say to keep going.
    """
    campaign, request = checked.campaign, checked.campaign.request
    require_checks(checked)
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
        instance_types=campaign.inventory.instance_types,
        command=tuple(command),
    )
    with directory.lock():
        directory.write_plan(campaign.plan)
        directory.write_manifest(manifest)
        return measure(directory, manifest, checked, observer)


def require_checks(checked: Checked) -> None:
    """Raise PreflightError where a check failed and the request does not say to keep going."""
    failures = checked.preflight.failures
    if failures and not (checked.campaign.request.keep_going and checked.preflight.targets):
        raise PreflightError(
            f"{len(failures)} of {len(checked.preflight.checks)} checks failed; nothing was run",
            "mend what the table names, or pass --keep-going to measure the rest",
        )


def measure(directory: RunDir, manifest: Manifest, checked: Checked, observer: Observer) -> Result:
    """Run what the directory's plan has left, and write the report. The caller holds the directory's lock.

    Raises RunStoppedError where the directory cannot be written to any more.
    """
    campaign = checked.campaign
    records = directory.records()
    runner = Runner(
        campaign.plan,
        campaign.probes,
        checked.preflight.targets,
        directory,
        observer,
        unusable=checked.preflight.unusable(),
        session=1 + len(manifest.sessions),
        attempts={record.step: record.attempt for record in sorted(records, key=lambda record: record.attempt)},
    )
    try:
        status = runner.run(campaign.seconds, done=finished(records))
        ended = datetime.now(timezone.utc).isoformat(timespec="seconds")
        directory.write_manifest(replace(manifest, status=status, finished=ended))
        return report(directory.path, lang=campaign.request.lang)
    except RunDirError as error:
        with suppress(RunDirError):  # an old report must not stand for what is there now
            report(directory.path, lang=campaign.request.lang)
        raise RunStoppedError(
            f"the run stopped: {error}; what was finished is kept in {directory.path}",
            f"{error.remedy}; then go on with bench --resume {directory.path}",
        ) from error


def finished(records: Iterable[StepRecord]) -> frozenset[str]:
    """Steps that need no further attempt: those that gave a result once."""
    return frozenset(record.step for record in records if record.outcome.ok)


def report(run: str | Path, *, lang: str = "en", reports: str = REPORTS) -> Result:
    """Write a run's report from what its directory holds; no host is touched. ``run``: a name, a path, or "latest"."""
    directory = RunDir.open(Path(reports), run)
    manifest, plan, records = directory.manifest(), directory.plan(), directory.records()
    text = render(build_document(manifest, plan, records, lang=lang))
    path = directory.write_report("report.md" if lang == "en" else f"report.{lang}.md", text)
    return Result(directory.path, path, manifest, plan, records)


def _zone(text: str) -> ZoneMode:
    try:
        return ZoneMode(text)
    except ValueError:
        raise UsageError(f"--zone {text}: there is no such mode", "use --zone same or --zone cross") from None


def _options(request: Request, base: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """The profile's options, then --duration and --port where a probe has them, then --option."""
    merged: dict[str, dict[str, object]] = {}
    for name, probe in load_probes(request.probes, {}).items():
        common = {"duration": request.duration, "port": request.port}
        given = {key: value for key, value in common.items() if value is not None and hasattr(probe, key)}
        merged[name] = {**base.get(name, {}), **given}
    for name, values in request.options.items():
        merged.setdefault(name, {}).update(values)
    return merged


def _max_parallel(inventory: Inventory) -> int | None:
    setting = inventory.settings.get("max_parallel")
    return setting if isinstance(setting, int) else None


def _clusters(inventory: Inventory) -> list[Cluster]:
    return list(dict.fromkeys(source.cluster for source in inventory.pod_sources))
