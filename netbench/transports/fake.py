"""A strict fake transport, for netbench's own tests and for those of its users: what is not listed, raises.

It answers plain commands, and plays the endpoint's half of a remote job (``run/job.sh``) for listed ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from netbench.errors import ConnectionCutError
from netbench.model import Command, Completed
from netbench.transports.base import LOOK, OnOutput

Argv = tuple[str, ...]

#: What a machine with two idle cores and no limits has to say before and after a command of one second.
QUIET = b"""/proc/uptime:100.00 180.00
/proc/stat:cpu  1000 0 1000 18000 0 0 0 0 0 0
/proc/stat:cpu0 500 0 500 9000 0 0 0 0 0 0
/proc/stat:cpu1 500 0 500 9000 0 0 0 0 0 0
/proc/uptime:101.00 181.90
/proc/stat:cpu  1005 0 1005 18190 0 0 0 0 0 0
/proc/stat:cpu0 505 0 505 9090 0 0 0 0 0 0
/proc/stat:cpu1 500 0 500 9100 0 0 0 0 0 0
"""
T = TypeVar("T")


class UnlistedCommandError(AssertionError):
    """The code under test ran something its test does not know."""


@dataclass(frozen=True)
class Reply:
    """What a plain command answers; with ``error`` it is raised instead."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    error: Exception | None = None


@dataclass(frozen=True)
class JobReply:
    """How a remote job goes.

    ``serves``: it gets ready and goes on until it is stopped. ``cut``: the link breaks after the start, and the result
    can be fetched. ``host``: the two snapshots of the machine that come with the result. ``start_error``,
    ``fetch_error`` and ``stop_error`` are raised at that stage.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    status: str = "0"
    host: bytes = QUIET
    serves: bool = False
    cut: bool = False
    start_error: Exception | None = None
    fetch_error: Exception | None = None
    stop_error: Exception | None = None


JobReplies = Mapping[Argv, JobReply | Callable[[Argv], JobReply]]


class FakeTransport:
    """Replies by the longest listed beginning of an argv; a job's reply may be made on the spot.

    ``commands``: what was run; ``directories``: what is left.
    """

    def __init__(self, replies: Mapping[Argv, Reply] | None = None, jobs: JobReplies | None = None) -> None:
        self.commands: list[Argv] = []
        self.directories: dict[str, JobReply] = {}
        self._replies = replies or {}
        self._jobs = jobs or {}
        self._stopped: dict[str, threading.Event] = {}

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        if command.argv[0] == "netbench-job":
            return self._job(command, on_output)
        # a runner's look whether the endpoint is there: list it with an error for one that is not
        if command.argv == LOOK and LOOK not in self._replies:
            return Completed(0, b"", b"")
        self.commands.append(command.argv)
        reply = _longest(self._replies, command.argv)
        if reply.error is not None:
            raise reply.error
        return Completed(reply.exit_code, reply.stdout, reply.stderr)

    def close(self) -> None:
        """Nothing is held open."""

    def _job(self, command: Command, on_output: OnOutput | None) -> Completed:
        verb, place, identity, *rest = command.argv[1:]
        directory = f"{place}/{identity}"
        if verb == "start":
            return self._start(directory, tuple(rest[5:]), command.deadline, on_output)
        reply = self.directories.get(directory)
        if verb in ("fetch", "collect") and reply is not None and reply.fetch_error is not None:
            raise reply.fetch_error
        if verb == "fetch":
            return Completed(0, _frame(reply, reply.status) if reply else b"gone\n", b"")
        if reply is not None and reply.stop_error is not None:
            raise reply.stop_error
        self._stopped.setdefault(directory, threading.Event()).set()
        self.directories.pop(directory, None)
        if verb == "collect" and reply is not None:
            return Completed(0, _frame(reply, "stopped" if reply.serves else reply.status), b"")
        return Completed(0, b"", b"")

    def _start(self, directory: str, argv: Argv, deadline: float, on_output: OnOutput | None) -> Completed:
        self.commands.append(argv)
        listed = _longest(self._jobs, argv)
        reply = listed if isinstance(listed, JobReply) else listed(argv)
        if reply.start_error is not None:
            raise reply.start_error
        stopped = self._stopped.setdefault(directory, threading.Event())
        self.directories[directory] = reply
        said = bytearray()

        def say(data: bytes) -> None:
            said.extend(data)
            if on_output is not None:
                on_output(data)

        if reply.serves:
            say(b"ready\n")
        if reply.cut:
            raise ConnectionCutError("the fake link was cut")
        if reply.serves:
            stopped.wait(deadline)
            say(_frame(reply, "stopped"))
        else:
            say(_frame(reply, reply.status))
            stopped.wait(deadline)
        return Completed(0, bytes(said), b"")


def _frame(reply: JobReply, status: str) -> bytes:
    head = f"frame {status} {len(reply.stdout)} {len(reply.stderr)} {len(reply.host)}\n".encode()
    return head + reply.stdout + reply.stderr + reply.host + b"end\n"


def _longest(listed: Mapping[Argv, T], argv: Argv) -> T:
    for length in range(len(argv), 0, -1):
        if argv[:length] in listed:
            return listed[argv[:length]]
    raise UnlistedCommandError(f"not listed: {argv}")
