"""The life of one step: fresh server, client, everything stopped, raw output kept, parsed, and proven."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from threading import Event
from typing import Protocol

from netbench.errors import NetbenchError, ParseError
from netbench.model import Endpoint, FailureClass, Flag, Measurement, Outcome, Step, StepRecord
from netbench.probes.base import Probe, ProvesServer, output_limit
from netbench.probes.failures import brief, check_size
from netbench.run.jobs import GRACE, LINGER, Beat, Job, JobResult
from netbench.run.presence import has_moved
from netbench.run.serving import served
from netbench.run.snapshots import Activity, activity
from netbench.run.validity import judge
from netbench.transports.base import Transport

NOT_CLEANED = "not-cleaned"  # the flag of a step that could not stop or remove a job
READY = 10.0  # seconds a server may take until it listens


@dataclass(frozen=True)
class Target:
    """An endpoint with the way to it and a place there that can be written to."""

    endpoint: Endpoint
    transport: Transport
    place: str
    facts: Mapping[str, str] = field(default_factory=dict)  # as preflight found them

    @property
    def device(self) -> str:
        """The network interface traffic leaves by, where it is known."""
        return self.facts.get("nic", "")


class Archive(Protocol):
    """Where raw output goes, before it is parsed."""

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> object: ...


class StepFailed(NetbenchError):
    """Ends a step; never leaves this package."""


class StepRun:
    """One attempt at one step. ``run`` blocks; ``cancel`` may be called from another thread and ends it soon."""

    def __init__(
        self,
        step: Step,
        probe: Probe,
        source: Target,
        destination: Target,
        archive: Archive,
        on_progress: Callable[[float, float | None], None],
        attempt: int = 1,
        token: str = "",
    ) -> None:
        self._step, self._probe = step, probe
        self._source, self._destination = source, destination
        self._archive, self._attempt, self._token = archive, attempt, token
        self._on_progress = on_progress
        self._cancelled = Event()
        self._server: Job | None = None
        self._client: Job | None = None
        self._watched: dict[str, Activity | None] = {}
        self._served: JobResult | None = None  # what the server said
        self._lost = ""  # why not

    def run(self) -> StepRecord:
        """Never raises for what a measurement can fail of: that is the record's outcome."""
        started, clock = datetime.now(timezone.utc), time.monotonic()
        measurement = Measurement(samples=())
        outcome = Outcome()
        try:
            self._serve()
            result = self._measure()
            self._check_destination()
        except Exception as error:
            outcome = self._failed(error)
        flags = self._stop()
        if outcome.ok:
            try:
                measurement = judge(self._read(result), self._watched)
            except Exception as error:
                outcome = self._failed(error)
        if flags:
            measurement = replace(measurement, flags=(*measurement.flags, *flags))
        return StepRecord(
            step=self._step.id,
            outcome=outcome,
            attempt=self._attempt,
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - clock, 3),
            measurement=measurement,
        )

    def cancel(self) -> None:
        """End the step: its jobs are stopped, and ``run`` returns a cancelled record."""
        self._cancelled.set()
        if self._client is not None:
            _quietly(self._client.stop)

    def _serve(self) -> None:
        server, target = self._step.server, self._destination
        if server is None:
            return
        seconds = READY + self._step.seconds + GRACE
        self._server = Job(
            target.transport,
            target.place,
            served(server, target.facts),
            deadline=seconds,
            port=server.port,
            device=target.device,
            token=self._token,
            limit=output_limit(self._probe),
        )
        if not self._server.wait_ready(READY):
            raise _server_failure(self._server.result(), server.port, target.endpoint.name)

    def _measure(self) -> JobResult:
        self._check_cancelled()
        source = self._source
        deadline = self._step.seconds + GRACE
        meter = _Meter(self._on_progress)
        self._client = Job(
            source.transport,
            source.place,
            self._step.client,
            deadline=deadline,
            device=source.device,
            on_beat=meter.beat,
            token=self._token,
            limit=output_limit(self._probe),
        )
        self._check_cancelled()
        result = self._client.result()
        self._keep("client", result)
        self._watched["source"] = activity(result.host)
        self._check_cancelled()
        if result.status == "overdue":
            raise StepFailed(
                f"{self._step.client[0]} on {source.endpoint.name} did not end within {deadline:g} s",
                "look at the path between the endpoints and at the load of the source",
                failure=FailureClass.TIMEOUT,
            )
        return result

    def _check_destination(self) -> None:
        """A server proves by listening that it is there; without one, somebody else may have answered."""
        endpoint = self._destination.endpoint
        if self._step.server is None and has_moved(endpoint, self._destination.transport):
            raise StepFailed(
                f"{endpoint.name} does not have the address {endpoint.address} that was measured: made anew?",
                "begin a new run, or go on with --resume and --allow-changed-environment",
                failure=FailureClass.INVALID_RESULT,
            )

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise StepFailed("the run was interrupted", failure=FailureClass.CANCELLED)

    def _read(self, client: JobResult) -> Measurement:
        """The client's result, where its server proves it. Raises ParseError."""
        limit, probe = output_limit(self._probe), self._probe
        check_size(probe.name, client.completed, limit)
        measurement = probe.parse(client.completed)
        if self._server is not None and isinstance(probe, ProvesServer):
            if self._served is None:
                raise ParseError(
                    f"server output lost: cannot prove that the result is of its own server: {self._lost}",
                    "look at the connection to the destination",
                    failure=FailureClass.INVALID_RESULT,
                )
            probe.prove(client.completed, self._served.completed)
        return measurement

    def _failed(self, error: Exception) -> Outcome:
        if not isinstance(error, NetbenchError):  # a fault of netbench's or of a plugin's must not end the run
            return Outcome(FailureClass.INTERNAL, f"{type(error).__name__}: {error}")
        if self._cancelled.is_set():
            return Outcome(FailureClass.CANCELLED, "the run was interrupted")
        remedy = f"; {error.remedy}" if error.remedy else ""
        return Outcome(error.failure, f"{error}{remedy}")

    def _stop(self) -> tuple[Flag, ...]:
        """Stop server and client at the same time (each costs a round trip), then keep what the server said."""
        jobs = [job for job in (self._client, self._server) if job is not None]
        with ThreadPoolExecutor(max_workers=2) as pool:
            stopped = list(pool.map(lambda job: _quietly(job.stop), jobs))
        flags = [
            Flag(NOT_CLEANED, f"{problem}; what is left there ends by itself within {LINGER} s")
            for problem in stopped
            if problem
        ]
        if self._server is not None:
            self._watched["destination"] = None
            self._lost = stopped[-1]
        if self._server is not None and (self._server.reported or not stopped[-1]):
            try:
                self._served = self._server.result()
                self._watched["destination"] = activity(self._served.host)
                self._keep("server", self._served)
            except NetbenchError as error:
                self._lost = str(error)
                if not isinstance(self._probe, ProvesServer):  # there it is no flag: it costs the result
                    flags.append(Flag("server-log-lost", f"what the server said is lost: {error}"))
        return tuple(flags)

    def _keep(self, part: str, result: JobResult) -> None:
        for stream, data in (("out", result.stdout), ("err", result.stderr), ("host", result.host)):
            if data or stream == "out":
                self._archive.write_raw(self._step.id, self._attempt, f"{part}.{stream}", data)


