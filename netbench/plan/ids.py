"""Names of steps that are fit for file names, whatever kinds and nodes are called."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from netbench.model import Cell, Pair

#: What tells a step from all others: round, probe, cell, pair.
Identity = tuple[int, str, Cell, Pair]

LONGEST = 40  # characters of one name; five of them and a file's ending stay below the 255 bytes of a file name


def step_ids(steps: Sequence[Identity]) -> list[str]:
    """A unique id for each, such as ``r01-throughput-host~terway-eni-a1~a2``; ASCII letters, digits and ``._~-``.

    The id depends on the step alone, unless two read the same ("terway" on "eni-a1", "terway-eni" on "a1"): those end
    in a digest.
    """
    plain = [_readable(step) for step in steps]
    # Without regard to case: a run directory may be copied to a file system that has none.
    seen = Counter(text.lower() for text in plain)
    return [
        text if seen[text.lower()] == 1 else f"{text}.{_digest(repr(step))}"
        for text, step in zip(plain, steps, strict=True)
    ]


def _readable(step: Identity) -> str:
    number, probe, cell, pair = step
    kinds = f"{_safe(cell.source)}~{_safe(cell.destination)}"
    return f"r{number:02}-{_safe(probe)}-{kinds}-{_safe(pair.source)}~{_safe(pair.destination)}"


def _safe(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    if safe == name and len(name) <= LONGEST:
        return name
    return f"{safe[: LONGEST - 9]}.{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
