"""Everything netbench raises on purpose.

::

    NetbenchError                 message + remedy; exit_code for the task face
    |- UsageError                 2   bad argument
    |- InventoryError             2   bad inventory: names file, line, key
    |- RunDirError                2   no such run, or it cannot be read or written
    |  '- RunStoppedError         1   a run could not go on in the middle; what was finished is kept
    |- UntrustedError             2   a file or directory that other users could have written
    |- PreflightError             3   nothing was run
    |- LockedError               75   another run holds the lock
    |- ParseError                 -   a tool's output is not a result
    '- TransportError             -   a command could not be brought to its endpoint, or its answer was lost
       |- UnreachableError
       |- AuthError
       |- HostKeyError
       |- ConnectionCutError
       |- LoginShellError
       |- OutputLimitError
       '- DeadlineError

Errors with a failure class end up in an ``Outcome``; the others end a command with their exit code.
"""

from __future__ import annotations

from netbench.model import FailureClass


class NetbenchError(Exception):
    """Base of all; str() is the message, ``remedy`` says what to do about it."""

    exit_code = 1
    failure = FailureClass.INTERNAL

    def __init__(self, message: str, remedy: str = "", *, failure: FailureClass | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        if failure is not None:
            self.failure = failure


class UsageError(NetbenchError):
    """An argument that cannot be."""

    exit_code = 2


class InventoryError(NetbenchError):
    """An inventory that cannot be: the message names the file, the line where known, and the key."""

    exit_code = 2


class RunDirError(NetbenchError):
    """A run directory that is not there, or cannot be read or written."""

    exit_code = 2


class RunStoppedError(RunDirError):
    """The run directory could not be written to any more, or a lease was lost; finished samples are kept."""

    exit_code = 1


class UntrustedError(NetbenchError):
    """A file that other users could have written, that is no regular file, or that is too large to be one of ours."""

    exit_code = 2


class PreflightError(NetbenchError):
    """A check before the run failed; nothing was run."""

    exit_code = 3


class LockedError(NetbenchError):
    """Another run holds the lock."""

    exit_code = 75


class ParseError(NetbenchError):
    """A tool's output is not a result. ``failure`` tells a broken output from a valid report of failure."""

    failure = FailureClass.PARSE


class TransportError(NetbenchError):
    """A command did not get to its endpoint, or its answer did not get back."""

    failure = FailureClass.CONNECTION_CUT


class UnreachableError(TransportError):
    """Nobody answers at the address."""

    failure = FailureClass.UNREACHABLE


class AuthError(TransportError):
    """The endpoint refused every key or the token."""

    failure = FailureClass.AUTH


class HostKeyError(TransportError):
    """The host's key is unknown or has changed."""

    failure = FailureClass.HOST_KEY


class ConnectionCutError(TransportError):
    """The link broke after the command was sent; it may still run."""

    failure = FailureClass.CONNECTION_CUT


class DeadlineError(TransportError):
    """No answer within the command's deadline."""

    failure = FailureClass.TIMEOUT


class LoginShellError(TransportError):
    """The login shell does not run the line that starts a program; no program was sent."""

    failure = FailureClass.LOGIN_SHELL


class OutputLimitError(TransportError):
    """More output than is taken; what runs there may go on until its own deadline."""

    failure = FailureClass.OUTPUT_LIMIT
