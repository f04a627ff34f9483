"""samples.jsonl: a line for each attempt at a step, added as soon as the attempt has ended."""

from __future__ import annotations

import json
from pathlib import Path

from netbench.errors import RunDirError
from netbench.model import StepRecord
from netbench.store import files
from netbench.store.documents import decode, encode

LONGEST = 4 << 20  # bytes of one record, which are about 3,000: a thousand times that
LARGEST = 512 << 20  # bytes of all: 170,000 records, more than the attempts of a run of a month


class Journal:
    """Not for several threads at once.

    A crash may leave the last line torn. It is no record then: whoever reads the journal is told by ``torn``, and
    whoever adds to it takes it away first.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        self._root, self._name = root, name
        self._mended = False

    def append(self, record: StepRecord) -> None:
        """Add a record; it is on disk when this returns."""
        if not self._mended:
            self._mend()
        files.append(self._root, self._name, encode(record, f"{self.path}: {record.step}") + b"\n")

    def read(self) -> tuple[tuple[StepRecord, ...], str | None]:
        """All records in the order they were added, and what is wrong with the last line (None: nothing)."""
        *lines, rest = self._data().split(b"\n")
        for number, line in enumerate((*lines, rest), start=1):
            if len(line) > LONGEST:
                raise RunDirError(
                    f"{self.path}, line {number}: a record longer than {LONGEST >> 20} MiB",
                    "restore the file from a copy, or start a new run",
                )
        records = [
            decode(StepRecord, line, f"{self.path}, line {number}") for number, line in enumerate(lines, start=1)
        ]
        if not rest:
            return tuple(records), None
        if _whole(rest):
            return (*records, decode(StepRecord, rest, f"{self.path}, line {len(lines) + 1}")), None
        return tuple(records), f"{self.path}, line {len(lines) + 1}: cut off after {len(rest)} bytes; it is left out"

    def _data(self) -> bytes:
        return files.read(self._root, self._name, LARGEST) if files.exists(self._root, self._name) else b""

    def _mend(self) -> None:
        data = self._data()
        rest = data[data.rfind(b"\n") + 1 :]
        if rest and _whole(rest):
            files.append(self._root, self._name, b"\n")
        elif rest:
            files.truncate(self._root, self._name, len(data) - len(rest))
        self._mended = True


def _whole(rest: bytes) -> bool:
    """Whether only the line's end is missing. A torn line is never JSON: its closing brace comes last."""
    try:
        json.loads(rest)
    except ValueError:
        return False
    return True
