"""Ends what one run left on endpoints: jobs whose directories bear its token, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from netbench.errors import NetbenchError
from netbench.model import StepRecord
from netbench.run.jobs import end_job, find_jobs
from netbench.run.leases import AT_ONCE
from netbench.run.lifecycle import NOT_CLEANED
from netbench.run.scripts import PLACES
from netbench.transports.base import Transport


def sweep(transports: Mapping[str, Transport], token: str) -> tuple[str, ...]:
    """What was ended and removed, and which endpoints could not be looked at, in words. The caller holds the leases."""

    def one(name: str) -> list[str]:
        told = []
        try:
            for job in find_jobs(transports[name], PLACES, token):
                end_job(transports[name], job.place, job.id)
                told.append(f"{name}: {job}, which the run had left ({job.state}), is ended and removed")
        except NetbenchError as error:
            told.append(f"{name}: what the run may have left there was not looked for: {error}")
        return told

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sweep") as pool:
        return tuple(text for several in pool.map(one, sorted(transports)) for text in several)


def needed(records: Iterable[StepRecord]) -> bool:
    """Whether a step could not clean up behind itself."""
    return any(flag.code == NOT_CLEANED for record in records for flag in record.measurement.flags)
