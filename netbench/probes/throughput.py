"""How many bits a second TCP brings across: iperf3 with parallel streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netbench.model import Better, Completed, Flag, Measurement, Metric, Sample, ServerCommand
from netbench.probes import iperf3
from netbench.probes.base import sample
from netbench.probes.options import check_port, check_range

THROUGHPUT = Metric("throughput", "bit/s", Better.HIGHER)  # received
RETRANSMITS = Metric("retransmits", "1")  # segments, all streams; left out where the sender's system does not count
SENDER_CPU = Metric("sender_cpu", "1")  # cores: 1.0 is one core all the time, iperf3's percentage / 100
RECEIVER_CPU = Metric("receiver_cpu", "1")

BUSY = 0.95  # of the cores iperf3 can use, from which on it is what was measured


@dataclass(frozen=True)
class Throughput:
    """``iperf3 -c ADDRESS -t duration -P parallel -p port``."""

    name: ClassVar[str] = "throughput"
    metrics: ClassVar[tuple[Metric, ...]] = (THROUGHPUT, RETRANSMITS, SENDER_CPU, RECEIVER_CPU)
    source_tools: ClassVar[tuple[str, ...]] = ("iperf3",)
    destination_tools: ClassVar[tuple[str, ...]] = ("iperf3",)

    duration: int = 45  # seconds
    parallel: int = 4  # streams
    port: int = 16000

    def __post_init__(self) -> None:
        check_range(self.name, "duration", self.duration, 1, 86400)
        check_range(self.name, "parallel", self.parallel, 1, 128)
        check_port(self.name, self.port)

    @property
    def seconds(self) -> float:
        """How long the client takes when all goes well."""
        return float(self.duration)

    def client(self, address: str) -> tuple[str, ...]:
        """The exact argv that runs on the source."""
        options = ("-t", str(self.duration), "-P", str(self.parallel), "-p", str(self.port))
        return ("iperf3", "-c", address, *options, "-J")

    def server(self) -> ServerCommand:
        """What must listen on the destination."""
        return iperf3.server(self.port)

    def parse(self, client: Completed) -> Measurement:
        """Read iperf3's JSON. Raises ParseError."""
        result = iperf3.read(client)
        result.check(protocol="TCP", streams=self.parallel)
        sent = result.end.section("sum_sent")
        iperf3.transfer(sent, self.duration)
        received, seconds = iperf3.transfer(result.end.section("sum_received"), self.duration)
        samples = [sample(THROUGHPUT, received * 8 / seconds)]
        if sent.has("retransmits"):
            samples.append(sample(RETRANSMITS, sent.number("retransmits")))
        facts = {"iperf3": result.version, "streams": str(self.parallel)}
        if result.end.has("sender_tcp_congestion"):  # from 3.2 on
            facts["sender_tcp_congestion"] = result.end.text("sender_tcp_congestion")
        busy = [
            sample(metric, cores)
            for metric, side in ((SENDER_CPU, "host"), (RECEIVER_CPU, "remote"))
            if (cores := iperf3.cpu(result.end, side)) is not None
        ]
        return Measurement((*samples, *busy), facts, self._cpu_bound(result, busy))

    def _cpu_bound(self, result: iperf3.Result, busy: list[Sample]) -> tuple[Flag, ...]:
        """The receiver is taken for the sender's version: the preflight sees to that."""
        usable = self.parallel if result.many_threads else 1
        return tuple(
            Flag("cpu-bound", f"{used.metric} is {used.value:.2f} of the {usable} cores that iperf3 can use")
            for used in busy
            if used.value >= BUSY * usable
        )
