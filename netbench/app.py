"""The functions a user of the library calls; here the parts are put together."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from netbench import __version__
from netbench.analyse import LEAST_ROUNDS, OtherZone, aggregate
from netbench.errors import PreflightError, RunDirError, TransportError, UsageError
from netbench.inventory import discover, load
from netbench.model import (
    Cluster,
    Command,
    Completed,
    Endpoint,
    FailureClass,
    Inventory,
    Manifest,
    Plan,
    PodAccess,
    PodSource,
    Precision,
    StepRecord,
    ZoneMode,
)
from netbench.plan import build_plan, choose_endpoints, eta
from netbench.probes.base import Probe
from netbench.probes.registry import load_probes, profile
from netbench.report import document_of, gather, render
from netbench.rounds import MoreRounds
from netbench.run import clean as cleaning
from netbench.run.attestation import flags
from netbench.run.check import Check
from netbench.run.clusters import cluster_versions
from netbench.run.events import Observer
from netbench.run.leases import Leases
from netbench.run.lock import locked
from netbench.run.preflight import Preflight, preflight
from netbench.run.runner import Runner
from netbench.store import RunDir, names, run_name
from netbench.transports.base import ConnectOptions
from netbench.transports.credentials import read_credentials
from netbench.transports.pool import Pool

INVENTORY_VARIABLE = "NETBENCH_INVENTORY"
DEFAULT_INVENTORIES = (
    "inventories/default",
    "inventories/default.yaml",
    "inventories/default.yml",
    "inventories/default.ini",
)
REPORTS = "reports"
FINDINGS = "findings.json"


@dataclass(frozen=True)
class Request:
    """What is asked for; the defaults are the documented campaign."""

    zone: str = "same"
    inventory: str | None = None  # None: see find_inventory
    limit: str | None = None
    kinds: Sequence[str] | None = None
    probes: Sequence[str] | None = None
    rounds: int | None = None
    precision: float | None = None  # add rounds until every compared ratio is known to this fraction
    max_rounds: int = 30
    max_time: float | None = None  # seconds a run with ``precision`` may take
    pairs: int = 1
    seed: int = 0
    profile: str = "documented"
    duration: float | None = None  # seconds, for every probe that has a duration
    port: int | None = None
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # probe -> option -> value; these win
    accept_new_host_keys: bool = False
    allow_mixed_versions: bool = False
    allow_mislabelled: bool = False  # measure endpoints that are not what their labels say, and mark what they give
    keep_going: bool = False  # measure what can be measured though a check failed
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


def find_inventory(request: Request) -> str | None:
    """The inventory's path: as asked for, $NETBENCH_INVENTORY, or inventories/default; None where there is none."""
    if request.inventory or os.environ.get(INVENTORY_VARIABLE):
        return request.inventory or os.environ[INVENTORY_VARIABLE]
    return next((path for path in DEFAULT_INVENTORIES if Path(path).exists()), None)


def pool(request: Request) -> Pool:
    """The connections of one command; use it as a context manager. Passwords come from the environment."""
    return Pool(
        ConnectOptions(accept_new_host_keys=request.accept_new_host_keys, credentials=read_credentials(os.environ))
    )


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
    rounds = request.rounds if request.rounds is not None else base.rounds
    precision = None
    if request.precision is not None:
        rounds = max(rounds, LEAST_ROUNDS)
        precision = Precision(request.precision, max(rounds, request.max_rounds), request.max_time)
    inventory = read_inventory(request, connections)
    plan = build_plan(
        inventory,
        probes,
        zone=zone,
        rounds=rounds,
        pairs=request.pairs,
        kinds=request.kinds,
        seed=request.seed,
        max_parallel=_max_parallel(inventory),
        precision=precision,
    )
    left_out = tuple(f"{endpoint.name} is not used: {reason}" for endpoint, reason in choose_endpoints(inventory)[1])
    return Campaign(request, inventory, probes, plan, eta(plan), (*plan.notes, *left_out))


