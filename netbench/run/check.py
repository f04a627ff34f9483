"""What a check before the run found."""

from __future__ import annotations

from dataclasses import dataclass

from netbench.model import FailureClass


@dataclass(frozen=True)
class Check:
    """One row of the preflight table. ``failure`` is None where it passed."""

    endpoint: str
    what: str
    detail: str
    failure: FailureClass | None = None
    remedy: str = ""
    note: str = "ok"  # what the table says of one that did not fail, such as "not-proven"
    warns: bool = False  # it did not fail, and yet whoever measures should know
