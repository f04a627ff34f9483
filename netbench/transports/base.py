"""What a transport is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from netbench.model import Command, Completed

OnOutput = Callable[[bytes], None]


class Transport(Protocol):
    """Brings commands to one endpoint. One object may serve many threads at once."""

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        """Run it there and wait, at most ``command.deadline`` seconds.

        ``on_output`` gets stdout piece by piece as it arrives (stdout is still returned whole). A non-zero exit is
        data. Raises TransportError where the command did not arrive or its answer was lost; then it may still run.
        """

    def close(self) -> None:
        """Give back what is held open. May be called twice."""
