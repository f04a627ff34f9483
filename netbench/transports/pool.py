"""One transport for each way to an endpoint, for a whole run."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from threading import Lock
from types import TracebackType

from netbench.errors import NetbenchError, UsageError
from netbench.model import Access, Command, Completed
from netbench.transports.base import ConnectOptions, Factory, OnOutput, Transport

GROUP = "netbench.transports"

#: Called before a command is sent; what it returns, with how that ended and as whom it was run ("": not known).
Watch = Callable[[Access, Command], Callable[[Completed | NetbenchError, str], None]]


class Pool:
    """Makes transports by the entry point that ``Access.transport`` names, and keeps them until it is closed."""

    def __init__(self, options: ConnectOptions | None = None, watch: Watch | None = None) -> None:
        """``watch`` is told of every command that goes through a transport of this pool."""
        self.options = options or ConnectOptions()
        self._watch = watch
        self._transports: dict[Access, Transport] = {}
        self._lock = Lock()

    def get(self, access: Access) -> Transport:
        """The one transport for that access. Nothing is opened before its first command."""
        found = self.bare(access)
        return Watched(access, found, self._watch) if self._watch else found

    def bare(self, access: Access) -> Transport:
        """The same without anybody watching: for transports that build upon it."""
        with self._lock:
            found = self._transports.get(access)
        if found is not None:
            return found
        made = _factory(access.transport)(access, _Bare(self))
        with self._lock:
            return self._transports.setdefault(access, made)

    def close(self) -> None:
        """Close every transport, wrapped ones after those that wrap them."""
        with self._lock:
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in reversed(transports):
            transport.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class Watched:
    """A transport whose commands are told to somebody as they are sent, and as they end."""

    def __init__(self, access: Access, inner: Transport, watch: Watch) -> None:
        self._access, self._inner, self._watch = access, inner, watch

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        ended = self._watch(self._access, command)
        try:
            done = self._inner.run(command, on_output)
        except NetbenchError as error:
            ended(error, self._who)
            raise
        ended(done, self._who)
        return done

    @property
    def _who(self) -> str:
        return str(getattr(self._inner, "who", ""))

    def close(self) -> None:
        self._inner.close()


class _Bare:
    """What a transport's factory gets."""

    def __init__(self, pool: Pool) -> None:
        self.options, self.get = pool.options, pool.bare


def _factory(name: str) -> Factory:
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            factory: Factory = entry.load()
            return factory
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
    raise UsageError(
        f"no transport is called {name!r}", f"installed transports: {known}; reinstall netbench or a plugin"
    )
