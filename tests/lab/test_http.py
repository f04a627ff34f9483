import json
import socket
from collections.abc import Iterator

import pytest

from netbench.lab.api import http
from netbench.lab.api.http import HttpConnection, Request
from netbench.lab.api.wire import ClientGoneError


class Plain:
    """A connection without TLS."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def receive(self) -> bytes:
        if data := self._link.recv(10):  # few at once, so that requests come in pieces
            return data
        raise ClientGoneError("closed")

    def send(self, data: bytes) -> None:
        self._link.sendall(data)

    def wait(self, seconds: float | None = None) -> bool:
        return True


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, HttpConnection]]:
    client, server = socket.socketpair()
    client.settimeout(5)
    with client, server:
        yield client, HttpConnection(Plain(server))


def test_requests_follow_each_other_on_one_connection(ends: tuple[socket.socket, HttpConnection]) -> None:
    client, server = ends
    client.sendall(b"GET /api/v1/pods/?labelSelector=a%3Db&x HTTP/1.1\r\nHost: h\r\n\r\n")
    client.sendall(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
    first = server.request()
    assert first is not None
    assert (first.method, first.path, first.value("labelSelector"), first.values("x")) == (
        *("GET", "/api/v1/pods", "a=b"),
        [""],
    )
    server.respond(200, {"a": 1})
    assert b"200" in client.recv(1000)
    second = server.request()
    assert second is not None
    assert (second.path, second.body) == ("/x", b"hello")
    server.respond(404, {"kind": "Status"})
    head, _, body = client.recv(1000).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert json.loads(body) == {"kind": "Status"}
    client.shutdown(socket.SHUT_WR)
    assert server.request() is None


def test_going_over_to_another_protocol_keeps_what_has_come_of_it(ends: tuple[socket.socket, HttpConnection]) -> None:
    client, server = ends
    client.sendall(b"POST /e HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
    request = server.request()
    assert request is not None
    assert request.header("upgrade") == ["SPDY/3.1"]
    server.switch("SPDY/3.1", [("X-Stream-Protocol-Version", "v4.channel.k8s.io")])
    assert client.recv(1000).lower().startswith(b"http/1.1 101")
    assert server.request() is None


def test_a_refused_upgrade_leaves_the_connection_usable(ends: tuple[socket.socket, HttpConnection]) -> None:
    client, server = ends
    client.sendall(b"GET /e HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert server.request() is not None
    server.respond(400, {})
    client.sendall(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    request = server.request()
    assert request is not None
    assert request.path == "/next"


@pytest.mark.parametrize(
    "data", [b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel", b"\x16\x03\x01\r\n\r\n"]
)
def test_half_a_request_and_no_request(ends: tuple[socket.socket, HttpConnection], data: bytes) -> None:
    client, server = ends
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    with pytest.raises(ClientGoneError):
        server.request()


def test_too_large_a_body_is_refused(
    ends: tuple[socket.socket, HttpConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST", 3)
    client, server = ends
    client.sendall(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd")
    with pytest.raises(ClientGoneError, match="too much"):
        server.request()


def test_headers_that_are_lists_are_taken_apart() -> None:
    headers = [(b"x-stream-protocol-version", b"v5, v4"), (b"x-stream-protocol-version", b"v3")]
    assert Request("GET", "/", headers).header("X-Stream-Protocol-Version") == ["v5", "v4", "v3"]
