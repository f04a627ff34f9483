"""What the composition root adds of its own."""

from __future__ import annotations

from netbench import app
from netbench.model import Cluster, Endpoint, FailureClass, Inventory, LocalAccess, PodAccess
from netbench.transports.fake import FakeTransport, Reply
from netbench.transports.pool import Pool
from tests.run.test_runner import make_plan

BUSY = b"netbench lease live 60 100 0 abc alice@bastion-2, pid 7, run 20260101T000000Z-same\n"


def test_the_check_table_shows_who_uses_a_node_and_what_guards_it() -> None:
    """Nodes a and b are in the plan, c is not; b is known by its pod only, and somebody measures there."""
    pod = PodAccess(Cluster(), "default", "b-pod", "main")
    endpoints = (
        Endpoint("a", "host", "a", "198.18.0.9", LocalAccess()),
        Endpoint("a-pod", "terway", "a", "198.18.0.10", LocalAccess(), not_ready="Pending"),
        Endpoint("b-pod", "terway", "b", "198.18.0.11", pod),
        Endpoint("c", "host", "c", "198.18.0.12", LocalAccess()),
    )
    inventory = Inventory("hosts.yaml", (), endpoints)
    campaign = app.Campaign(app.Request(), inventory, {}, make_plan(), 1.0, ())
    ask = ("sh", "-c")
    ways = {LocalAccess(): FakeTransport({ask: Reply()}), pod: FakeTransport({ask: Reply(BUSY)})}

    class Fakes(Pool):
        get = staticmethod(ways.__getitem__)  # type: ignore[assignment]

    free, busy, guarded = app.lease_checks(campaign, Fakes())
    assert (free.endpoint, free.detail, free.failure) == ("a", "free", None)
    assert (busy.endpoint, busy.failure) == ("b-pod", FailureClass.BUSY)
    assert "held by alice@bastion-2, pid 7, run 20260101T000000Z-same, since " in busy.detail
    assert "(60 s ago); expires in 100 s" in busy.detail
    assert (guarded.endpoint, guarded.failure) == ("b", None)
    assert "in these pods only" in guarded.detail
