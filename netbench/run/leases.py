"""Leases: one run at a time on a node, whichever bastion or user it comes from (see ``lease.sh`` for the node's half).

Every endpoint of a node that the inventory knows is leased, hosts and pods alike, used by the plan or not: so runs meet
that come to a node by different doors, as long as one of the doors is known to both. A lease expires by itself, on the
node's own clock. It is renewed between waves and only when the next wave would outlast it.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from netbench.errors import (
    AuthError,
    HostKeyError,
    LockedError,
    NetbenchError,
    PreflightError,
    TransportError,
    UnreachableError,
)
from netbench.model import Command, FailureClass
from netbench.run.jobs import new_token
from netbench.transports.base import Transport, ask

PLACES = ("/run/lock", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - every user of a node must come to the same one
AT_ONCE = 16  # endpoints asked at the same time: key exchanges and kubectl starts are what loads the bastion
MARGIN = 90.0  # seconds a wave may take besides its steps' own: starting, fetching after a cut, stopping
TERM = 150.0  # seconds a lease is good for beyond that; a renewal every few minutes is nothing, and so is this wait
DEADLINE = 30.0  # seconds for one endpoint's answer
PARTING = 10.0  # seconds after which no endpoint is asked again to give its lease back


_NEVER_THERE = (UnreachableError, AuthError, HostKeyError)  # the command did not arrive, so nothing was taken


@dataclass(frozen=True)
class Lease:
    """One lease as its endpoint tells it. ``state``: held (by who asked), busy (by another), live, or expired."""

    state: str
    age: float  # seconds since it was taken
    left: float  # seconds until it expires
    own: bool  # the record belongs to the user who looked
    token: str  # names the run
    holder: str  # who that is, in words; from outside

    def __str__(self) -> str:
        since = datetime.now(timezone.utc) - timedelta(seconds=self.age)
        return (
            f"{self.holder}, since {since:%Y-%m-%d %H:%M:%S} UTC ({self.age:.0f} s ago); "
            f"expires in {self.left:.0f} s unless renewed"
        )


class Leases:
    """The leases of one run, on endpoints by name. Not for use by several threads."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        *,
        token: str = "",
        places: Sequence[str] = PLACES,
        margin: float = MARGIN,
        term: float = TERM,
    ) -> None:
        """``token`` is the run's: of a run that is taken up again, whose leases may still be there, or a new one."""
        self.transports = transports
        self._places, self._margin, self._term = places, margin, term
        self.token = token or new_token()
        self._holder = holder()
        self._ends = 0.0  # when the first of them may expire, on the clock of _now
        self._missing: dict[str, NetbenchError] = {}

    @property
    def missing(self) -> Mapping[str, NetbenchError]:
        """Endpoints that no lease could be taken on, with the reason: they are not guarded."""
        return self._missing

    def take(self) -> None:
        """Take all. Raises LockedError where another run holds one; the caller releases what was taken."""
        # the first alone: of two runs that come at once to the same nodes, one gets past it
        names = sorted(self.transports)
        self._take(names[:1], self._margin + self._term)
        self._take(names[1:], self._margin + self._term)

    def look(self) -> dict[str, Lease | None]:
        """The live lease of each endpoint that answers, None where there is none; takes nothing."""
        found, _ = _each(lambda name: list_leases(self.transports[name], self._places), sorted(self.transports))
        return {name: next((lease for lease in found[name] if lease.state == "live"), None) for name in sorted(found)}

    def require(self, names: Collection[str]) -> None:
        """See that these endpoints are leased; raises PreflightError where one is not, LockedError as ``take``."""
        self._take([name for name in names if name in self._missing], self._ends - _now())
        for name in names:
            if name in self._missing:
                raise PreflightError(f"{name}: no lease: {self._missing[name]}", self._missing[name].remedy)

    def name(self, run: str) -> None:
        """Say which run it is, from the next renewal on."""
        self._holder = f"{holder()}, run {_line(run)}"
        self._ends = 0.0

    def hold(self, seconds: float) -> None:
        """Before a wave of that many seconds: renew, unless the leases last beyond it. Raises LockedError where another
        run has taken one over. An endpoint that cannot be reached is left to its steps to fail on.
        """
        if _now() + seconds + self._margin > self._ends:
            self._ends = float("inf")
            self._take(sorted(self.transports), seconds + self._margin + self._term)

    def release(self) -> None:
        """Give all back. What cannot be reached within some seconds expires by itself."""
        away = {name for name, error in self._missing.items() if isinstance(error, _NEVER_THERE)}
        left = set(self.transports) - away

        def drop() -> bool:
            _, missing = _each(lambda name: self._ask(name, "drop"), sorted(left))
            left.intersection_update(missing)
            return bool(left)

        patience = stop_after_delay(PARTING)
        Retrying(
            stop=patience, wait=wait_fixed(1), retry=retry_if_result(bool), retry_error_callback=lambda last: None
        )(drop)

    def _take(self, names: Iterable[str], seconds: float) -> None:
        asked = _now()
        arguments = (str(max(1, round(seconds))), self._holder)
        taken, missing = _each(lambda name: self._ask(name, "take", *arguments), names)
        for name in taken:
            self._missing.pop(name, None)
        self._missing.update(missing)
        self._ends = min(self._ends or float("inf"), asked + seconds)
        busy = {name: leases[0] for name, leases in taken.items() if leases[0].state != "held"}
        if busy:
            name, lease = next(iter(busy.items()))
            more = f" (and {len(busy) - 1} more endpoints)" if len(busy) > 1 else ""
            raise LockedError(
                f"another run uses {name}{more}: {lease}",
                "wait for it; if it died, wait until its lease expires, or see: netbench clean --dry-run",
            )

    def _ask(self, name: str, verb: str, *arguments: str) -> tuple[Lease, ...]:
        answer = _run(self.transports[name], verb, self._places, self.token, *arguments)
        if verb == "take" and not answer:
            raise TransportError("the endpoint gave no answer about its lease", failure=FailureClass.PARSE)
        return answer