@contextmanager
def leased(campaign: Campaign, connections: Pool) -> Iterator[Leases]:
    """The campaign's nodes for this run alone: the lock of this machine, and leases on every endpoint of theirs.

    Raises LockedError, which says who holds one, since when and until when; then nothing is held. Endpoints that cannot
    be leased are in ``missing``.
    """
    endpoints = _of_nodes(campaign)
    with locked(endpoint.address for endpoint in endpoints):
        leases = Leases({endpoint.name: connections.get(endpoint.access) for endpoint in endpoints})
        try:
            leases.take()
            yield leases
        finally:
            leases.release()


def lease_checks(campaign: Campaign, connections: Pool) -> tuple[Check, ...]:
    """Who uses the campaign's nodes now; takes nothing. Endpoints that do not answer are left to ``check``."""
    endpoints = _of_nodes(campaign)
    leases = Leases({endpoint.name: connections.get(endpoint.access) for endpoint in endpoints})
    remedy = "wait until its run ends or the lease expires; bench exits 75 until then"
    rows = [
        Check(name, "lease", f"held by {busy}", FailureClass.BUSY, remedy) if busy else Check(name, "lease", "free")
        for name, busy in leases.look().items()
    ]
    hosts = {one.node for one in endpoints if not isinstance(one.access, PodAccess)}
    detail = "guarded in these pods only: a run that comes by its host or by other pods is not seen"
    return (*rows, *(Check(node, "lease", detail) for node in sorted({one.node for one in endpoints} - hosts)))


def clean(
    request: Request, connections: Pool, *, dry_run: bool = False, force: bool = False
) -> tuple[cleaning.Found, ...]:
    """Find and remove what dead runs left on the endpoints of an inventory; with ``dry_run`` only look."""
    endpoints = read_inventory(request, connections).endpoints
    return cleaning.clean(endpoints, lambda endpoint: connections.get(endpoint.access), dry_run=dry_run, force=force)


def check(campaign: Campaign, connections: Pool) -> Checked:
    """Look at every endpoint of the plan and at its clusters; failures are rows, not exceptions."""
    endpoints = {endpoint.name: endpoint for endpoint in campaign.inventory.endpoints}
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


def bench(checked: Checked, observer: Observer, leases: Leases, command: Sequence[str] = ()) -> Result:
    """Run the plan, keep everything in a new run directory, and write the report there.

    Raises PreflightError where a check failed and the request does not say to keep going, or an endpoint that is
    measured cannot be leased.
    """
    campaign, request = checked.campaign, checked.campaign.request
    failures = checked.preflight.failures
    if failures and not (request.keep_going and checked.preflight.targets):
        raise PreflightError(
            f"{len(failures)} of {len(checked.preflight.checks)} checks failed; nothing was run",
            "mend what the table names, or pass --keep-going to measure the rest",
        )
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
    )
    directory.write_plan(campaign.plan)
    directory.write_manifest(manifest)
    leases.name(directory.path.name)
    runner = Runner(
        campaign.plan,
        campaign.probes,
        checked.preflight.targets,
        directory,
        observer,
        unusable=checked.preflight.unusable(),
        marks=flags(campaign.plan, checked.preflight.attestations),
        hold=leases.hold,
    )
    status = runner.run(campaign.seconds, more=MoreRounds(campaign.plan, directory))
    finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
    directory.write_manifest(replace(manifest, status=status, finished=finished))
    return report(directory.path, lang=request.lang)


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


def _of_nodes(campaign: Campaign) -> list[Endpoint]:
    """Every usable endpoint of the nodes a campaign touches, in its plan or not: each is a door another run may use."""
    nodes = {planned.node for planned in campaign.plan.endpoints}
    return [one for one in campaign.inventory.endpoints if one.node in nodes and not one.not_ready]


def _clusters(inventory: Inventory) -> list[Cluster]:
    return list(dict.fromkeys(source.cluster for source in inventory.pod_sources))