class _Meter:
    """Turns beats into elapsed time and the rate since the beat before."""

    def __init__(self, on_progress: Callable[[float, float | None], None]) -> None:
        self._on_progress = on_progress
        self._first: Beat | None = None
        self._last: Beat | None = None

    def beat(self, beat: Beat) -> None:
        last, self._last = self._last, beat
        self._first = self._first or beat
        rate = None
        if last and last.sent is not None and beat.sent is not None and beat.uptime > last.uptime:
            rate = max(0, beat.sent - last.sent) * 8 / (beat.uptime - last.uptime)
        self._on_progress(beat.uptime - self._first.uptime + 1, rate)


def _server_failure(result: JobResult, port: int, where: str) -> StepFailed:
    said = (result.stderr or result.stdout).decode("utf-8", "replace").strip().splitlines()
    said = [line for line in said if line.strip() != "iperf3: exiting"] or said  # 3.12 says so after its reason
    last = brief(said[-1]) if said else f"exit code {result.status}"
    if "address already in use" in last.lower():
        return StepFailed(
            f"TCP port {port} on {where} is taken by somebody else ({last})",
            "free it, or choose another with --port",
            failure=FailureClass.PORT_TAKEN,
        )
    if "cannot assign requested address" in last.lower():
        return StepFailed(
            f"{where} does not have the address that was measured any more: recreated? ({last})",
            "begin a new run, or go on with --resume and --allow-changed-environment",
            failure=FailureClass.INVALID_RESULT,
        )
    if result.status in ("126", "127"):
        return StepFailed(f"{where}: {last}", "install it there", failure=FailureClass.TOOL_MISSING)
    return StepFailed(f"the server on {where} ended before it listened: {last}", failure=FailureClass.TOOL_FAILED)


def _quietly(action: Callable[[], object]) -> str:
    """Do it; the reason where it fails."""
    try:
        action()
    except NetbenchError as error:
        return str(error)
    return ""
