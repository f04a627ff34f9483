"""What is tried again, after how long, and how much a run spends on it."""

from __future__ import annotations

import pytest

from netbench.errors import ConnectionCutError
from netbench.model import Endpoint, FailureClass, LocalAccess, Outcome
from netbench.run.lifecycle import Target
from netbench.run.retries import POLICY, Health, RetryPolicy
from netbench.transports.base import LOOK
from netbench.transports.fake import FakeTransport, JobReply, Reply
from tests.run.test_runner import make_plan, world

BUSY = JobReply(b'{"error": "the server is busy running a test. try again later"}')


def test_a_run_spends_no_more_than_its_budget() -> None:
    w = world(BUSY)
    assert w.run(make_plan(6)) == "partial"
    assert len(w.journal.records) == 6 + RetryPolicy().budget(6)
    assert w.left == 0


def test_the_wait_doubles_and_only_so_many_attempts_are_made() -> None:
    w = world(BUSY)
    assert w.run() == "partial"
    assert [record.attempt for record in w.journal.records] == [1, 2, 3]
    assert w.pauses == [5.0, 10.0]


@pytest.mark.parametrize("failure", [each for each in FailureClass if each not in POLICY])
def test_what_does_not_pass_by_itself_is_not_tried_again(failure: FailureClass) -> None:
    assert RetryPolicy().again(Outcome(failure, "why"), 1) is None


def test_an_endpoint_is_dead_after_failures_in_a_row_and_alive_when_it_answers_again() -> None:
    replies = {LOOK: Reply(error=ConnectionCutError("gone"))}
    host = Endpoint("b", "host", "b", "198.18.0.9", LocalAccess())
    (step,) = make_plan().steps
    there = Target(host, FakeTransport(replies={LOOK: Reply()}), "/tmp")
    health = Health({"a": there, "b": Target(host, FakeTransport(replies=replies), "/tmp")}, 2)
    cut = Outcome(FailureClass.CONNECTION_CUT, "cut")
    for outcome in (cut, Outcome(), cut):  # a success in between: not in a row
        health.note(step, outcome)
    assert health.reason(step) is None
    health.note(step, cut)
    reason = health.reason(step)
    assert reason is not None
    assert reason.reason.startswith("b does not answer")
    replies[LOOK] = Reply()
    health.look_again()
    assert health.reason(step) is None
