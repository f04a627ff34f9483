"""The server of every iperf3 probe, and the proof that a client's result is of it and of nobody else's traffic.

A server takes one test at a time, from whoever comes first, and binds no stream to the client: anybody who reaches its
port can have a test of his own, or have a UDP stream begin with his datagram. What it prints is alike in 3.1 to 3.21
(seen in 3.6, 3.7, 3.9, 3.10.1, 3.12 to 3.14, 3.16 to 3.21; 3.1 and 3.2 by their source)::

    Accepted connection from ADDRESS, port PORT              once a test, with its options read
          Cookie: 36 LETTERS AND DIGITS                      of that test; only with -V
    [  5] local ADDRESS port PORT connected to ADDRESS port PORT     once a stream
    Test Complete. Summary Results:                          the test's end; only with -V

What strangers do to it, as it was seen:

- While a test runs they are refused with one byte, and the server prints nothing: no load, so nothing is lost by it.
- A port scanner that connects and goes, or sends garbage, between tests gets no "Accepted connection": the server says
  "unable to receive parameters" (or "cookie") on stderr and listens again. No load either; such a step counts. (Garbage
  behind the 37 bytes of a cookie can end a server up to 3.13 by memory corruption: then the client fails.)
- A test of theirs, before ours or after it, is a second "Accepted connection". It has loaded both machines right beside
  our time, and what a UDP sender had under way may be counted as ours: the step is invalid.
- A datagram of theirs that comes first is a stream "connected to" another address than the test's: the step is invalid.
- Who knows the cookie, or forges the source's own address, is not seen. For that one must read the source's traffic, or
  be let through with its address: a matter of the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass, ServerCommand
from netbench.probes.failures import brief, check_size
from netbench.probes.iperf3 import Result
from netbench.probes.iperf3_json import TOOL, Size

MOST_TESTS = 100  # and streams of one, that are looked at: one test too many is enough
MOST_STREAMS = 1000

_LINE = re.compile(
    rb"""^(?:
        Accepted[ ]connection[ ]from[ ](?P<accepted>\S{1,80}),[ ]port[ ]\d{1,5}
        |[ \t]{1,20}Cookie:[ ](?P<cookie>\S{1,80})
        |\[[ ]{0,5}\d{1,6}\][ ]local[ ]\S{1,80}[ ]port[ ]\d{1,5}
            [ ]connected[ ]to[ ](?P<stream>\S{1,80})[ ]port[ ]\d{1,5}
        |(?P<complete>Test[ ]Complete\.[^\n]{0,80})
    )\r?$""",
    re.MULTILINE | re.VERBOSE,
)
_ENDED = b"the server has terminated"  # by our signal: it has written all it had to say
_MAPPED = "::ffff:"  # an IPv4 address on a socket for both families


@dataclass
class _Test:
    """A test as the server tells of it."""

    peer: str  # of the control connection
    cookie: str = ""
    streams: list[str] = field(default_factory=list)  # their peers
    complete: bool = False


def server(port: int, address: str) -> ServerCommand:
    """The server of every iperf3 probe. It is started afresh for each step: one that lost a client may stay busy."""
    return ServerCommand((TOOL, "-s", "-i", "1", "-p", str(port), "-V"), port, bind=("-B", address))


def prove(result: Result, said: Completed, size: Size) -> None:
    """Raise ParseError unless what the server said shows this client's test, all of it, and no other."""
    check_size(TOOL, said, size.all)
    tests = list(islice(_tests(said.stdout), MOST_TESTS))
    if not result.cookie:
        raise _unproven("the client gives no cookie")
    if not tests:
        if b"Server listening" in said.stdout:
            raise _unproven("the server that was started accepted no test: another one answered")
        raise _unproven(f"server output lost; it said: {brief(said.error_text) or 'nothing'}")
    if len(tests) > 1:
        peers = ", ".join(dict.fromkeys(test.peer for test in tests[:8]))
        raise _unproven(f"the server accepted {len(tests)} tests, from {peers}", "let only the source reach the port")
    (test,) = tests
    if not test.cookie:
        raise _unproven("server output lost: no cookie in it")
    if test.cookie != result.cookie:
        raise _unproven(f"the server's test is another one, from {test.peer}", "let only the source reach the port")
    strangers = [peer for peer in test.streams if peer != test.peer]
    if strangers:
        detail = f"{len(strangers)} of {len(test.streams)} streams came from {strangers[0]}, the test from {test.peer}"
        raise _unproven(detail, "let only the source reach the port, with TCP and UDP")
    streams = result.test.number("num_streams")
    if len(test.streams) != streams:
        raise _unproven(f"server output lost: {len(test.streams)} of {streams:g} streams in it")
    if not test.complete and _ENDED not in said.stdout and _ENDED not in said.stderr:
        raise _unproven("server output lost: it ends in the middle of the test")


def _tests(output: bytes) -> Iterator[_Test]:
    """Every test that the server accepted."""
    test: _Test | None = None
    for line in _LINE.finditer(output):
        found = line[line.lastgroup or 0].decode("ascii", "replace")
        if line.lastgroup == "accepted":
            if test is not None:
                yield test
            test = _Test(_address(found))
        elif test is None:
            continue
        elif line.lastgroup == "cookie":
            test.cookie = found
        elif line.lastgroup == "complete":
            test.complete = True
        elif len(test.streams) < MOST_STREAMS:
            test.streams.append(_address(found))
    if test is not None:
        yield test


def _address(text: str) -> str:
    return text.removeprefix(_MAPPED) if "." in text else text


def _unproven(reason: str, remedy: str = "") -> ParseError:
    message = f"{TOOL}: cannot prove that the result is of its own server: {reason}"
    return ParseError(message, remedy, failure=FailureClass.INVALID_RESULT)
