"""Proves that endpoints are what their labels say: the rules of their kinds, tried on their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from netbench.model import Attestation, AttestationRule, Endpoint, FailureClass, Flag, Plan, Sign, Verdict
from netbench.run import evidence
from netbench.run.check import Check

#: What is shown of every endpoint, where it is known; what its rules look at is added.
SHOWN = (
    "node",
    "zone",
    "interface",
    "link type",
    "peer",
    "mac",
    "address",
    "prefix",
    "gateway",
    "routes",
    "qdisc",
    "qdiscs",
    "mtu",
    "offloads",
)
REMEDY = (
    "correct the pod's label or its network, netbench_attestation, or pass --allow-mislabelled; the report then says so"
)
_SHORT = ("interface", "link type", "mac", "gateway")  # told of those that are proven
_LONG = ("routes", "qdiscs", "offloads")  # not told in a row of the table
_DECIDING = (Sign.MUST, Sign.MUST_NOT)

Rules = Mapping[str, tuple[AttestationRule, ...]]  # by pattern of kinds


def attest(
    plan: Plan,
    endpoints: Mapping[str, Endpoint],
    rules: Rules,
    facts: Mapping[str, Mapping[str, str]],
    seen: Mapping[str, Mapping[str, str]],
) -> tuple[Attestation, ...]:
    """The verdict on every endpoint of the plan that answered; ``facts`` and raw evidence ``seen`` by its name."""
    used = {planned.name: endpoints[planned.name] for planned in plan.endpoints}
    peers = evidence.peers(used, seen)
    found = []
    for planned in plan.endpoints:
        name = planned.name
        if facts[name]:
            known = evidence.read(planned, used[name], facts[name], seen[name], peers.get(name, ""))
            found.append(judge(name, planned.kind, rules, known))
    return tuple(found)


def judge(endpoint: str, kind: str, rules: Rules, known: Mapping[str, str]) -> Attestation:
    """The verdict on one endpoint. Evidence that is missing proves nothing: neither for the kind nor against it."""
    ours = [rule for pattern, listed in rules.items() if fnmatchcase(kind, pattern) for rule in listed]
    deciding = [rule for rule in ours if rule.sign in _DECIDING]
    refuting = [_reason(rule, known) for rule in deciding if _refutes(rule, known.get(rule.evidence))]
    missing = [rule.evidence for rule in deciding if not rule.optional and rule.evidence not in known]
    verdict, reasons = Verdict.PROVEN, refuting
    if refuting:
        verdict = Verdict.MISLABELLED
    elif not deciding:
        verdict = Verdict.NOT_ATTESTED
    elif missing:
        verdict, reasons = Verdict.NOT_PROVEN, [f"{name}: not known" for name in dict.fromkeys(missing)]
    elif not any(rule.evidence in known for rule in deciding):
        verdict, reasons = Verdict.NOT_PROVEN, [f"{name}: not known" for name in dict.fromkeys(_named(deciding))]
    shown = {name: known[name] for name in dict.fromkeys((*SHOWN, *_named(ours))) if name in known}
    told = {sign: [rule for rule in ours if rule.sign is sign and _matches(rule, known)] for sign in Sign}
    return Attestation(
        endpoint,
        verdict,
        tuple(reasons),
        datapath=told[Sign.SHOWS][0].means if told[Sign.SHOWS] else "",
        marks=tuple(_reason(rule, known) for rule in told[Sign.MARKS]),
        evidence=shown,
    )


def checks(attestations: Iterable[Attestation], *, allow: bool) -> list[Check]:
    """A row for each endpoint; one that is mislabelled fails, unless that is allowed."""
    return [_check(attestation, allow) for attestation in attestations]


def flags(plan: Plan, attestations: Iterable[Attestation]) -> dict[str, tuple[Flag, ...]]:
    """What must be said of every number measured at an endpoint, by endpoint."""
    kinds = {planned.name: planned.kind for planned in plan.endpoints}
    found = {}
    for each in attestations:
        marks = [Flag("marked", f"{each.endpoint}: {mark}") for mark in each.marks]
        if each.verdict is Verdict.MISLABELLED:
            detail = f"{each.endpoint} is labelled {kinds[each.endpoint]}, but {'; '.join(each.reasons)}"
            marks.insert(0, Flag(Verdict.MISLABELLED.value, detail))
        if marks:
            found[each.endpoint] = tuple(marks)
    return found


def _check(attestation: Attestation, allow: bool) -> Check:
    name, verdict = attestation.endpoint, attestation.verdict
    parts = [*attestation.reasons, *attestation.marks]
    if verdict is Verdict.MISLABELLED:
        evidence = ", ".join(f"{key} {text}" for key, text in attestation.evidence.items() if key not in _LONG)
        detail = f"not what its label says: {'; '.join(parts)} (evidence: {evidence})"
        failure = None if allow else FailureClass.MISLABELLED
        return Check(name, "attested", detail, failure, REMEDY, note=verdict.value, warns=allow)
    if verdict is Verdict.PROVEN:
        told = [f"{key} {attestation.evidence[key]}" for key in _SHORT if key in attestation.evidence]
        parts.insert(0, ", ".join(told))
    if verdict is Verdict.NOT_ATTESTED:
        parts.insert(0, "no rules for its kind")
    if attestation.datapath:
        parts.append(f"datapath: {attestation.datapath}")
    return Check(name, "attested", "; ".join(parts), note=verdict.value, warns=verdict is Verdict.NOT_PROVEN)


def _refutes(rule: AttestationRule, text: str | None) -> bool:
    return text is not None and (re.search(rule.pattern, text) is None) is (rule.sign is Sign.MUST)


def _matches(rule: AttestationRule, evidence: Mapping[str, str]) -> bool:
    return rule.evidence in evidence and re.search(rule.pattern, evidence[rule.evidence]) is not None


def _reason(rule: AttestationRule, evidence: Mapping[str, str]) -> str:
    return f"{rule.means} ({rule.evidence}: {evidence.get(rule.evidence, '')})"


def _named(rules: Iterable[AttestationRule]) -> Iterable[str]:
    return [rule.evidence for rule in rules]
