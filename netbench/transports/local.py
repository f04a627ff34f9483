"""Commands on the machine netbench runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import IO

from netbench.errors import DeadlineError, TransportError
from netbench.model import Access, Command, Completed, FailureClass
from netbench.transports.base import Connector, OnOutput
from netbench.transports.credentials import VARIABLES


class LocalTransport:
    """Runs argv as child processes, each in a session of its own so that a deadline ends all of it."""

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                command.argv,
                env={**_environment(), "LC_ALL": "C", **command.env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
            raise TransportError(
                f"cannot start {command.argv[0]!r}: {getattr(error, 'strerror', None) or error}",
                f"install {command.argv[0]} or put it on the PATH",
                failure=FailureClass.TOOL_MISSING,
            ) from error
        stdout, stderr = bytearray(), bytearray()
        readers = [
            threading.Thread(target=_drain, args=(process.stdout, stdout, on_output), daemon=True),
            threading.Thread(target=_drain, args=(process.stderr, stderr, None), daemon=True),
        ]
        for reader in readers:
            reader.start()
        try:
            exit_code = process.wait(command.deadline)
        except subprocess.TimeoutExpired as error:
            raise DeadlineError(f"{command.argv[0]} gave no answer within {command.deadline:g} s") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for reader in readers:
                reader.join(timeout=5)
        return Completed(exit_code, bytes(stdout), bytes(stderr), time.monotonic() - started)

    def close(self) -> None:
        """Nothing is held open."""


def connect(access: Access, connector: Connector) -> LocalTransport:
    """Entry point ``local``."""
    return LocalTransport()


def _environment() -> dict[str, str]:
    """This process's own, without the secrets in it: no child needs them."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}


def _drain(stream: IO[bytes] | None, into: bytearray, on_output: OnOutput | None) -> None:
    assert stream is not None  # noqa: S101 - Popen was given PIPE
    with stream:
        while piece := os.read(stream.fileno(), 65536):
            into += piece
            if on_output:
                on_output(piece)
