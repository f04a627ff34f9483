"""How many bits a second TCP brings across: iperf3 with parallel streams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netbench.errors import UsageError
from netbench.model import Better, Completed, Flag, InstanceType, Measurement, Metric, Sample, ServerCommand
from netbench.probes import iperf3
from netbench.probes.base import sample
from netbench.probes.iperf3_json import Size
from netbench.probes.iperf3_server import prove, server
from netbench.probes.options import check_port, check_range, check_word

THROUGHPUT = Metric("throughput", "bit/s", Better.HIGHER)  # received
RETRANSMITS = Metric("retransmits", "1")  # segments, all streams; left out where the sender's system does not count
SENDER_CPU = Metric("sender_cpu", "1")  # cores: 1.0 is one core all the time, iperf3's percentage / 100
RECEIVER_CPU = Metric("receiver_cpu", "1")

AUTO = "auto"
MOST = 128  # streams that iperf3 takes
BUSY = 0.95  # of the cores iperf3 can use, from which on it is what was measured


@dataclass(frozen=True)
class Throughput:
    """``iperf3 -c ADDRESS -t duration -P parallel -p port``."""

    name: ClassVar[str] = "throughput"
    metrics: ClassVar[tuple[Metric, ...]] = (THROUGHPUT, RETRANSMITS, SENDER_CPU, RECEIVER_CPU)
    source_tools: ClassVar[tuple[str, ...]] = ("iperf3",)
    destination_tools: ClassVar[tuple[str, ...]] = ("iperf3",)

    duration: int = 45  # seconds
    parallel: int | str = 4  # streams; AUTO: one for each queue of the source's NIC
    port: int = 16000

    def __post_init__(self) -> None:
        check_range(self.name, "duration", self.duration, 1, 86400)
        if isinstance(self.parallel, str):
            check_word(self.name, "parallel", self.parallel, (AUTO,))
        else:
            check_range(self.name, "parallel", self.parallel, 1, MOST)
        check_port(self.name, self.port)

    @property
    def seconds(self) -> float:
        """How long the client takes when all goes well."""
        return float(self.duration)

    def for_source(self, node: str, kind: InstanceType | None) -> Throughput:
        """With the number of streams for that node, of that instance type, as the source.

        Raises UsageError where parallel is AUTO and the number of its NIC's queues is not known.
        """
        if not isinstance(self.parallel, str):
            return self
        if kind is None or kind.queues is None:
            what = f"the instance type {kind.name}" if kind else "its instance type"
            raise UsageError(
                f"{self.name}: parallel={self.parallel} needs the number of {node}'s NIC queues, and for {what} there "
                "is none",
                "state queues under netbench_instance_types in the inventory, or give parallel a number",
            )
        return replace(self, parallel=min(kind.queues, MOST))

    def client(self, address: str) -> tuple[str, ...]:
        """The exact argv that runs on the source."""
        if isinstance(self.parallel, str):
            raise UsageError(f"{self.name}: parallel={self.parallel} needs to be told the source", "use for_source")
        options = ("-t", str(self.duration), "-P", str(self.parallel), "-p", str(self.port))
        return ("iperf3", "-c", address, *options, "-J")

    def server(self, address: str) -> ServerCommand:
        """What must listen on the destination."""
        return server(self.port, address)

    @property
    def output_limit(self) -> int:
        """Bytes, for one interim report a second with all streams."""
        return self._size.all

    @property
    def _size(self) -> Size:
        return Size(MOST if isinstance(self.parallel, str) else self.parallel, self.duration + 2)

    def parse(self, client: Completed) -> Measurement:
        """Read iperf3's JSON. Raises ParseError."""
        result = iperf3.read(client, self._size)
        result.check(protocol="TCP", streams=None if isinstance(self.parallel, str) else self.parallel)
        streams = len(result.end.sections("streams"))
        sent = result.end.section("sum_sent")
        outgoing, _ = iperf3.transfer(sent, self.duration)
        received, seconds = iperf3.transfer(result.end.section("sum_received"), self.duration)
        samples = [sample(THROUGHPUT, received * 8 / seconds)]
        again = sent.number("retransmits") if sent.has("retransmits") else None
        if again is not None:
            samples.append(sample(RETRANSMITS, again))
        facts = {"iperf3": result.version, "streams": str(streams)}
        if result.end.has("sender_tcp_congestion"):  # from 3.2 on
            facts["sender_tcp_congestion"] = result.end.text("sender_tcp_congestion")
        busy = [
            sample(metric, cores)
            for metric, side in ((SENDER_CPU, "host"), (RECEIVER_CPU, "remote"))
            if (cores := iperf3.cpu(result.end, side)) is not None
        ]
        flags = (
            *_cpu_bound(busy, streams if result.many_threads else 1),
            *iperf3.clipped(seconds, self.duration),
            *iperf3.idle(result.end, self.duration),
        )
        moved = iperf3.moved(outgoing, received, result, again or 0)
        return Measurement((*samples, *busy), facts, flags, moved)

    def prove(self, client: Completed, server: Completed) -> None:
        """Raise ParseError unless the server's own output shows this test, and no other."""
        prove(iperf3.read(client, self._size), server, self._size)


def _cpu_bound(busy: list[Sample], usable: int) -> tuple[Flag, ...]:
    """The receiver is taken for the sender's version: the preflight sees to that."""
    return tuple(
        Flag("cpu-bound", f"{used.metric} is {used.value:.2f} of the {usable} cores that iperf3 can use")
        for used in busy
        if used.value >= BUSY * usable
    )
