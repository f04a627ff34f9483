"""A run's directory::

20261123T023818Z-same/
    manifest.json    who, when, with what, in which environment, how it ended
    plan.json        every step in order
    .lock            held by the process that runs it
    samples.jsonl    a line for each attempt at a step
    commands.jsonl   every command that was sent to an endpoint, and how it ended
    raw/             what the tools said, byte by byte: STEP.ATTEMPT.PART
    report.md        made from the others, any time again; so is findings.json
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from netbench.errors import RunDirError
from netbench.model import Manifest, Plan, StepRecord, ZoneMode
from netbench.store import files
from netbench.store.documents import decode, encode
from netbench.store.journal import Journal
from netbench.store.lock import held

Whole = TypeVar("Whole", Manifest, Plan)

MANIFEST, PLAN, SAMPLES, RAW = "manifest.json", "plan.json", "samples.jsonl", "raw"
LATEST = "latest"
# bytes: nobody's run comes near, and no file that is none can use up the memory
LARGEST = {
    MANIFEST: 64 << 20,  # 3 kB an endpoint: 20,000 of them
    PLAN: 256 << 20,  # 1 kB a step: 250,000 of them
    RAW: 64 << 20,  # a file: iperf3 says 0.5 MB in 45 s
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_BY_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z-")
_RAW_NAME = re.compile(rf"({_NAME.pattern})\.([0-9]+)\.[a-z]+(?:\.[a-z]+)*")
_PART = re.compile(r"[a-z]+(\.[a-z]+)*")  # no digits, so that STEP.ATTEMPT.PART can be taken apart again


def run_name(now: datetime, zone: ZoneMode) -> str:
    """The name of a run that starts now, such as ``20261123T023818Z-same``; names sort by time."""
    return f"{now.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{zone.value}"


class RunDir:
    """One run's directory. Every method raises RunDirError, with a remedy, where the disk or a file lets it down.

    Only a directory of this user's or root's is a run, and only where nobody else can write to it; so it
    is with its files. Directories have mode 0700 and files 0600. Whole files are replaced at once: a crash leaves the
    old one or the new.
    """

    def __init__(self, path: Path) -> None:
        """Use ``create`` or ``open``."""
        self.path = path
        self._journal = Journal(path, SAMPLES)

    @classmethod
    def create(cls, root: Path, name: str) -> RunDir:
        """Make a new directory below ``root`` (made too where it is missing); ``-2``, ``-3``... where one is there."""
        _check(_NAME, name, "the name of a run")
        with files.explained(root, "create"):
            root.mkdir(parents=True, exist_ok=True)
        path, number = root / name, 1
        with files.explained(path, "create"):
            while not files.make_directory(path):
                number += 1
                path = root / f"{name}-{number}"
            files.make_directory(path / RAW)
        return cls(path)

    @classmethod
    def open(cls, root: Path, run: str | Path) -> RunDir:
        """A run below ``root`` by its name, the newest one for "latest", or any run by a path (with a slash)."""
        if isinstance(run, Path) or "/" in run:
            path = Path(run)
        elif run == LATEST:
            found = names(root)
            if not found:
                raise RunDirError(f"there are no runs in {root}{_others(root)}", "run bench first, or pass --reports")
            path = root / found[-1]
        else:
            _check(_NAME, run, "the name of a run")
            path = root / run
        with files.explained(path, "read"):
            if path.is_dir() and files.exists(path, MANIFEST):
                return cls(path)
        there = ", ".join(names(root)[-3:][::-1])
        raise RunDirError(
            f"there is no run {path}: {'it has no ' + MANIFEST if path.is_dir() else 'no such directory'}",
            f"the newest runs in {root} are {there}" if there else f"there are no runs in {root}; see --reports",
        )

    def write_manifest(self, manifest: Manifest) -> None:
        self._write(MANIFEST, manifest)

    def manifest(self) -> Manifest:
        return self._read(MANIFEST, Manifest)

    def write_plan(self, plan: Plan) -> None:
        self._write(PLAN, plan)

    def plan(self) -> Plan:
        return self._read(PLAN, Plan)

    def write_raw(self, step_id: str, attempt: int, part: str, data: bytes) -> Path:
        """Keep what a tool said; ``part`` is such as ``client.out``. Different files may be written by many threads."""
        name = _raw(step_id, attempt, part)
        files.write_whole(self.path, name, data)
        return self.path / name

    def raw(self, step_id: str, attempt: int, part: str) -> bytes:
        """What ``write_raw`` kept."""
        return files.read(self.path, _raw(step_id, attempt, part), LARGEST[RAW])

    def append(self, record: StepRecord) -> None:
        """Add a record to the journal; it is on disk when this returns. One thread at a time."""
        self._journal.append(record)

    def records(self) -> tuple[StepRecord, ...]:
        """Every attempt, in the order they ended. A torn last line is left out; see ``torn``."""
        return self._journal.read()[0]

    @property
    def torn(self) -> str | None:
        """What a crash did to the last line of the journal, for people; None where it is whole."""
        return self._journal.read()[1]

    def final_records(self) -> tuple[StepRecord, ...]:
        """The latest attempt at each step that has one, in the order of the plan."""
        latest: dict[str, StepRecord] = {}
        for record in self.records():
            if record.step not in latest or latest[record.step].attempt <= record.attempt:
                latest[record.step] = record
        planned = [step.id for step in self.plan().steps]
        for step in latest.keys() - set(planned):
            raise RunDirError(
                f"{self.path / SAMPLES}: step {step} is not in {PLAN}", "the files belong to different runs"
            )
        return tuple(latest[step] for step in planned if step in latest)

    def unrecorded(self) -> tuple[tuple[str, int], ...]:
        """Attempts (step, number) that left raw output but no record: the process died in the middle of them."""
        known = {(record.step, record.attempt) for record in self.records()}
        names = files.listing(self.path, RAW)
        found = {(match[1], int(match[2])) for name in names if (match := _RAW_NAME.fullmatch(name))}
        return tuple(sorted(found - known))

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run for this process; LockedError where another one does."""
        return held(self.path)

    def write_report(self, filename: str, text: str) -> Path:
        """Write a report beside the run's other files; text that is not Unicode becomes question marks."""
        _check(_NAME, filename, "the name of a report")
        if filename in (MANIFEST, PLAN, SAMPLES, RAW):
            raise RunDirError(f"{filename} is a file of the run's own", "give the report another name")
        files.write_whole(self.path, filename, text.encode("utf-8", "replace"))
        return self.path / filename

    def _write(self, name: str, value: Manifest | Plan) -> None:
        files.write_whole(self.path, name, encode(value, str(self.path / name), indent=1) + b"\n")

    def _read(self, name: str, kind: type[Whole]) -> Whole:
        return decode(kind, files.read(self.path, name, LARGEST[name]), str(self.path / name))


