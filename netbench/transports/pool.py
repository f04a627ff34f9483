"""One transport for each way to an endpoint, for a whole run."""

from __future__ import annotations

from importlib.metadata import entry_points
from threading import Lock
from types import TracebackType

from netbench.errors import UsageError
from netbench.model import Access
from netbench.transports.base import ConnectOptions, Factory, Transport

GROUP = "netbench.transports"


class Pool:
    """Makes transports by the entry point that ``Access.transport`` names, and keeps them until it is closed."""

    def __init__(self, options: ConnectOptions | None = None) -> None:
        self.options = options or ConnectOptions()
        self._transports: dict[Access, Transport] = {}
        self._lock = Lock()

    def get(self, access: Access) -> Transport:
        """The one transport for that access. Nothing is opened before its first command."""
        with self._lock:
            found = self._transports.get(access)
        if found is not None:
            return found
        made = _factory(access.transport)(access, self)
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


def _factory(name: str) -> Factory:
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            factory: Factory = entry.load()
            return factory
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
    raise UsageError(
        f"no transport is called {name!r}", f"installed transports: {known}; reinstall netbench or a plugin"
    )
