"""From what a tool says when it fails to a failure class and a remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from signal import Signals

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass

SHOWN = 300  # characters of a tool's own words that a message repeats


@dataclass(frozen=True)
class Rule:
    """A pattern (matched anywhere, in any case) in a tool's words, what it means, and what to do about it."""

    pattern: str
    failure: FailureClass
    remedy: str


def explain(tool: str, text: str, rules: Sequence[Rule]) -> ParseError | None:
    """The failure the first matching rule stands for; None where no rule matches."""
    for rule in rules:
        if re.search(rule.pattern, text, re.IGNORECASE):
            return ParseError(f"{tool}: {brief(text)}", rule.remedy, failure=rule.failure)
    return None


def brief(text: str) -> str:
    """A tool's words on one line, cut where they are long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def ended_early(tool: str, client: Completed) -> ParseError | None:
    """What the exit code means of a tool that wrote no result; None where the code alone says nothing.

    It is the code a POSIX shell reports: 126 and 127 for what could not be started, 128 + n for signal n, and 124 from
    the ``timeout`` program.
    """
    code = client.exit_code
    if code in (126, 127):
        said = brief(client.error_text) or f"exit code {code}"
        return ParseError(f"{tool} could not be started: {said}", f"install {tool}", failure=FailureClass.TOOL_MISSING)
    if code == 124:
        return ParseError(f"{tool} ran into its time limit", failure=FailureClass.TIMEOUT)
    number = -code if code < 0 else code - 128
    if number in set(Signals):
        name = Signals(number).name
        if name in ("SIGINT", "SIGTERM", "SIGHUP"):
            return ParseError(f"{tool} was ended by {name}", failure=FailureClass.CANCELLED)
        remedy = "look for the kernel's out-of-memory killer" if name == "SIGKILL" else ""
        return ParseError(f"{tool} was killed by {name}", remedy, failure=FailureClass.TOOL_FAILED)
    return None
