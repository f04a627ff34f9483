"""Finds and removes what dead runs left on endpoints: by recorded identity, never by a process's name.

Ours are directories called netbench- and 24 hexadecimal digits that belong to the user who looks and hold a job's
record (pid and start time), and expired leases of that user. While a lease is live, what lies there belongs to a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from netbench.errors import NetbenchError
from netbench.model import Endpoint
from netbench.run.jobs import end_job, find_jobs
from netbench.run.leases import AT_ONCE, PLACES, Lease, drop_lease, list_leases
from netbench.transports.base import Transport

WORKPLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - where preflight finds room for jobs


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
    workplaces: Sequence[str] = WORKPLACES,
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
            return [*sweep.jobs(workplaces), *sweep.leases()]
        except NetbenchError as error:
            return [Found(endpoint.name, "endpoint", "not looked at", str(error), failed=True)]

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="clean") as pool:
        return tuple(found for several in pool.map(one, endpoints) for found in several)


class _Sweep:
    """One endpoint."""

    def __init__(self, name: str, transport: Transport, places: Sequence[str], dry_run: bool, force: bool) -> None:
        self._name, self._transport, self._places = name, transport, places
        self._dry_run, self._force = dry_run, force
        self._leases = list_leases(transport, places)

    def jobs(self, workplaces: Sequence[str]) -> Iterator[Found]:
        live = next((lease for lease in self._leases if lease.state == "live"), None)
        for state, directory in find_jobs(self._transport, workplaces):
            if state == "unknown":
                yield Found(self._name, directory, "without a job's record", "left alone: remove it if it is yours")
            elif live is not None and not self._force:
                yield self._in_use(directory, f"job, {state}", live)
            else:
                yield self._remove(directory, f"job, {state}", partial(end_job, self._transport, directory))

    def leases(self) -> Iterator[Found]:
        for lease in self._leases:
            if lease.state == "expired" and not lease.own:
                continue
            what = f"lease {lease.token}"
            if lease.own and (lease.state == "expired" or self._force):
                state = f"{lease.state}, of {lease.holder}"
                yield self._remove(what, state, partial(drop_lease, self._transport, lease.token, self._places))
            else:
                yield self._in_use(what, "live", lease)

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