def names(root: Path) -> list[str]:
    """Names of the runs in there, the newest last; before them those that are not named by time, as a sample may be.

    Directories that do not count (another user's, or writable by others) are passed over; ``open`` says why.
    """
    with files.explained(root, "read"):
        there = [path.name for path in root.iterdir()] if root.is_dir() else []
    return sorted((name for name in there if _NAME.fullmatch(name) and _is_run(root / name)), key=_age)


def _is_run(path: Path) -> bool:
    try:
        return path.is_dir() and files.exists(path, MANIFEST)
    except (RunDirError, OSError):
        return False


def _others(root: Path) -> str:
    """What to add where no run counts: how many do not."""
    with suppress(OSError):
        found = [path for path in root.iterdir() if _BY_TIME.match(path.name) and path.is_dir()]
        if found:
            return f" that count; {len(found)} belong to others, can be written to by others, or are incomplete"
    return ""


def _raw(step_id: str, attempt: int, part: str) -> str:
    """The name of a file in ``raw``, from the run's directory."""
    _check(_NAME, step_id, "the id of a step")
    _check(_PART, part, "a part of a step's output")
    return f"{RAW}/{step_id}.{attempt:d}.{part}"


def _age(name: str) -> tuple[bool, list[str | int]]:
    parts = re.split(r"([0-9]+)", name)  # ...-same-10 is newer than ...-same-9
    return bool(_BY_TIME.match(name)), [int(part) if index % 2 else part for index, part in enumerate(parts)]


def _check(pattern: re.Pattern[str], text: str, what: str) -> None:
    """A name that comes from outside must not lead anywhere else."""
    if not pattern.fullmatch(text):
        raise RunDirError(f"{text!r} cannot be {what}", "use letters, digits and ._~- only; a path needs a slash")
