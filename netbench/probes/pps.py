"""How many small datagrams a second get across: iperf3 with UDP and the smallest payload."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from netbench.errors import ParseError, UsageError
from netbench.model import Better, Completed, FailureClass, Flag, Measurement, Metric, Moved, ServerCommand
from netbench.probes import iperf3
from netbench.probes.base import sample
from netbench.probes.iperf3_json import Section, Size, invalid
from netbench.probes.iperf3_server import prove, server
from netbench.probes.options import check_port, check_range

RECEIVED = Metric("pps_received", "packets/s", Better.HIGHER)
SENT = Metric("pps_sent", "packets/s")
LOSS = Metric("loss", "1", Better.LOWER)  # of the packets sent
JITTER = Metric("jitter", "s", Better.LOWER)

CEILING = 0.95  # of the rate asked for, from which on the generator was measured and not the path
BUSY = 0.95  # of the one core a single stream can use
NEARLY_ALL = 0.99  # of what was sent, from which on the path would have carried more: where it is full, it drops
SURPLUS = 1.01  # received per sent, from which on something on the way must have made packets

_BITRATE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)([kmgt]?)", re.ASCII | re.IGNORECASE)
_DECIMAL = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


@dataclass(frozen=True)
class _Traffic:
    """What went out and came in: packets, and the seconds that each end took for them."""

    sent: float
    sending: float
    received: float
    receiving: float
    jitter: float  # seconds
    estimated: bool = False  # received is what was sent less what was counted as lost


@dataclass(frozen=True)
class Pps:
    """``iperf3 -u -l length -b bitrate -t duration -c ADDRESS -i interval -p port -A cpu``."""

    name: ClassVar[str] = "pps"
    metrics: ClassVar[tuple[Metric, ...]] = (RECEIVED, SENT, LOSS, JITTER)
    source_tools: ClassVar[tuple[str, ...]] = ("iperf3",)
    destination_tools: ClassVar[tuple[str, ...]] = ("iperf3",)

    duration: int = 45  # seconds
    length: int = 16  # bytes of payload; 16 is the least that iperf3 takes
    bitrate: str = "100m"  # payload bit/s, decimal: 100k, 100m, 1.5g; 0 is without limit
    port: int = 16000
    interval: float = 1  # seconds between interim reports
    cpu: int | None = 0  # the source's CPU that iperf3 is pinned to; None leaves that to the scheduler

    def __post_init__(self) -> None:
        check_range(self.name, "duration", self.duration, 1, 86400)
        check_range(self.name, "length", self.length, 16, 65507)
        check_port(self.name, self.port)
        if self.interval != 0:
            check_range(self.name, "interval", self.interval, 0.1, 60)
        if self.cpu is not None:
            check_range(self.name, "cpu", self.cpu, 0, 1023)
        _bits(self.bitrate)

    @property
    def seconds(self) -> float:
        """How long the client takes when all goes well."""
        return float(self.duration)

    @property
    def ceiling(self) -> float:
        """The most packets a second that the generator makes at its bitrate; 0 where that has no limit."""
        return _bits(self.bitrate) / (8 * self.length)

    def client(self, address: str) -> tuple[str, ...]:
        """The exact argv that runs on the source."""
        load = ("-u", "-l", str(self.length), "-b", self.bitrate, "-t", str(self.duration))
        pinned = () if self.cpu is None else ("-A", str(self.cpu))
        return ("iperf3", *load, "-c", address, "-i", f"{self.interval:g}", "-p", str(self.port), *pinned, "-J")

    def server(self, address: str) -> ServerCommand:
        """What must listen on the destination."""
        return server(self.port, address)

    @property
    def output_limit(self) -> int:
        """Bytes, for the interim reports of that many seconds."""
        return self._size.all

    @property
    def _size(self) -> Size:
        return Size(1, math.ceil(self.duration / self.interval) + 2)

    def parse(self, client: Completed) -> Measurement:
        """Read iperf3's JSON. Raises ParseError."""
        result = iperf3.read(client, self._size)
        result.check(protocol="UDP", streams=1)
        size = result.test.number("blksize")
        if size != self.length:
            invalid(f"it sent datagrams of {size:g} bytes, not {self.length}")
        traffic = self._bytes(result.end) if result.end.has("sum_received") else self._counters(result.end)
        samples = (
            sample(RECEIVED, traffic.received / traffic.receiving),
            sample(SENT, traffic.sent / traffic.sending),
            sample(LOSS, max(0.0, 1 - traffic.received / traffic.sent)),
            sample(JITTER, traffic.jitter),
        )
        moved = Moved(
            forth=traffic.sent * (self.length + iperf3.UDP_HEADERS),
            arrived=traffic.received * self.length,
            packets=traffic.sent,
        )
        return Measurement(samples, {"iperf3": result.version}, tuple(self._flags(traffic, result.end)), moved)

    def prove(self, client: Completed, server: Completed) -> None:
        """Raise ParseError unless the server's own output shows this test, and no other."""
        prove(iperf3.read(client, self._size), server, self._size)

    def _bytes(self, end: Section) -> _Traffic:
        """From 3.11 on. Its counters mislead: ``packets`` is the highest sequence number that arrived, and what
        ``lost_packets`` counts depends on both versions. Up to 3.14 they count what was never sent, too."""
        sent, received = end.section("sum_sent"), end.section("sum_received")
        if received.number("bytes") == 0:
            raise _nothing()
        outgoing, sending = iperf3.transfer(sent, self.duration)
        incoming, receiving = iperf3.transfer(received, self.duration)
        jitter = received.number("jitter_ms") / 1000
        return _Traffic(outgoing / self.length, sending, incoming / self.length, receiving, jitter)

    def _counters(self, end: Section) -> _Traffic:
        """Up to 3.10: ``sum`` mixes the sender's packets and bytes with the losses and seconds of the receiver.

        A loss is a gap between two datagrams that arrived, so what is missing at the end counts as received; where
        nothing arrived at all, everything does, and only the jitter of exactly zero gives it away.
        """
        total, sender = end.section("sum"), end.sections("streams")[0].section("udp")
        received = total.number("packets") - total.number("lost_packets")
        jitter = total.number("jitter_ms") / 1000
        if received <= 0 or jitter == 0:
            raise _nothing()
        outgoing, sending = iperf3.transfer(sender, self.duration)
        receiving = iperf3.lasted(total, self.duration)
        return _Traffic(outgoing / self.length, sending, received, receiving, jitter, estimated=True)

    def _flags(self, traffic: _Traffic, end: Section) -> Iterator[Flag]:
        sent = traffic.sent / traffic.sending
        if 0 < CEILING * self.ceiling <= sent:
            detail = f"{sent:.0f} packets/s were sent, and the generator's ceiling is {self.ceiling:.0f} packets/s"
            yield Flag("generator-ceiling", detail)
        elif NEARLY_ALL <= traffic.received / traffic.sent <= SURPLUS and not traffic.estimated:
            detail = f"{traffic.received / traffic.sent:.2%} of {sent:.0f} packets/s arrived"
            yield Flag("sender-limited", f"{detail}: the sender made no more, and the path was not filled")
        cores = iperf3.cpu(end, "host")
        if cores is not None and cores >= BUSY:
            yield Flag("cpu-bound", f"the sender kept {cores:.2f} of the one core busy that a single stream can use")
        if traffic.received > SURPLUS * traffic.sent:
            detail = f"{traffic.received:.0f} packets arrived of {traffic.sent:.0f} sent: something repeats them"
            yield Flag("surplus", detail)
        yield from iperf3.clipped(traffic.receiving, self.duration)
        if traffic.estimated:
            yield Flag(
                "received-estimated", "this iperf3 tells what was sent and lost; from 3.11 on it tells what arrived"
            )


def _bits(bitrate: str) -> float:
    match = _BITRATE.fullmatch(bitrate)
    if match is None:
        remedy = "give it as in 500k, 100m or 1g, decimal; 0 is without limit"
        raise UsageError(f"{Pps.name}: bitrate={bitrate} cannot be", remedy)
    return float(match[1]) * _DECIMAL[match[2].lower()]


def _nothing() -> ParseError:
    return ParseError(
        "iperf3: no datagram arrived",
        "let UDP through on the probe's port, on both ends and on the way",
        failure=FailureClass.INVALID_RESULT,
    )
