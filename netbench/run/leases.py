"""Leases: one run at a time on a node, whichever bastion it comes from (see ``lease.sh`` for the node's half).

Every endpoint of a node that the inventory knows is leased, hosts and pods alike, used by the plan or not: so runs meet
that come to a node by different doors, as long as one of the doors is known to both. A lease binds runs of the same
remote user, and one of root's binds everybody's: those of other users are told, and not obeyed. It expires by itself,
on the node's own clock. It is renewed between waves and only when the next wave would outlast it.
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
from typing import TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from netbench.errors import (
    AuthError,
    HostKeyError,
    LockedError,
    LoginShellError,
    NetbenchError,
    PreflightError,
    TransportError,
    UnreachableError,
)
from netbench.model import Completed, FailureClass, Outcome
from netbench.run.jobs import new_token
from netbench.run.scripts import PLACES, script
from netbench.transports.base import Transport, ask

AT_ONCE = 16  # endpoints asked at the same time: key exchanges and kubectl starts are what loads the bastion
MARGIN = 90.0  # seconds a wave may take besides its steps' own: starting, fetching after a cut, stopping
TERM = 150.0  # seconds a lease is good for beyond that; a renewal every few minutes is nothing, and so is this wait
LONGEST = 21600.0  # seconds that a lease may be good for; lease.sh believes no more
DEADLINE = 30.0  # seconds for one endpoint's answer
PARTING = 10.0  # seconds after which no endpoint is asked again to give its lease back

T = TypeVar("T")

# the command did not arrive, so nothing was taken
_NEVER_THERE = (UnreachableError, AuthError, HostKeyError, LoginShellError)
BINDS = ("live", "unreadable")  # states of leases that keep others out


@dataclass(frozen=True)
class Lease:
    """One lease as its endpoint tells it.

    ``state``: held (by who asked), busy (by another), live, expired, broken (no record of netbench's), or unreadable.
    """

    state: str
    age: float  # seconds since it was taken
    left: float  # seconds until it expires
    uid: str  # whose record it is
    token: str  # names the run
    place: str  # where it is kept
    holder: str  # who that is, in words; from outside

    def __str__(self) -> str:
        since = datetime.now(timezone.utc) - timedelta(seconds=self.age)
        return (
            f"{self.holder}, since {since:%Y-%m-%d %H:%M:%S} UTC ({self.age:.0f} s ago); "
            f"expires in {self.left:.0f} s unless renewed"
        )


@dataclass(frozen=True)
class Survey:
    """What an endpoint tells of leases."""

    leases: tuple[Lease, ...]
    me: str = ""  # uid of who looked
    place: str = ""  # where one would be made; "" where none can be
    reasons: str = ""  # why none can be made
    others: tuple[str, ...] = ()  # leases of users who bind nobody but themselves, in words
    odd: tuple[
        str, ...
    ] = ()  # what stands in the place of a state directory and is not trusted, in words; from outside

    @property
    def binding(self) -> Lease | None:
        """The first that keeps a run out."""
        return next((lease for lease in self.leases if lease.state in BINDS), None)


class Leases:
    """The leases of one run, on endpoints by name. Not for use by several threads, but for ``lost``."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        *,
        nodes: Mapping[str, str] | None = None,
        keep_going: bool = False,
        token: str = "",
        places: Sequence[str] = PLACES,
        margin: float = MARGIN,
        term: float = TERM,
    ) -> None:
        """``nodes``: the node of each endpoint (left out: each is one of its own). ``keep_going``: a busy node is lost
        to this run, and ends it only where it is the last. ``token`` is the run's: of a run that is resumed, whose
        leases may still be there, or a new one.
        """
        self.transports = transports
        self._nodes = nodes or {name: name for name in transports}
        self._keep_going = keep_going
        self._places, self._margin, self._term = places, margin, term
        self.token = token or new_token()
        self._holder = holder()
        self._ends = 0.0  # when the first of them may expire, on the clock of _now
        self._missing: dict[str, NetbenchError] = {}
        self.lost: dict[str, Outcome] = {}  # endpoints of nodes that this run may not use (any more), with the reason

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

    def look(self) -> tuple[dict[str, Survey], dict[str, NetbenchError]]:
        """What the endpoints tell, and the errors of those that do not; takes nothing."""
        return _each(lambda name: list_leases(self.transports[name], self._places), sorted(self.transports))

    def require(self, names: Collection[str]) -> None:
        """See that these endpoints are leased; raises PreflightError where one is not, LockedError as ``take``."""
        self._take([name for name in names if name in self._missing], self._ends - _now())
        for name in names:
            if error := self._missing.get(name):
                if not self._keep_going:
                    raise PreflightError(f"{name}: no lease: {error}", error.remedy)
                remedy = f"; {error.remedy}" if error.remedy else ""
                # this endpoint alone: that it has no room, or lies, is no sign of another run on its node
                self.lost.setdefault(name, Outcome(error.failure, f"no lease: {error}{remedy}"))
        if names and all(name in self.lost for name in names):
            raise PreflightError("no endpoint could be leased; nothing was run", "see the reasons above")

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
            self._take(sorted(self.transports.keys() - self.lost.keys()), seconds + self._margin + self._term)

    def release(self) -> None:
        """Give all back. What cannot be reached within some seconds expires by itself."""
        away = {name for name, error in self._missing.items() if isinstance(error, _NEVER_THERE)}
        left = set(self.transports) - away

        def drop() -> bool:
            _, missing = _each(lambda name: drop_lease(self.transports[name], self.token, self._places), sorted(left))
            left.intersection_update(missing)
            return bool(left)

        patience = stop_after_delay(PARTING)
        Retrying(
            stop=patience, wait=wait_fixed(1), retry=retry_if_result(bool), retry_error_callback=lambda last: None
        )(drop)

    def _take(self, names: Iterable[str], seconds: float) -> None:
        asked, seconds = _now(), min(max(1.0, seconds), LONGEST)
        taken, missing = _each(lambda name: self._ask(name, seconds), names)
        for name in taken:
            self._missing.pop(name, None)
        self._missing.update(missing)
        self._ends = min(self._ends or float("inf"), asked + seconds)
        busy = {name: lease for name, lease in taken.items() if lease.state != "held"}
        for name, lease in busy.items():
            self._lose(name, Outcome(FailureClass.BUSY, f"another run uses {name}: {lease}"))
        if busy and not (self._keep_going and self.transports.keys() - self.lost.keys()):
            name, lease = next(iter(busy.items()))
            more = f" (and {len(busy) - 1} more endpoints)" if len(busy) > 1 else ""
            raise LockedError(
                f"another run uses {name}{more}: {lease}",
                "wait for it; if it died, wait until its lease expires, or see: netbench clean --dry-run; --keep-going "
                "measures the other nodes",
            )

    def _lose(self, name: str, why: Outcome) -> None:
        """All of its node: two tests must not share one."""
        for other, node in self._nodes.items():
            if node == self._nodes[name]:
                self.lost.setdefault(other, why)

    def _ask(self, name: str, seconds: float) -> Lease:
        done = _run(self.transports[name], "take", self._places, self.token, str(round(seconds)), self._holder)
        found = _read(done.text).leases
        if not found:
            raise TransportError("the endpoint gave no answer about its lease", failure=FailureClass.PARSE)
        return found[0]


