"""HTTP/1.1 as the API needs it: whole requests in, JSON out, and the way over to another protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import h11

from netbench.lab.api.wire import ClientGoneError

LARGEST = 1_000_000  # bytes of a request's body


class Link(Protocol):
    """What requests come from (see ``wire.Wire``)."""

    def receive(self) -> bytes: ...

    def send(self, data: bytes) -> None: ...

    def wait(self, seconds: float | None = None) -> bool: ...


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path.rstrip("/")

    def values(self, name: str) -> list[str]:
        """What the query says under that name."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True).get(name, [])

    def value(self, name: str) -> str:
        return (self.values(name) or [""])[0]

    def header(self, name: str) -> list[str]:
        """The values of a header, those that are lists by commas taken apart."""
        wanted = name.lower().encode()
        texts = [value.decode("latin-1") for key, value in self.headers if key == wanted]
        return [part.strip() for text in texts for part in text.split(",")]


class HttpConnection:
    """The server's side of one connection."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._state = h11.Connection(h11.SERVER)

    def request(self) -> Request | None:
        """The next request; None when there is no more. Raises ClientGoneError for half of one, or none at all."""
        if self._state.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._state.start_next_cycle()
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST:
                    raise ClientGoneError("sends too much")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return Request(head.method.decode(), head.target.decode(), list(head.headers), bytes(body))
            else:  # the connection was closed, or may not be used again
                return None

    def respond(self, code: int, answer: object) -> None:
        """Answer with JSON."""
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        self._send(h11.Response(status_code=code, headers=headers), h11.Data(data=body), h11.EndOfMessage())

    def switch(self, protocol: str, headers: Sequence[tuple[str, str]] = ()) -> bytes:
        """Go over to the protocol asked for. Returns what of it has arrived already."""
        every = [("Connection", "Upgrade"), ("Upgrade", protocol), *headers]
        self._send(h11.InformationalResponse(status_code=101, headers=every))
        return self.surplus()

    def surplus(self) -> bytes:
        """What came after the request."""
        return self._state.trailing_data[0]

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._state.next_event()) is h11.NEED_DATA:
                self._link.wait()
                try:
                    data = self._link.receive()
                except ClientGoneError:
                    self._state.receive_data(b"")
                else:
                    if data:
                        self._state.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise ClientGoneError(str(error)) from error
        return event

    def _send(self, *events: h11.Event) -> None:
        self._link.send(b"".join(self._state.send(event) or b"" for event in events))
