"""Checks before anything is measured, and the environment of every endpoint, in one round trip each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from netbench.errors import NetbenchError
from netbench.model import (
    Attestation,
    Endpoint,
    EndpointFacts,
    FailureClass,
    Outcome,
    Plan,
)
from netbench.probes.base import Probe
from netbench.run.attestation import Rules, attest
from netbench.run.attestation import checks as attested
from netbench.run.check import Check
from netbench.run.evidence import PREFIX, split
from netbench.run.lifecycle import Target
from netbench.run.scripts import PLACES, script
from netbench.transports.base import Transport, ask

AT_ONCE = 16  # endpoints checked at the same time: key exchanges and kubectl starts are what loads the bastion
SECONDS = 20  # for one endpoint's facts
LONGEST = 300  # characters of one fact
MOST_FACTS = 100  # of one endpoint, evidence included; facts.sh has some forty
MOST_EVIDENCE = 20_000  # of one piece of evidence, before it is read
_KEY = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True)
class Preflight:
    """All checks, the facts found on the way, and the targets that can be used."""

    checks: tuple[Check, ...]
    facts: tuple[EndpointFacts, ...]
    targets: Mapping[str, Target]
    attestations: tuple[Attestation, ...] = ()  # of the endpoints that could be looked at

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.failure is not None)

    def unusable(self) -> dict[str, Outcome]:
        """Endpoints that cannot take part, with the first reason of each."""
        found: dict[str, Outcome] = {}
        for check in self.failures:
            assert check.failure is not None  # noqa: S101
            reason = f"preflight: {check.what}: {check.detail}" + (f"; {check.remedy}" if check.remedy else "")
            found.setdefault(check.endpoint, Outcome(check.failure, reason))
        return found


def preflight(
    plan: Plan,
    endpoints: Mapping[str, Endpoint],
    probes: Mapping[str, Probe],
    connect: Callable[[Endpoint], Transport],
    *,
    rules: Rules | None = None,
    allow_mixed_versions: bool = False,
    allow_mislabelled: bool = False,
) -> Preflight:
    """Check every endpoint the plan uses. ``endpoints`` by name; ``rules`` say what proves a kind.

    Never raises for what is wrong with an endpoint.
    """
    names = [planned.name for planned in plan.endpoints]
    needs = {name: _needs(name, plan, probes) for name in names}

    def look(name: str) -> tuple[list[Check], dict[str, str], Target | None]:
        return _examine(endpoints[name], connect, *needs[name])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        looked = dict(zip(names, pool.map(look, names), strict=True))
        checks = [check for found, _, _ in looked.values() for check in found]
        targets = {name: target for name, (_, _, target) in looked.items() if target is not None}
        routes = _routes(plan, targets)
        checks += [check for found in pool.map(lambda route: _reach(*route), routes) for check in found]
    facts, seen = {}, {}
    for name, (_, found, _) in looked.items():
        facts[name], seen[name] = split(found)
    attestations = attest(plan, endpoints, rules or {}, facts, seen)
    checks += attested(attestations, allow=allow_mislabelled)
    checks += _versions(plan, facts, FailureClass.VERSION_MISMATCH if not allow_mixed_versions else None)
    environment = tuple(EndpointFacts(name, found) for name, found in facts.items())
    return Preflight(tuple(checks), environment, targets, attestations)


def _needs(name: str, plan: Plan, probes: Mapping[str, Probe]) -> tuple[set[str], set[int]]:
    """Tools and TCP ports that steps of the plan need on that endpoint."""
    tools: set[str] = set()
    ports: set[int] = set()
    for step in plan.steps:
        if step.source == name:
            tools.update(probes[step.probe].source_tools)
        if step.destination == name:
            tools.update(probes[step.probe].destination_tools)
            if step.server:
                ports.add(step.server.port)
    return tools, ports


def _examine(
    endpoint: Endpoint, connect: Callable[[Endpoint], Transport], tools: set[str], ports: set[int]
) -> tuple[list[Check], dict[str, str], Target | None]:
    name = endpoint.name
    lists = (" ".join(str(port) for port in sorted(ports)), " ".join(sorted(tools)), " ".join(PLACES))
    try:
        transport = connect(endpoint)
        done = ask(transport, script("facts", endpoint.address, *lists, deadline=SECONDS))
    except NetbenchError as error:
        return [Check(name, "reachable", str(error), error.failure, error.remedy)], {}, None
    facts = _facts(done.text)
    if done.exit_code != 0:
        detail = f"the look at it failed with exit code {done.exit_code}: {done.error_text[-200:]}"
        return (
            [Check(name, "reachable", detail, FailureClass.TOOL_FAILED, "see that sh, sed and sleep are there")],
            {},
            None,
        )
    checks = [Check(name, "reachable", f"{facts.get('os', 'unknown system')}, kernel {facts.get('kernel', 'unknown')}")]
    if missing := facts.pop("missing", "").split():
        remedy = f"install them on {name} (Debian: iperf3, iputils-ping, coreutils; a pod needs them in its image)"
        checks.append(Check(name, "tools", f"missing: {', '.join(missing)}", FailureClass.TOOL_MISSING, remedy))
    else:
        checks.append(
            Check(name, "tools", ", ".join(f"{tool} {facts.get(tool, '')}".strip() for tool in sorted(tools)))
        )
    workdir, reasons = facts.pop("workdir", None), facts.pop("noworkdir", "")
    if workdir is None:
        detail = f"no directory to write to: {reasons or ', '.join(PLACES)}"
        checks.append(Check(name, "work directory", detail, FailureClass.PERMISSION, "mount an emptyDir at /tmp"))
    if ports:
        checks.append(_port(name, facts.pop("port_taken", None), ports))
    target = Target(endpoint, transport, workdir, facts) if workdir else None
    return checks, facts, target


def _facts(text: str) -> dict[str, str]:
    """What an endpoint says of itself, as NAME=TEXT lines; other lines are passed over.

    Facts end up in reports and in arguments of commands, so they are printable and short. Evidence is a tool's text,
    tabs and all: who reads it (``evidence.read``) makes it printable.
    """
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        evidence = key.startswith(PREFIX)
        if not equals or not _KEY.fullmatch(key.removeprefix(PREFIX)) or not (evidence or value.isprintable()):
            continue
        found[key] = value[: MOST_EVIDENCE if evidence else LONGEST]
        if len(found) == MOST_FACTS:
            break
    return found


def _port(name: str, taken: str | None, ports: set[int]) -> Check:
    listed = ", ".join(str(port) for port in sorted(ports))
    if taken is None:
        return Check(name, "port", f"TCP {listed} free")
    remedy = "end that server if it is yours, or choose another with --port"
    return Check(name, "port", f"TCP {taken} is taken by somebody else's server", FailureClass.PORT_TAKEN, remedy)


def _routes(plan: Plan, targets: Mapping[str, Target]) -> list[tuple[Target, list[tuple[str, str]]]]:
    """For each usable source its destinations as (endpoint name, address)."""
    addresses = {planned.name: planned.address for planned in plan.endpoints}
    wanted: dict[str, dict[str, str]] = {}
    for step in plan.steps:
        if step.source in targets and step.destination in targets:
            wanted.setdefault(step.source, {})[step.destination] = addresses[step.destination]
    return [(targets[source], list(destinations.items())) for source, destinations in wanted.items()]


def _reach(source: Target, destinations: Sequence[tuple[str, str]]) -> Iterable[Check]:
    name = source.endpoint.name
    addresses = tuple(address for _, address in destinations)
    try:
        done = ask(source.transport, script("reach", *addresses, deadline=10 + 5 * len(addresses)))
    except NetbenchError as error:
        return [Check(name, "reaches others", str(error), error.failure, error.remedy)]
    if done.exit_code == 9:
        return [Check(name, "reaches others", "not checked: there is no ping, and no probe of this plan needs it")]
    silent = set(done.text.split())
    bad = [f"{other} ({address})" for other, address in destinations if address in silent]
    if not bad:
        return [Check(name, "reaches others", f"all {len(destinations)} destinations answer ping")]
    remedy = "check routes, security groups and network policies between them (ICMP and the test port)"
    return [Check(name, "reaches others", f"no answer from {', '.join(bad)}", FailureClass.UNREACHABLE, remedy)]


def _versions(plan: Plan, facts: Mapping[str, Mapping[str, str]], failure: FailureClass | None) -> list[Check]:
    """Both ends of every planned flow must run the same iperf3: -P is multi-threaded from 3.16, UDP counts differ."""
    found: dict[tuple[str, str], Check] = {}
    for step in plan.steps:
        ours = facts.get(step.source, {}).get("iperf3")
        theirs = facts.get(step.destination, {}).get("iperf3")
        ends = (min(step.source, step.destination), max(step.source, step.destination))
        if step.server and ours and theirs and ours != theirs and ends not in found:
            detail = f"iperf3 {ours} on {step.source}, {theirs} on {step.destination}"
            remedy = "install the same version on both, or pass --allow-mixed-versions; the report then says so"
            found[ends] = Check(step.source, "same iperf3", detail, failure, remedy)
    return list(found.values())
