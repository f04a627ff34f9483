"""A TCP relay on loopback that can fall silent, as a firewall does that has forgotten a connection, or be down."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType


class Relay:
    """Hands every connection on to a port of this machine, or of another."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._left: int | None = None  # pieces that still come back
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = 0
        self._listen()

    def silence_after(self, pieces: int | None) -> None:
        """Let that many more pieces come back from the server and swallow what follows; None: let all pass."""
        self._left = pieces

    def cut(self) -> int:
        """End every connection there is, and return how many there were."""
        count = 0
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
                count += 1
        return count // 2  # one to each side

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Until the block ends, no connection is there and none can be made: they are refused."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        try:
            yield
        finally:
            self._listen()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)
        for each in (self._listener, *self._sockets):
            each.close()

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        self._threads.append(threading.Thread(target=self._accept, args=(self._listener,)))
        self._threads[-1].start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, sink, back in ((near, far, False), (far, near, True)):
                    self._threads.append(threading.Thread(target=self._hand_on, args=(source, sink, back)))
                    self._threads[-1].start()

    def _hand_on(self, source: socket.socket, sink: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if back and self._left is not None:
                    if self._left == 0:
                        continue
                    self._left -= 1
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
