"""Whether a run that is resumed still measures the same things: pure comparison of then and now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from netbench.model import Attestation, Endpoint, EndpointFacts, FailureClass, Plan, Step
from netbench.run.check import Check

WHAT = "same environment"
#: What a pod's datapath is known by. Indexes and names of interfaces are others whenever a pod is made anew.
SHOWN = ("link type", "prefix", "gateway", "qdisc")
#: Facts that name a piece of hardware rather than say what it is like: a virtual one is made anew under another name.
INCIDENTAL = frozenset({"mac"})
_NEW_RUN = "a resumed run cannot tell them apart: begin a new one with bench"


def missing(plan: Plan, endpoints: Mapping[str, Endpoint]) -> list[Check]:
    """Endpoints of the plan that cannot be what they were: gone, or of another kind or node. Nothing allows that."""
    found = []
    for planned in plan.endpoints:
        now = endpoints.get(planned.name)
        if now is None:
            remedy = "put it back, name the inventory with --inventory, or pass --keep-going to measure the rest"
            detail = "the inventory no longer has this endpoint"
            found.append(Check(planned.name, WHAT, detail, FailureClass.NOT_READY, remedy))
            continue
        for word, before, after in (("kind", planned.kind, now.kind), ("node", planned.node, now.node)):
            if before != after:
                detail = f"{word} was {before}, is {after}"
                found.append(Check(planned.name, WHAT, detail, FailureClass.VERSION_MISMATCH, _NEW_RUN))
    return found


def moved(plan: Plan, endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """Endpoint -> new address, for those that have another than planned (a pod made anew)."""
    return {
        planned.name: endpoints[planned.name].address
        for planned in plan.endpoints
        if planned.name in endpoints and endpoints[planned.name].address != planned.address
    }


def changes(
    plan: Plan, new: Mapping[str, str], before: Sequence[EndpointFacts], now: Sequence[EndpointFacts]
) -> Iterator[str]:
    """What differs, such as "ecs-01: kernel was 5.10, is 6.1". Endpoints that could not be looked at are left out."""
    for planned in plan.endpoints:
        if planned.name in new:
            yield f"{planned.name}: address was {planned.address}, is {new[planned.name]}"
    then = {facts.endpoint: facts.facts for facts in before}
    for facts in now:
        old = then.get(facts.endpoint)
        if not old or not facts.facts:
            continue
        for name in (name for name in dict.fromkeys((*old, *facts.facts)) if name not in INCIDENTAL):
            was, is_now = old.get(name, "unknown"), facts.facts.get(name, "unknown")
            if was != is_now:
                yield f"{facts.endpoint}: {name} was {was}, is {is_now}"


def shown_otherwise(before: Sequence[Attestation], now: Sequence[Attestation]) -> Iterator[str]:
    """What endpoints show of their kinds that they did not show then. Those attested only once are left out."""
    then = {attestation.endpoint: attestation for attestation in before}
    for attestation in now:
        old = then.get(attestation.endpoint)
        if old is None:
            continue
        pairs = [("verdict", old.verdict.value, attestation.verdict.value)]
        pairs += [("datapath", old.datapath or "unknown", attestation.datapath or "unknown")]
        pairs += [
            (name, old.evidence[name], attestation.evidence[name])
            for name in SHOWN
            if name in old.evidence and name in attestation.evidence
        ]
        for word, was, is_now in pairs:
            if was != is_now:
                yield f"{attestation.endpoint}: {word} was {was}, is {is_now}"


def readdressed(plan: Plan, new: Mapping[str, str], done: frozenset[str]) -> Plan:
    """The plan with the new addresses, in every step that is not done yet."""
    old = {planned.name: planned.address for planned in plan.endpoints}

    def change(step: Step) -> Step:
        if step.id in done or step.destination not in new:
            return step
        then, now = old[step.destination], new[step.destination]

        def swapped(words: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(now if word == then else word for word in words)

        server = step.server and replace(step.server, bind=swapped(step.server.bind))
        return replace(step, client=swapped(step.client), server=server)

    return replace(
        plan,
        endpoints=tuple(replace(planned, address=new.get(planned.name, planned.address)) for planned in plan.endpoints),
        steps=tuple(change(step) for step in plan.steps),
    )
