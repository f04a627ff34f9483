"""Remote jobs: one implementation for every transport (see ``job.sh`` for the endpoint's half).

A job is started by one long command whose stdout reports readiness, beats and the result. When the link breaks, the
job runs on under its own deadline and the result is fetched again. It is stopped by recorded pid and start time.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from netbench.errors import ConnectionCutError, DeadlineError, OutputLimitError, TransportError
from netbench.model import Completed, FailureClass
from netbench.model.commands import LIMIT
from netbench.probes.failures import brief
from netbench.run.scripts import script
from netbench.transports.base import Transport, ask

LINGER = 120  # seconds a result is kept on the endpoint for another fetch
GRACE = 15.0  # seconds that starting, ending and reporting may take besides the command itself
BEAT = 200  # bytes that one sign of life takes at most
SNAPSHOTS = 512 << 10  # bytes of both snapshots of a machine: some 300 a core, thrice a hundred cores


@dataclass(frozen=True)
class Beat:
    """A sign of life of a running job, about one a second."""

    uptime: float  # seconds since the endpoint's boot
    sent: int | None  # bytes the NIC towards the peer has sent since boot; None where it is not known
    received: int | None


@dataclass(frozen=True)
class JobResult:
    """How a job's command ended: ``status`` is its exit code, or "stopped", or "overdue" for its deadline."""

    status: str
    stdout: bytes
    stderr: bytes
    host: bytes = b""  # snapshots of the machine from right before the command started and right after it ended

    @property
    def completed(self) -> Completed:
        """As a Completed; a command that was ended has -1."""
        return Completed(int(self.status) if self.status.isdecimal() else -1, self.stdout, self.stderr)


class JobGoneError(ConnectionCutError):
    """The endpoint answers, and the job is not there any more: there is nothing to wait for."""


class Job:
    """One command on one endpoint. Every wait has a deadline; ``stop`` may be called at any time, and twice."""

    def __init__(
        self,
        transport: Transport,
        place: str,
        argv: Sequence[str],
        *,
        deadline: float,
        port: int = 0,
        device: str = "",
        on_beat: Callable[[Beat], None] | None = None,
        token: str = "",
        limit: int = LIMIT,
    ) -> None:
        """Start it. ``place``: where its state directory is (see ``state.sh``). ``port``: it is ready when it listens
        on that TCP port. ``device``: the network interface whose counters come with the beats.
        ``token``: 12 hexadecimal digits by which the jobs of one run are found again (see ``new_token``).
        ``limit``: bytes that each of its stdout and stderr may have.
        """
        self.place, self.id = place, f"{token or new_token()}{new_token()}"
        self._transport = transport
        self._limit = 2 * limit + SNAPSHOTS
        self._ends = time.monotonic() + deadline + GRACE
        self._reader = FrameReader(on_beat)
        self._broken: Exception | None = None
        self._over = False
        self._cut = 0.0  # when the session was over, on the monotonic clock
        start = (
            "start",
            place,
            self.id,
            str(round(deadline)),
            str(LINGER),
            f"{port:04X}" if port else "",
            device,
            str(limit),
            *argv,
        )
        self._session = threading.Thread(target=self._attend, args=(start, deadline), daemon=True)
        self._session.start()

    def wait_ready(self, seconds: float) -> bool:
        """True when it listens; False when it ended before. Raises DeadlineError, or TransportError for a lost link."""
        self._reader.wait(lambda reader: reader.ready or reader.result is not None or self._over, seconds)
        if self._reader.ready:
            return True
        if self._reader.result is None and self._broken is not None:
            raise self._broken
        if self._reader.result is None:
            raise DeadlineError(f"not listening after {seconds:g} s", "look at the load of the endpoint")
        return False

    def result(self) -> JobResult:
        """Wait for the end; after a cut, fetch until the job's own deadline and some grace are over.

        Raises JobGoneError as soon as the endpoint says that the job is no more.
        """
        self._reader.wait(lambda reader: reader.result is not None or self._over, self._left)
        if self._reader.result is not None:
            return self._reader.result
        if not self._over:
            raise DeadlineError("the job did not report its end in time", "look at the load of the endpoint")
        if self._broken is not None and not _may_still_run(self._broken):
            raise self._broken
        for attempt in Retrying(
            stop=stop_after_delay(max(self._left, GRACE)),
            wait=wait_fixed(1),
            retry=retry_if_exception(_may_end_well),
            reraise=True,
        ):
            with attempt:
                return self._fetch()
        raise AssertionError("unreachable: the last attempt raises")

    def stop(self) -> None:
        """End what still runs and remove the job's directory there. Raises TransportError when that cannot be told."""
        if self._over and not self.reported and self._broken is not None and _may_still_run(self._broken):
            with suppress(TransportError):  # what cannot be collected must be ended all the same
                self._collect()
        end_job(self._transport, self.place, self.id)
        patience = time.monotonic() + GRACE
        self._session.join(1)
        while self._session.is_alive() and time.monotonic() < patience:
            # it was on its way, and began only after it had been told to end
            end_job(self._transport, self.place, self.id)
            self._session.join(1)

    @property
    def reported(self) -> bool:
        """Whether ``result`` has it at hand."""
        return self._reader.result is not None

    @property
    def _left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _attend(self, start: tuple[str, ...], deadline: float) -> None:
        try:
            limit = self._limit + BEAT * round(deadline + LINGER + GRACE)
            command = script("job", *start, deadline=deadline + LINGER + GRACE, limit=limit)
            done = self._transport.run(command, self._reader.feed)
            if self._reader.result is None:
                said = [brief(line) for line in done.error_text.splitlines()[-1:]] or [f"exit code {done.exit_code}"]
                self._broken = TransportError(
                    f"the job could not start: {said[0]}",
                    "the endpoint needs a writable directory, and sh, sed, setsid, sleep, mkdir, rm, wc, cat, ls",
                    failure=FailureClass.TOOL_MISSING,
                )
        except Exception as error:  # handed to whoever waits
            self._broken = error
        finally:
            self._cut = time.monotonic()
            self._over = True
            self._reader.wake()

    def _collect(self) -> None:
        """End it, and take its result along, for its session is gone."""
        reader = FrameReader()
        command = script("job", "collect", self.place, self.id, deadline=2 * GRACE, limit=self._limit)
        reader.feed(ask(self._transport, command, GRACE).stdout)
        if reader.result is not None:
            self._reader.result = reader.result
            self._reader.wake()

    def _fetch(self) -> JobResult:
        reader = FrameReader()
        command = script("job", "fetch", self.place, self.id, deadline=self._left + GRACE, limit=self._limit)
        done = self._transport.run(command)
        reader.feed(done.stdout)
        if reader.result is not None:
            return reader.result
        words = "the link was cut and the result could not be fetched"
        # without a sign of life it may still be on its way there: the cut and this question may have overtaken it
        begun = self._reader.alive or time.monotonic() > self._cut + GRACE
        if done.stdout.startswith(b"lost") or (begun and done.stdout.startswith(b"gone")):
            raise JobGoneError(f"{words}: its job is no longer there")
        raise ConnectionCutError(f"{words}: no answer about it")


