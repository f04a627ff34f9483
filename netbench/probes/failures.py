"""From what a tool says when it fails to a failure class and a remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from signal import Signals

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass

SHOWN = 300  # characters of a tool's own words that a message repeats
READ = 8192  # of them that are read for a reason, at the beginning and at the end each


@dataclass(frozen=True)
class Rule:
    """A pattern (matched anywhere, in any case) in a tool's words, what it means, and what to do about it."""

    pattern: str
    failure: FailureClass
    remedy: str


def explain(tool: str, text: str, rules: Sequence[Rule]) -> ParseError | None:
    """The failure the first matching rule stands for; None where no rule matches."""
    text = _ends(text)
    for rule in rules:
        if re.search(rule.pattern, text, re.IGNORECASE):
            return ParseError(f"{tool}: {brief(text)}", rule.remedy, failure=rule.failure)
    return None


def brief(text: str) -> str:
    """A tool's words on one line, cut where they are long."""
    some = text.strip()[:READ]
    line = " ".join("".join(char if char.isprintable() else " " for char in some).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def said(client: Completed) -> str:
    """What a tool said for people, where it gave no result; much of it, not all."""
    return _ends(client.stderr).strip() or _ends(client.stdout)


def check_size(tool: str, completed: Completed, limit: int) -> None:
    """Raise ParseError where there is more output than that many bytes: whoever printed it, it is no result."""
    size = len(completed.stdout) + len(completed.stderr)
    if size > limit:
        raise over_limit(tool, size, limit)


def over_limit(tool: str, size: int, limit: int) -> ParseError:
    """The error for output that is longer than any result of that tool."""
    return ParseError(
        f"{tool}: output over its limit: {size} bytes, at most {limit}",
        f"see what runs as {tool} on that endpoint",
        failure=FailureClass.OUTPUT_LIMIT,
    )


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


def _ends(text: bytes | str) -> str:
    """Beginning and end of a text: a reason stands at either."""
    if isinstance(text, bytes):
        cut = text if len(text) <= 2 * READ else text[:READ] + b"\n" + text[-READ:]
        return cut.decode("utf-8", "replace")
    return text if len(text) <= 2 * READ else f"{text[:READ]}\n{text[-READ:]}"
