"""The nodes of a campaign for one run alone, and what dead runs left on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from netbench.campaign import Campaign, Request, read_inventory
from netbench.model import Endpoint, FailureClass, PodAccess
from netbench.run import clean as cleaning
from netbench.run.check import Check
from netbench.run.leases import Leases, Survey
from netbench.run.lock import locked
from netbench.run.lockplaces import lock_group
from netbench.transports.pool import Pool


@contextmanager
def leased(campaign: Campaign, connections: Pool, token: str = "") -> Iterator[Leases]:
    """The campaign's nodes for this run alone: the lock of this machine, and leases on every endpoint of theirs.

    ``token``: of a run that is resumed, whose own leases do not keep it out.
    Raises LockedError, which says who holds one, since when and until when; then nothing is held. Where the request
    says to keep going, nodes that another run holds are in ``lost``. Endpoints that cannot be leased: ``missing``.
    """
    endpoints = _of_nodes(campaign)
    group = lock_group(campaign.inventory.settings)
    with locked((endpoint.address for endpoint in endpoints), group=group):
        leases = _leases(endpoints, connections, token, campaign.request.keep_going)
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
    """Who uses the campaign's nodes now, and where a lease could be made; takes nothing.

    Endpoints that do not answer at all are left to ``check``.
    """
    endpoints = _of_nodes(campaign)
    leases = _leases(endpoints, connections)
    found, _ = leases.look()
    rows = [row for name, survey in found.items() for row in _lease_rows(name, survey)]
    hosts = {one.node for one in endpoints if not isinstance(one.access, PodAccess)}
    detail = "guarded in these pods only: a run that comes by its host or by other pods is not seen"
    return (*rows, *(Check(node, "lease", detail) for node in sorted({one.node for one in endpoints} - hosts)))


def _lease_rows(name: str, survey: Survey) -> list[Check]:
    if busy := survey.binding:
        remedy = "wait until its run ends or the lease expires; bench exits 75 until then"
        return [Check(name, "lease", f"held by {busy}", FailureClass.BUSY, remedy)]
    if not survey.place:
        remedy = "make one of these places writable there, with room in it"
        return [Check(name, "lease", f"none could be made: {survey.reasons}", FailureClass.PERMISSION, remedy)]
    rows = [Check(name, "lease", "free")]
    if survey.odd:
        rows.append(Check(name, "lease", f"passed over: {survey.odd[0]}", warns=True))
    if survey.others:
        detail = f"{len(survey.others)} leases of other users, which keep no run of yours out: {survey.others[0]}"
        rows.append(Check(name, "lease", detail, warns=True))
    return rows


def clean(
    request: Request, connections: Pool, *, dry_run: bool = False, force: bool = False
) -> tuple[cleaning.Found, ...]:
    """Find and remove what dead runs left on the endpoints of an inventory; with ``dry_run`` only look."""
    endpoints = read_inventory(request, connections).endpoints
    return cleaning.clean(endpoints, lambda endpoint: connections.get(endpoint.access), dry_run=dry_run, force=force)


def _leases(endpoints: Sequence[Endpoint], connections: Pool, token: str = "", keep_going: bool = False) -> Leases:
    return Leases(
        {endpoint.name: connections.get(endpoint.access) for endpoint in endpoints},
        nodes={endpoint.name: endpoint.node for endpoint in endpoints},
        keep_going=keep_going,
        token=token,
    )


def _of_nodes(campaign: Campaign) -> list[Endpoint]:
    """Every usable endpoint of the nodes a campaign touches, in its plan or not: each is a door another run may use."""
    nodes = {planned.node for planned in campaign.plan.endpoints}
    return [one for one in campaign.inventory.endpoints if one.node in nodes and not one.not_ready]