def list_leases(transport: Transport, places: Sequence[str] = PLACES) -> Survey:
    """Every lease an endpoint holds, and where one would be made. Raises TransportError."""
    return _read(_run(transport, "list", places).text)


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


def _each(answer: Callable[[str], T], names: Iterable[str]) -> tuple[dict[str, T], dict[str, NetbenchError]]:
    """Ask endpoints at the same time: the answers, and the errors, by name."""
    answers: dict[str, T] = {}
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


def _run(transport: Transport, verb: str, places: Sequence[str], *arguments: str) -> Completed:
    # a lease that is taken twice is taken
    done = ask(transport, script("lease", verb, " ".join(places), *arguments, deadline=DEADLINE))
    if done.exit_code != 0:
        why = _read(done.text).reasons or done.error_text or f"exit code {done.exit_code}"
        raise TransportError(
            f"no lease could be made: {why[:500]}",
            f"make one of {', '.join(places)} writable there, with room in it",
            failure=FailureClass.PERMISSION,
        )
    return done


_LEASE = re.compile(r"^lease ([a-z]+) (\d{1,10}) (\d{1,10}) (\d{1,10}) ([0-9a-f]{1,64}) (\S+) (.*)$")


def _read(text: str) -> Survey:
    leases, others, odd, told = [], [], [], {"me": "", "place": "", "noplace": ""}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if match := _LEASE.match(line):
            state, age, left, uid, token, place, who = match.groups()
            leases.append(Lease(state, float(age), float(left), uid, token, place, who[:300]))
        elif word in told:
            told[word] = rest[:1000]
        elif word == "other" and len(parts := rest.split()) == 3:
            others.append(f"lease {parts[2]} of uid {parts[0]} in {parts[1]}")
        elif word == "odd":
            odd.append(rest[:300])
    return Survey(tuple(leases), told["me"], told["place"], told["noplace"], tuple(others), tuple(odd))
