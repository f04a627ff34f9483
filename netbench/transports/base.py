"""What a transport is, and what it may ask for when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_fixed

from netbench.errors import NetbenchError
from netbench.model import Access, Command, Completed, FailureClass
from netbench.transports.credentials import Credentials

OnOutput = Callable[[bytes], None]
LOOK = ("true",)  # does nothing: an endpoint that runs it is there


class Transport(Protocol):
    """Brings commands to one endpoint. One object may serve many threads at once."""

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        """Run it there and wait, at most ``command.deadline`` seconds.

        ``on_output`` gets stdout piece by piece as it arrives (stdout is still returned whole). A non-zero exit is
        data. Raises TransportError where the command did not arrive or its answer was lost; then it may still run.
        """

    def close(self) -> None:
        """Give back what is held open. May be called twice."""


@dataclass(frozen=True)
class ConnectOptions:
    """How connections are made, the same for a whole run."""

    connect_timeout: float = 10.0  # seconds for each of: TCP connect, SSH banner, authentication
    accept_new_host_keys: bool = False  # store an unknown host's key instead of refusing it; a changed one is refused
    credentials: Credentials = field(default_factory=Credentials)  # the same for all hosts and jump hosts


class Connector(Protocol):
    """What a transport factory gets besides the access: the options, and the way to a transport it builds upon."""

    options: ConnectOptions

    def get(self, access: Access) -> Transport:
        """The one transport for that access; opened when first used."""


#: What an entry point in the group ``netbench.transports`` is: called as ``factory(access, connector)``.
Factory = Callable[[Access, Connector], Transport]


def _passes(error: BaseException) -> bool:
    return isinstance(error, NetbenchError) and error.failure in (FailureClass.CONNECTION_CUT, FailureClass.UNREACHABLE)


def ask(transport: Transport, command: Command, patience: float = 0.0) -> Completed:
    """Run what may be run twice, once more where the link was lost or did not come about. Raises as ``Transport.run``.

    For questions, and for what is done once however often it is asked: one lost packet, or a busy API server, must not
    cost a step or the night. ``patience``: seconds for which it is run again and again, instead of once more.
    """
    stop = stop_after_delay(patience) if patience else stop_after_attempt(2)
    again = Retrying(retry=retry_if_exception(_passes), stop=stop, wait=wait_fixed(1), reraise=True)
    return again(transport.run, command)
