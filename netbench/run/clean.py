"""Finds and removes what dead runs left on endpoints: by recorded identity, never by a process's name.

Ours is what lies in the state directory of the user who looks (see ``state.sh``), where nobody else can write: jobs by
their record (pid and start time), and that user's leases that have expired or are no records of netbench's. While a
lease is live, what lies there belongs to a run. What is somebody else's is told, and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from netbench.errors import NetbenchError
from netbench.model import Endpoint
from netbench.run.jobs import end_job, find_jobs
from netbench.run.leases import AT_ONCE, BINDS, Lease, drop_lease, list_leases
from netbench.run.scripts import PLACES
from netbench.transports.base import Transport


@dataclass(frozen=True)
class Found:
    """One thing found. ``state``: what it is; ``done``: removed, found, left alone, or the reason of a failure."""

    endpoint: str
    what: str
    state: str
    done: str
    failed: bool = False
    in_use: bool = False  # it belongs to a live run


def clean(
    endpoints: Iterable[Endpoint],
    connect: Callable[[Endpoint], Transport],
    *,
    dry_run: bool = False,
    force: bool = False,
    places: Sequence[str] = PLACES,
) -> tuple[Found, ...]:
    """Look at every endpoint and remove leftovers; with ``dry_run`` only look. Never raises for one endpoint's failure.

    ``force``: also what belongs to a live run of this user. Others' directories and leases are never touched.
    """

    def one(endpoint: Endpoint) -> list[Found]:
        if endpoint.not_ready:
            return [Found(endpoint.name, "endpoint", f"not looked at: {endpoint.not_ready}", "left alone", failed=True)]
        try:
            transport = connect(endpoint)
            sweep = _Sweep(endpoint.name, transport, places, dry_run, force)
            return [*sweep.jobs(), *sweep.leases()]
        except NetbenchError as error:
            return [Found(endpoint.name, "endpoint", "not looked at", str(error), failed=True)]

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="clean") as pool:
        return tuple(found for several in pool.map(one, endpoints) for found in several)


class _Sweep:
    """One endpoint."""

    def __init__(self, name: str, transport: Transport, places: Sequence[str], dry_run: bool, force: bool) -> None:
        self._name, self._transport, self._places = name, transport, places
        self._dry_run, self._force = dry_run, force
        self._survey = list_leases(transport, places)

    def jobs(self) -> Iterator[Found]:
        live = self._survey.binding
        for job in find_jobs(self._transport, self._places):
            if live is not None and not self._force:
                yield self._in_use(str(job), job.state, live)
            else:
                yield self._remove(str(job), job.state, partial(end_job, self._transport, job.place, job.id))

    def leases(self) -> Iterator[Found]:
        for lease in self._survey.leases:
            what = f"lease {lease.token} in {lease.place}"
            if lease.uid == self._survey.me and (lease.state not in BINDS or self._force):
                state = f"{lease.state}, of {lease.holder}"
                yield self._remove(what, state, partial(drop_lease, self._transport, lease.token, self._places))
            elif lease.state in BINDS:
                yield self._in_use(what, lease.state, lease)
            else:
                yield Found(self._name, what, lease.state, f"left alone: it belongs to uid {lease.uid}")
        for odd in self._survey.odd:
            yield Found(self._name, "state directory", odd, "left alone: remove it if it is nobody's")
        for other in self._survey.others:
            yield Found(self._name, other, "of another user", "left alone: it keeps no run of yours out")

    def _in_use(self, what: str, state: str, lease: Lease) -> Found:
        return Found(self._name, what, state, f"left alone: a run goes on: {lease}", in_use=True)

    def _remove(self, what: str, state: str, remove: Callable[[], None]) -> Found:
        if self._dry_run:
            return Found(self._name, what, state, "would be removed")
        try:
            remove()
        except NetbenchError as error:
            return Found(self._name, what, state, str(error), failed=True)
        return Found(self._name, what, state, "removed")
