"""What transports run, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """What a transport runs: an argv, never a shell line.

    ``deadline`` is how long the caller waits, in seconds. ``secrets`` are strings that must not show in any message.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 30.0
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completed:
    """How a command ended. A non-zero exit code is data; a lost link raises instead."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """stdout as text; bytes that are not UTF-8 become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """stderr as text, stripped."""
        return self.stderr.decode("utf-8", "replace").strip()