class FrameReader:
    """Reads a job's answer as it comes, in pieces of any size; ``transports/wire.py`` bounds how much that is."""

    def __init__(self, on_beat: Callable[[Beat], None] | None = None) -> None:
        self.alive = False  # it has said anything at all
        self.ready = False
        self.result: JobResult | None = None
        self._on_beat = on_beat
        self._buffer = bytearray()
        self._looked = 0  # bytes of the buffer in which no line ends
        self._frame: tuple[str, int, int, int] | None = None  # status, and the bytes of stdout, stderr and snapshots
        self._changed = threading.Condition()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        with self._changed:
            self._buffer += piece
            at = 0
            while self.result is None and self._frame is None:
                end = self._buffer.find(b"\n", max(at, self._looked))
                if end < 0:
                    self._looked = len(self._buffer)
                    break
                self._take_line(bytes(self._buffer[at:end]))
                at = end + 1
            del self._buffer[:at]
            self._looked = max(0, self._looked - at)
            if self._frame is not None and self.result is None:
                self._take_frame(*self._frame)
            self._changed.notify_all()

    def wait(self, until: Callable[[FrameReader], bool], seconds: float) -> bool:
        """Wait until the condition holds; False when it does not after that many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: until(self), seconds)

    def wake(self) -> None:
        """Let waiters look again."""
        with self._changed:
            self._changed.notify_all()

    def _take_line(self, line: bytes) -> None:
        if frame := re.fullmatch(rb"frame (\w{1,10}) (\d{1,15}) (\d{1,15}) (\d{1,15})", line):
            self._frame = (frame[1].decode(), int(frame[2]), int(frame[3]), int(frame[4]))
        elif line == b"ready":
            self.alive = self.ready = True
        elif beat := re.fullmatch(rb"beat (\d{1,15}\.?\d{0,3}) (\d{1,20}|-) (\d{1,20}|-)", line):
            self.alive = True
            sent, received = (None if text == b"-" else int(text) for text in beat.groups()[1:])
            if self._on_beat:
                self._on_beat(Beat(float(beat[1]), sent, received))

    def _take_frame(self, status: str, out: int, err: int, host: int) -> None:
        size = out + err + host
        if self._buffer[size : size + 4] == b"end\n":
            body = bytes(self._buffer[:size])
            self.result = JobResult(status, body[:out], body[out : out + err], body[out + err :])
            self._buffer.clear()


def new_token() -> str:
    """A run's own: its leases and the directories of its jobs bear it, so that what it leaves is known to be its."""
    return secrets.token_hex(6)


def end_job(transport: Transport, place: str, identity: str) -> None:
    """End a job and remove its directory. Raises TransportError where that cannot be told."""
    done = ask(transport, script("job", "stop", place, identity, deadline=2 * GRACE), GRACE)
    if done.exit_code != 0:
        raise ConnectionCutError(f"job {identity} in {place} could not be cleaned: {done.error_text}")


@dataclass(frozen=True)
class Left:
    """A job's directory on an endpoint. ``state``: running, ended, or unknown without a record."""

    state: str
    place: str
    id: str

    def __str__(self) -> str:
        return f"job {self.id} in {self.place}"


def find_jobs(transport: Transport, places: Sequence[str], token: str = "") -> list[Left]:
    """The user's own job directories in these places; with a ``token`` only those of that run."""
    done = transport.run(script("job", "find", " ".join(places), deadline=2 * GRACE))
    if done.exit_code != 0:
        raise TransportError(f"job directories cannot be listed: {done.error_text}", failure=FailureClass.TOOL_FAILED)
    found = re.findall(r"^job (\w+) (/[^\s]*|~) ([0-9a-f]{24})$", done.text, re.MULTILINE)
    return [Left(*one) for one in found if one[2].startswith(token)]


def _may_end_well(error: BaseException) -> bool:
    return isinstance(error, TransportError) and not isinstance(error, JobGoneError | OutputLimitError)


def _may_still_run(error: Exception) -> bool:
    return isinstance(error, ConnectionCutError | DeadlineError)
