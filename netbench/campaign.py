"""A request made concrete: pods found, probes configured, steps in order. Touches only what kubectl talks to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netbench.analyse import LEAST_ROUNDS
from netbench.errors import PreflightError, TransportError, UsageError
from netbench.inventory import discover, load
from netbench.model import Command, Completed, Endpoint, Inventory, Plan, PodSource, Precision, ZoneMode
from netbench.plan import build_plan, choose_endpoints, eta
from netbench.probes.base import Probe
from netbench.probes.registry import load_probes, profile
from netbench.run.audit import Trail
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


def find_inventory(request: Request) -> str | None:
    """The inventory's path: as asked for, $NETBENCH_INVENTORY, or inventories/default; None where there is none."""
    if request.inventory or os.environ.get(INVENTORY_VARIABLE):
        return request.inventory or os.environ[INVENTORY_VARIABLE]
    return next((path for path in DEFAULT_INVENTORIES if Path(path).exists()), None)


def pool(request: Request, trail: Trail | None = None) -> Pool:
    """The connections of one command; use it as a context manager. Passwords come from the environment.

    ``trail`` is told of every command that is sent.
    """
    options = ConnectOptions(
        accept_new_host_keys=request.accept_new_host_keys, credentials=read_credentials(os.environ)
    )
    return Pool(options, trail.sent if trail else None)


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


def by_name(inventory: Inventory) -> dict[str, Endpoint]:
    """The endpoints of an inventory by their names."""
    return {endpoint.name: endpoint for endpoint in inventory.endpoints}


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
