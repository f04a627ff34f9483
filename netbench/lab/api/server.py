"""The API endpoint's process: TLS, the token, a thread a connection."""

from __future__ import annotations

import hmac
import logging
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass

from netbench.lab.api.execution import Client, execute
from netbench.lab.api.http import HttpConnection, Request
from netbench.lab.api.routes import Shown, answer, exec_request
from netbench.lab.api.spdy_client import SpdyClient
from netbench.lab.api.statuses import ApiError
from netbench.lab.api.websocket import WebSocketClient
from netbench.lab.api.wire import ClientGoneError, Wire
from netbench.lab.spec import API_PORT, BASTION, LabSpec
from netbench.lab.state import LabState, read_json

BACKLOG = 128  # connections that wait for their thread

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """What every connection is served with."""

    shown: Shown
    token: str

    def serve(self, wire: Wire) -> None:
        """Answer a connection's requests until it is closed, or until the exec on it has ended."""
        http = HttpConnection(wire)
        while request := http.request():
            try:
                if self._respond(request, wire, http):
                    return
            except ApiError as error:
                http.respond(error.code, error.status())

    def _respond(self, request: Request, wire: Wire, http: HttpConnection) -> bool:
        """Answer one request. True where it took over the connection."""
        offered = request.header("Authorization")
        if not offered or not hmac.compare_digest(offered[0].encode(), f"Bearer {self.token}".encode()):
            raise ApiError(401, "Unauthorized")
        with suppress(FileNotFoundError):
            raise ApiError(read_json(self.shown.state.api)["fail"], "the lab's API was told to fail")
        wanted = exec_request(request, self.shown)
        if wanted is None:
            http.respond(200, answer(request, self.shown))
            return False
        execute(wanted, self._upgrade(request, wire, http, wanted.streams))
        return True

    def _upgrade(self, request: Request, wire: Wire, http: HttpConnection, streams: set[str]) -> Client:
        protocol = (request.header("Upgrade") or [""])[0].lower()
        if protocol == "websocket":
            return WebSocketClient(wire, request, http.surplus())
        if protocol == "spdy/3.1":
            return SpdyClient(wire, http, request, streams)
        raise ApiError(400, "unable to upgrade: the request asks for neither websocket nor SPDY/3.1")


def listen(state: LabState) -> None:
    """Serve a lab on its bastion's address. Never returns."""
    shown = Shown(LabSpec.from_json(read_json(state.spec)), state)
    server = Server(shown, (state.tls / "token").read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state.tls / "server.pem")
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_server((BASTION, API_PORT), backlog=BACKLOG) as listener:
        while True:
            connection, peer = listener.accept()
            name = f"client {peer[0]}:{peer[1]}"
            threading.Thread(target=_connection, args=(server, connection, context), name=name, daemon=True).start()


def _connection(server: Server, connection: socket.socket, context: ssl.SSLContext) -> None:
    try:
        wire = Wire(connection, context)
    except ClientGoneError as error:
        log.info("no TLS: %s", error)
        return
    try:
        server.serve(wire)
    except ClientGoneError as error:
        log.info("gone: %s", error)
    finally:
        wire.close()