def list_leases(transport: Transport, places: Sequence[str] = PLACES) -> tuple[Lease, ...]:
    """Every lease an endpoint holds, live or expired. Raises TransportError."""
    return _run(transport, "list", places)


def drop_lease(transport: Transport, token: str, places: Sequence[str] = PLACES) -> None:
    """Remove the records of that run. Raises TransportError."""
    _run(transport, "drop", places, token)


def holder() -> str:
    """Who asks: user@machine, pid."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        user = f"uid {os.getuid()}"
    return _line(f"{user}@{socket.gethostname()}, pid {os.getpid()}")


def _now() -> float:
    """Seconds that also pass while this machine sleeps, as they do for the nodes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _line(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text)[:200]


def _each(
    answer: Callable[[str], tuple[Lease, ...]], names: Iterable[str]
) -> tuple[dict[str, tuple[Lease, ...]], dict[str, NetbenchError]]:
    """Ask endpoints at the same time: the answers, and the errors, by name."""
    answers: dict[str, tuple[Lease, ...]] = {}
    errors: dict[str, NetbenchError] = {}

    def one(name: str) -> None:
        try:
            answers[name] = answer(name)
        except NetbenchError as error:
            errors[name] = error

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lease") as pool:
        for _ in pool.map(one, names):
            pass
    return answers, errors


def _run(transport: Transport, verb: str, places: Sequence[str], *arguments: str) -> tuple[Lease, ...]:
    argv = ("sh", "-c", _script(), "netbench-lease", verb, " ".join(places), *arguments)
    done = ask(transport, Command(argv, deadline=DEADLINE))  # a lease that is taken twice is taken
    if done.exit_code != 0:
        said = done.error_text.splitlines()[-1:] or [f"exit code {done.exit_code}"]
        raise TransportError(
            f"no lease could be looked at or made: {said[0]}",
            f"make one of {', '.join(places)} writable there",
            failure=FailureClass.PERMISSION,
        )
    pattern = r"^netbench lease (\w+) (\d+) (\d+) ([01]) (\S+) (.*)$"
    return tuple(
        Lease(state, float(age), float(left), own == "1", token, who[:300])
        for state, age, left, own, token, who in re.findall(pattern, done.text, re.MULTILINE)
    )


@cache
def _script() -> str:
    return files("netbench.run").joinpath("lease.sh").read_text(encoding="utf-8")
