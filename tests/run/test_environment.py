"""What may have changed between two sessions of a run."""

from __future__ import annotations

from dataclasses import replace

from netbench.model import Attestation, Endpoint, EndpointFacts, FailureClass, LocalAccess, Verdict
from netbench.run import environment
from tests.run.test_runner import make_plan

PLAN = make_plan()
THERE = {planned.name: Endpoint(planned.name, planned.kind, planned.node, planned.address, LocalAccess())
         for planned in PLAN.endpoints}  # fmt: skip
FACTS = {"kernel": "6.1", "iperf3": "3.12", "mac": "02:00:00:00:00:01"}


def facts(**changes: str) -> tuple[EndpointFacts, ...]:
    return (EndpointFacts("a", {**FACTS, **changes}), EndpointFacts("b", FACTS))


def test_nothing_changed() -> None:
    assert list(environment.changes(PLAN, {}, facts(), facts())) == []
    assert environment.missing(PLAN, THERE) == []
    assert environment.moved(PLAN, THERE) == {}


def test_what_an_endpoint_is_must_be_as_it_was_but_not_its_mac() -> None:
    now = facts(kernel="6.12", mac="02:00:00:00:00:09")
    assert list(environment.changes(PLAN, {}, facts(), now)) == ["a: kernel was 6.1, is 6.12"]


def test_a_tool_that_has_gone_is_a_change_and_an_endpoint_that_was_not_seen_is_none() -> None:
    now = (EndpointFacts("a", {"kernel": "6.1"}), EndpointFacts("b", {}))
    assert list(environment.changes(PLAN, {}, facts(), now)) == ["a: iperf3 was 3.12, is unknown"]


def test_an_endpoint_that_is_gone_or_another_one_is_a_failed_check() -> None:
    now = {"a": replace(THERE["a"], kind="terway")}
    gone, other = sorted(environment.missing(PLAN, now), key=lambda check: check.endpoint, reverse=True)
    assert (gone.endpoint, gone.failure) == ("b", FailureClass.NOT_READY)
    assert (other.endpoint, other.failure) == ("a", FailureClass.VERSION_MISMATCH)
    assert "kind was host, is terway" in other.detail


def test_steps_that_are_not_done_go_to_the_new_address() -> None:
    step = PLAN.steps[0]
    now = {**THERE, step.destination: replace(THERE[step.destination], address="198.18.0.77")}
    new = environment.moved(PLAN, now)
    assert new == {step.destination: "198.18.0.77"}
    plan = environment.readdressed(PLAN, new, frozenset())
    old = THERE[step.destination].address
    assert plan.steps[0].client == tuple("198.18.0.77" if word == old else word for word in step.client)
    assert environment.readdressed(PLAN, new, frozenset({step.id})).steps[0] == step
    told = list(environment.changes(PLAN, new, facts(), facts()))
    assert told == [f"{step.destination}: address was {old}, is 198.18.0.77"]


def test_another_datapath_is_told() -> None:
    before = Attestation(
        "a", Verdict.PROVEN, datapath="veth", evidence={"gateway": "169.254.1.1", "interface": "eth0@5"}
    )
    now = replace(before, datapath="eni", evidence={"gateway": "198.18.0.253", "interface": "eth0@9"})
    assert list(environment.shown_otherwise([before], [before])) == []
    assert list(environment.shown_otherwise([before], [now])) == [
        "a: datapath was veth, is eni",
        "a: gateway was 169.254.1.1, is 198.18.0.253",
    ]
    assert list(environment.shown_otherwise([], [now])) == []
