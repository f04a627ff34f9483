"""What transports run, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LIMIT = 1 << 20  # bytes of stdout; far above any answer of netbench's own scripts


@dataclass(frozen=True)
class Command:
    """What a transport runs: an argv, never a shell line.

    ``deadline`` is how long the caller waits, in seconds; what runs on an endpoint ends soon after it by itself.
    ``secrets`` are strings that must not show in any message. ``stdin`` is text without NUL that the program reads.
    ``limit`` is the most stdout, in bytes, that is taken. With ``script``, a text for POSIX sh that uses ``tell``,
    ``note``, ``blob`` and ``finish`` of ``transports/wire.sh``, that is run instead of a program: argv[0] names it, the
    others are its arguments.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 30.0
    secrets: tuple[str, ...] = ()
    stdin: str = ""
    limit: int = LIMIT
    script: str = field(default="", repr=False)


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
