"""Exec over SPDY/3.1: the client opens one stream each for errors and for stdin, stdout and stderr."""

from __future__ import annotations

import json
import time

from netbench.lab.api.discovery import Json
from netbench.lab.api.http import HttpConnection, Request
from netbench.lab.api.spdy import GOAWAY, PING, RST_STREAM, SYN_REPLY, SYN_STREAM, Frame, Framer, SpdyError
from netbench.lab.api.statuses import ApiError
from netbench.lab.api.wire import ClientGoneError, Wire

PROTOCOL = "v4.channel.k8s.io"
HEADER = "X-Stream-Protocol-Version"
PATIENCE = 30.0  # seconds the client has to open its streams


class SpdyClient:
    """See ``execution.Client``."""

    def __init__(self, wire: Wire, http: HttpConnection, request: Request, wanted: set[str]) -> None:
        """Go over to SPDY and wait for the streams that are wanted. Raises ApiError (400) or ClientGoneError."""
        offered = request.header(HEADER)
        if PROTOCOL not in offered:
            raise ApiError(400, f"unable to upgrade: unable to negotiate protocol: client supports {offered}")
        self._wire = wire
        self._framer = Framer()
        self._streams: dict[str, int] = {}
        self._pieces: list[bytes] = []
        self._take(http.switch("SPDY/3.1", [(HEADER, PROTOCOL)]))
        deadline = time.monotonic() + PATIENCE
        while not self._streams.keys() >= wanted | {"error"}:
            if not wire.wait(max(0.0, deadline - time.monotonic())):
                raise ClientGoneError("opens no streams")
            self._take(wire.receive())

    def fileno(self) -> int:
        return self._wire.fileno()

    def receive(self) -> list[bytes]:
        self._take(self._wire.receive())
        pieces, self._pieces = self._pieces, []
        return pieces

    def send(self, stream: str, data: bytes) -> None:
        self._wire.send(self._framer.data(self._streams[stream], data))

    def finish(self, status: Json) -> None:
        frames = [self._framer.data(self._streams["error"], json.dumps(status).encode())]
        frames += [self._framer.data(number, b"", fin=True) for number in self._streams.values()]
        self._wire.send(b"".join(frames))

    def _take(self, data: bytes) -> None:
        try:
            frames = self._framer.feed(data)
        except SpdyError as error:
            raise ClientGoneError(str(error)) from error
        for frame in frames:
            self._dispatch(frame)

    def _dispatch(self, frame: Frame) -> None:
        if frame.type == SYN_STREAM:
            self._streams[frame.headers.get("streamtype", "")] = frame.number
            reply = self._framer.headers({})
            self._wire.send(self._framer.control(SYN_REPLY, frame.number, 0, reply))
        elif frame.type == PING and frame.number % 2:  # the client's have odd numbers
            self._wire.send(self._framer.control(PING, frame.number))
        elif frame.type == GOAWAY:
            raise ClientGoneError("goes away")
        elif frame.type in (0, RST_STREAM) and frame.number == self._streams.get("stdin"):
            if frame.data:
                self._pieces.append(frame.data)
            if frame.fin or frame.type == RST_STREAM:
                self._pieces.append(b"")
