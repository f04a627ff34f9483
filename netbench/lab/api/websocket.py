"""Exec over WebSocket: one message a piece, its first byte the channel (``v5.channel.k8s.io``, ``v4``)."""

from __future__ import annotations

import contextlib
import json

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Message, Ping
from wsproto.events import Request as Opening
from wsproto.utilities import ProtocolError

from netbench.lab.api.discovery import Json
from netbench.lab.api.http import Request
from netbench.lab.api.statuses import ApiError
from netbench.lab.api.wire import ClientGoneError, Wire

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, ERROR, CLOSE = 0, 3, 255  # CLOSE, from v5 on: the message's second byte is the channel that ends
OUTPUTS = {"stdout": 1, "stderr": 2}


class WebSocketClient:
    """See ``execution.Client``."""

    def __init__(self, wire: Wire, request: Request, surplus: bytes) -> None:
        """Accept the WebSocket. Raises ApiError (400) where no protocol is shared."""
        offered = request.header("Sec-WebSocket-Protocol")
        protocol = next((name for name in PROTOCOLS if name in offered), None)
        if protocol is None:
            raise ApiError(400, f"unable to upgrade: none of the subprotocols {offered} is served, only {PROTOCOLS}")
        self._wire = wire
        self._state = WSConnection(ConnectionType.SERVER)
        self._message = bytearray()
        self._pieces: list[bytes] = []
        try:
            self._state.initiate_upgrade_connection(list(request.headers), request.target)
        except ProtocolError as error:
            raise ApiError(400, f"unable to upgrade: {error}") from error
        opening = next(self._state.events())
        if not isinstance(opening, Opening):
            raise ApiError(400, "unable to upgrade: not a WebSocket request")
        self._send(AcceptConnection(subprotocol=protocol))
        self._take(surplus)

    def fileno(self) -> int:
        return self._wire.fileno()

    def receive(self) -> list[bytes]:
        self._take(self._wire.receive())
        pieces, self._pieces = self._pieces, []
        return pieces

    def send(self, stream: str, data: bytes) -> None:
        self._send(BytesMessage(data=bytes((OUTPUTS[stream],)) + data))

    def finish(self, status: Json) -> None:
        self._send(BytesMessage(data=bytes((ERROR,)) + json.dumps(status).encode()))
        self._send(CloseConnection(code=1000))

    def _send(self, event: Event) -> None:
        self._wire.send(self._state.send(event))

    def _take(self, data: bytes) -> None:
        if not data:
            return
        try:
            self._state.receive_data(data)
            events = list(self._state.events())
        except ProtocolError as error:
            raise ClientGoneError(str(error)) from error
        for event in events:
            if isinstance(event, Ping):
                self._send(event.response())
            elif isinstance(event, CloseConnection):
                with contextlib.suppress(ClientGoneError):
                    self._send(event.response())
                raise ClientGoneError("closed")
            elif isinstance(event, Message):
                self._message += event.data.encode() if isinstance(event.data, str) else event.data
                if event.message_finished:
                    self._dispatch(bytes(self._message))
                    self._message.clear()

    def _dispatch(self, message: bytes) -> None:
        if message[:1] == bytes((STDIN,)) and message[1:]:
            self._pieces.append(message[1:])
        elif message[:2] == bytes((CLOSE, STDIN)):
            self._pieces.append(b"")
