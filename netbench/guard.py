"""The nodes of a campaign for one run alone, and what dead runs left on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from netbench.campaign import Campaign, Request, read_inventory
from netbench.model import Endpoint, FailureClass, PodAccess
from netbench.run import clean as cleaning
from netbench.run.check import Check
from netbench.run.leases import Leases
from netbench.run.lock import locked
from netbench.run.lockplaces import lock_group
from netbench.transports.pool import Pool


@contextmanager
def leased(campaign: Campaign, connections: Pool, token: str = "") -> Iterator[Leases]:
    """The campaign's nodes for this run alone: the lock of this machine, and leases on every endpoint of theirs.

    ``token``: of a run that is taken up again, whose own leases do not keep it out.
    Raises LockedError, which says who holds one, since when and until when; then nothing is held. Endpoints that cannot
    be leased are in ``missing``.
    """
    endpoints = _of_nodes(campaign)
    group = lock_group(campaign.inventory.settings)
    with locked((endpoint.address for endpoint in endpoints), group=group):
        leases = _leases(endpoints, connections, token)
        try:
            leases.take()
            yield leases
        finally:
            try:
                leases.release()
            except KeyboardInterrupt:  # the only one: those after it are passed over
                leases.release()
                raise


def lease_checks(campaign: Campaign, connections: Pool) -> tuple[Check, ...]:
    """Who uses the campaign's nodes now; takes nothing. Endpoints that do not answer are left to ``check``."""
    endpoints = _of_nodes(campaign)
    leases = _leases(endpoints, connections)
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


def _leases(endpoints: Iterable[Endpoint], connections: Pool, token: str = "") -> Leases:
    return Leases({endpoint.name: connections.get(endpoint.access) for endpoint in endpoints}, token=token)


def _of_nodes(campaign: Campaign) -> list[Endpoint]:
    """Every usable endpoint of the nodes a campaign touches, in its plan or not: each is a door another run may use."""
    nodes = {planned.node for planned in campaign.plan.endpoints}
    return [one for one in campaign.inventory.endpoints if one.node in nodes and not one.not_ready]
