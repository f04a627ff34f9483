"""One command on one channel of an SSH connection, in the caller's own thread.

Not through Invoke's runner, which takes five threads and polls them, and cannot tell when stdin may be sent.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from netbench.errors import DeadlineError, LoginShellError
from netbench.transports import wire

PIECE = 65536  # bytes read at once
GREETING_SECONDS = 15.0  # that a login shell and its rc files may take; less than any command that comes first has
SETTLING = 2.0  # seconds that a session may take to close after its end was told
PATIENCE = 5.0  # seconds beyond a command's deadline until its connection is given up


class SessionClosedError(Exception):
    """The channel closed before the answer was whole."""


class Wakeup(threading.Event):
    """What both buffers of a channel set; they may not clear it for each other."""

    def clear(self) -> None:
        """The buffers call this; ``forget`` does it."""

    def forget(self) -> None:
        super().clear()


class Exchange:
    """Sends the line, and then the program: only after the greeting, where the login shell has not proved itself."""

    def __init__(self, channel: Any, where: str) -> None:
        self._channel, self._where = channel, where
        self._changed = Wakeup()
        channel.in_buffer.set_event(self._changed)
        channel.in_stderr_buffer.set_event(self._changed)
        self._errors = wire.Errors()

    def run(self, line: str, program: str, answer: wire.Answer, until: float, *, proved: bool) -> None:
        """Until the answer is whole. ``until``: on the monotonic clock.

        Raises LoginShellError where the login shell did not greet, and then nothing was sent to it; DeadlineError,
        SessionClosedError, what ``answer.feed`` raises, and what paramiko raises.
        """
        self._channel.settimeout(max(1.0, until - time.monotonic()))
        self._channel.exec_command(line)
        if not proved:
            self._greeting(answer, until)
        self._channel.sendall(program.encode("utf-8", "surrogateescape"))
        self._channel.shutdown_write()
        while answer.exit_code is None:
            if not self._pump(answer, until):
                raise DeadlineError(f"{self._where}: no answer in time")
            if answer.exit_code is None and self._over():
                if not answer.greeted:
                    raise self._no_shell(answer)
                raise SessionClosedError
        if answer.exit_code:  # its reason is on stderr, which may come after the end that stdout tells
            settled = time.monotonic() + SETTLING
            while time.monotonic() < settled and not self._over() and self._pump(answer, settled):
                pass

    def _greeting(self, answer: wire.Answer, until: float) -> None:
        patience = min(until, time.monotonic() + GREETING_SECONDS)
        while not answer.greeted:
            if not self._pump(answer, patience):
                if patience == until:
                    raise DeadlineError(f"{self._where}: no answer in time")
                raise LoginShellError(
                    f"{self._where}: the login shell did not run a command within {GREETING_SECONDS:g} s"
                    f"{self._said(answer)}",
                    "see what ssh HOST true does: sftp only, a ForceCommand, or an rc file that waits; netbench needs "
                    "a login shell that runs sh -c",
                )
            if not answer.greeted and self._over():
                raise self._no_shell(answer)

    def _no_shell(self, answer: wire.Answer) -> LoginShellError:
        return LoginShellError(
            f"{self._where}: the login shell does not run commands{self._said(answer)}",
            "see what ssh HOST true does; netbench needs a login shell that runs sh -c, with sh and sleep on its PATH, "
            "and rc files that do not exit",
        )

    def _said(self, answer: wire.Answer) -> str:
        text = answer.said() or self.stderr.decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f": it said {' / '.join(lines[:3])[:200]!r}" if lines else ""

    @property
    def stderr(self) -> bytes:
        """What was said there, as far as it is kept."""
        return bytes(self._errors.kept)

    def _pump(self, answer: wire.Answer, until: float) -> bool:
        """Wait for something, and take it; False where the time is over."""
        channel = self._channel
        while not (channel.recv_ready() or channel.recv_stderr_ready() or self._over()):
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._changed.wait(left)
            self._changed.forget()
        if channel.recv_stderr_ready():
            self._errors.feed(channel.recv_stderr(PIECE))
        if channel.recv_ready():
            answer.feed(channel.recv(PIECE))
        return True

    def _over(self) -> bool:
        """Nothing more comes: the other side has ended its output, or the channel is gone."""
        channel = self._channel
        return bool(channel.eof_received or channel.closed) and not (
            channel.recv_ready() or channel.recv_stderr_ready()
        )
