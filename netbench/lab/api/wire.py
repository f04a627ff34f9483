"""A TLS connection that one thread reads and writes, waiting only where it must."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time

HANDSHAKE = 10.0  # seconds
STALLED = 60.0  # seconds a client may take no data before it counts as gone
FAREWELL = 5.0  # seconds a client has for closing its side
PIECE = 65536  # bytes read at once


class ClientGoneError(Exception):
    """The other side has closed the connection, or does not read any more."""


class Wire:
    """One accepted connection."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        """Shake hands. Raises ClientGoneError."""
        connection.settimeout(HANDSHAKE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._tls = context.wrap_socket(connection, server_side=True)
        except OSError as error:
            connection.close()
            raise ClientGoneError(str(error)) from error
        self._tls.setblocking(False)

    def fileno(self) -> int:
        return self._tls.fileno()

    def receive(self) -> bytes:
        """What has arrived; nothing where nothing has. Raises ClientGoneError at the end of the connection."""
        data = bytearray()
        while not data or self._tls.pending():  # what is pending is not seen by select
            try:
                piece = self._tls.recv(PIECE)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                raise ClientGoneError(str(error)) from error
            if not piece:
                raise ClientGoneError("closed")
            data += piece
        return bytes(data)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until something arrives; False where nothing did in that time."""
        return bool(select.select([self._tls], [], [], seconds)[0])

    def send(self, data: bytes) -> None:
        """Send all of it. Raises ClientGoneError."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._tls.send(rest) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                if not select.select([], [self._tls], [], STALLED)[1]:
                    raise ClientGoneError("takes no data") from None
            except OSError as error:
                raise ClientGoneError(str(error)) from error

    def close(self) -> None:
        """Say that nothing more comes, and let the client close first: a reset would destroy what is on its way."""
        with contextlib.suppress(OSError):
            self._tls.unwrap()  # tells the client, and does not wait for its answer
        with contextlib.suppress(ClientGoneError, OSError):
            self._tls.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + FAREWELL
            while self.wait(max(0.0, deadline - time.monotonic())):
                self.receive()
        self._tls.close()
