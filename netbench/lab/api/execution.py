"""A command in a pod's namespaces, its streams tied to a client's connection."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Protocol

from netbench.lab.api.discovery import Json
from netbench.lab.api.statuses import exit_status, failure
from netbench.lab.api.wire import PIECE, ClientGoneError
from netbench.lab.namespaces import inside
from netbench.lab.pods import Pod

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FULL = 1 << 20  # bytes waiting for the command to read them, above which the client is not read


@dataclass(frozen=True)
class ExecRequest:
    """What is to be executed, and which streams the client wants."""

    pod: Pod
    argv: Sequence[str]
    stdin: bool
    stdout: bool
    stderr: bool

    @property
    def streams(self) -> set[str]:
        return {name for name in ("stdin", "stdout", "stderr") if getattr(self, name)}


class Client(Protocol):
    """The other side of an exec, in whichever protocol."""

    def fileno(self) -> int: ...

    def receive(self) -> list[bytes]:
        """Pieces of stdin that have arrived; an empty piece is its end. Raises ClientGoneError."""

    def send(self, stream: str, data: bytes) -> None:
        """Hand on a piece of ``stdout`` or ``stderr``. Raises ClientGoneError."""

    def finish(self, status: Json) -> None:
        """Say how it ended, after the last piece. Raises ClientGoneError."""


def execute(request: ExecRequest, client: Client) -> None:
    """Run it and stay until it has ended and its output is closed.

    When the client goes away, the command is not told: like under a kubelet it runs on, and what it says is lost.
    """
    program = request.argv[0]
    if shutil.which(program, path=PATH) is None:
        words = f'exec failed: unable to start container process: exec: "{program}": executable file not found in $PATH'
        client.finish(
            failure(f"Internal error occurred: error executing command in container: {words}", "InternalError")
        )
        return
    _Execution(request, client).run()


class _Execution:
    """One running command: a loop over its output, its input, its end and its client."""

    def __init__(self, request: ExecRequest, client: Client) -> None:
        def pipe(wanted: bool) -> int:
            return subprocess.PIPE if wanted else subprocess.DEVNULL

        self._process = subprocess.Popen(
            inside(request.pod.pid, request.argv),
            stdin=pipe(request.stdin),
            stdout=pipe(request.stdout),
            stderr=pipe(request.stderr),
            bufsize=0,
            env={"PATH": PATH, "HOME": "/root", "HOSTNAME": request.pod.name},
        )
        self._client: Client | None = client
        self._selector = selectors.DefaultSelector()
        self._open = 0  # of: stdout, stderr, the process itself
        self._stdin = self._process.stdin
        self._input = bytearray()  # what the command has not taken yet
        self._input_ends = False

    def run(self) -> None:
        process = self._process
        pidfd = os.pidfd_open(process.pid)
        self._watch(pidfd, lambda: self._close(pidfd))
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is not None:
                self._watch(pipe.fileno(), partial(self._pass_on, name, pipe))
        if self._client is not None:
            self._selector.register(self._client, selectors.EVENT_READ, self._listen)
        if self._stdin is not None:
            os.set_blocking(self._stdin.fileno(), False)
        self._listen()  # to what came with the opening of the streams
        try:
            while self._open:
                for key, _ in self._selector.select():
                    key.data()
        finally:
            os.close(pidfd)
            self._selector.close()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        code = process.wait()
        if self._client is not None:
            self._client.finish(exit_status(code if code >= 0 else 128 - code))

    def _watch(self, descriptor: int, act: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, act)
        self._open += 1

    def _close(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self._open -= 1

    def _pass_on(self, name: str, pipe: IO[bytes]) -> None:
        """Output has come, or its end."""
        data = os.read(pipe.fileno(), PIECE)
        if not data:
            self._close(pipe.fileno())
        elif self._client is not None:
            try:
                self._client.send(name, data)
            except ClientGoneError:
                self._leave()

    def _listen(self) -> None:
        """The client has sent something."""
        if self._client is None:
            return
        try:
            pieces = self._client.receive()
        except ClientGoneError:
            self._leave()
            return
        for piece in pieces:
            self._input += piece
            self._input_ends |= not piece
        self._feed()

    def _leave(self) -> None:
        """The client has gone: its stdin ends, the rest goes on."""
        if self._client is not None and self._client in self._selector.get_map():
            self._selector.unregister(self._client)
        self._client = None
        self._input_ends = True
        self._feed()

    def _feed(self) -> None:
        """Give the command what it takes now; the rest, and the client when there is too much, must wait."""
        if self._stdin is None:
            self._input.clear()
            return
        try:
            del self._input[: os.write(self._stdin.fileno(), self._input)]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # the command reads no more
            self._input.clear()
            self._input_ends = True
        known = self._selector.get_map()
        if bool(self._input) != (self._stdin in known):
            if self._input:
                self._selector.register(self._stdin, selectors.EVENT_WRITE, self._feed)
            else:
                self._selector.unregister(self._stdin)
        if self._client is not None and (len(self._input) < FULL) != (self._client in known):
            if self._client in known:
                self._selector.unregister(self._client)
            else:
                self._selector.register(self._client, selectors.EVENT_READ, self._listen)
        if self._input_ends and not self._input:
            self._stdin.close()
            self._stdin = None
