"""How long a small packet takes there and back: ping of iputils, BusyBox or GNU inetutils."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from netbench.errors import ParseError
from netbench.model import Better, Completed, FailureClass, Flag, Measurement, Metric, Moved, ServerCommand
from netbench.probes.base import sample
from netbench.probes.failures import Rule, brief, check_size, ended_early, explain, said
from netbench.probes.options import check_range

AVERAGE = Metric("latency_avg", "s", Better.LOWER)
LEAST = Metric("latency_min", "s", Better.LOWER)
MOST = Metric("latency_max", "s", Better.LOWER)
DEVIATION = Metric("latency_mdev", "s", Better.LOWER)  # of the population; BusyBox does not tell it
LOSS = Metric("loss", "1", Better.LOWER)

FRAME = 14 + 40 + 8 + 56  # bytes of an echo at most: Ethernet, IPv6 (IPv4: 20 less), ICMP, ping's own payload
LINE = 512  # bytes an answer; about 70, more with names and a duplicate of it
REST = 64 * 1024  # bytes of all else that ping prints
LEAST_FRAME = 20 + 8 + 56  # with IPv4, on a device without Ethernet's header

_RULES = (
    # "Operation not permitted" is the kernel's answer both to a socket without NET_RAW and to a packet that a filter
    # of the source drops
    Rule(
        "operation not permitted|permission denied|cap_net_raw",
        FailureClass.PERMISSION,
        "let the source ping: it needs the capability NET_RAW, or its group in net.ipv4.ping_group_range; where it has "
        "that, its packet filter drops what it sends",
    ),
    Rule("cannot flood", FailureClass.PERMISSION, "raise the probe's option interval; only root may ping that often"),
    Rule(
        "unknown host|bad address|name or service not known|name resolution|no address associated",
        FailureClass.UNREACHABLE,
        "check the destination's address in the inventory",
    ),
    Rule(
        "network is unreachable|no route to host|host is unreachable|address family",
        FailureClass.UNREACHABLE,
        "check the source's routes",
    ),
    Rule(
        "usage:|invalid (argument|option|number|value)|option requires|unrecognized option",
        FailureClass.TOOL_FAILED,
        "check the probe's options",
    ),
)

_COUNTS = re.compile(
    r"^(?P<sent>\d{1,12}) packets transmitted, (?P<received>\d{1,12}) (?:packets )?received(?P<rest>,.*)$", re.MULTILINE
)
_DUPLICATES = re.compile(r"\+?(\d{1,12}) duplicates")
_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"
_TIMES = re.compile(  # mdev: iputils; stddev: inetutils; neither: BusyBox
    rf"^(?:rtt|round-trip) min/avg/max(?P<has>/mdev|/stddev)? = {_NUMBER}/{_NUMBER}/{_NUMBER}(?:/{_NUMBER})? ms\b",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Latency:
    """``ping -c count ADDRESS``. Averages include duplicates, as ping's own do."""

    name: ClassVar[str] = "latency"
    metrics: ClassVar[tuple[Metric, ...]] = (AVERAGE, LEAST, MOST, DEVIATION, LOSS)
    source_tools: ClassVar[tuple[str, ...]] = ("ping",)
    destination_tools: ClassVar[tuple[str, ...]] = ()

    count: int = 30  # packets
    interval: float | None = None  # seconds between packets; None is ping's own, 1 s. Under 0.2 s may need root

    def __post_init__(self) -> None:
        check_range(self.name, "count", self.count, 1, 1_000_000)
        if self.interval is not None:
            check_range(self.name, "interval", self.interval, 0.001, 3600)

    @property
    def seconds(self) -> float:
        """How long the client takes when all goes well."""
        return (self.count - 1) * (1.0 if self.interval is None else self.interval)

    def client(self, address: str) -> tuple[str, ...]:
        """The exact argv that runs on the source."""
        pace = () if self.interval is None else ("-i", f"{self.interval:g}")
        return ("ping", "-c", str(self.count), *pace, address)

    def server(self, address: str) -> ServerCommand | None:
        """Nothing: the destination's kernel answers."""
        return None

    @property
    def output_limit(self) -> int:
        """Bytes: a line an answer, and some for duplicates and errors."""
        return REST + LINE * self.count

    def parse(self, client: Completed) -> Measurement:
        """Read ping's summary. Raises ParseError; where nothing was answered, too."""
        check_size("ping", client, self.output_limit)
        text = client.text
        counts = _COUNTS.search(text)
        if counts is None:
            raise _no_summary(client)
        sent, received = int(counts["sent"]), int(counts["received"])
        if sent != self.count:
            raise _invalid(f"{sent} of {self.count} packets were sent")
        if received > sent:
            raise _invalid(f"{received} answers to {sent} packets")
        if received == 0:
            raise _no_answer(text, sent)
        times = _TIMES.search(text, counts.end())
        if times is None:
            raise _invalid("there are answers, but no times")
        least, average, most = (float(times[number]) / 1000 for number in (2, 3, 4))
        if average == 0 or not least <= average <= most:
            raise _invalid(f"these times cannot be: {times[0]}")
        samples = [sample(AVERAGE, average), sample(LEAST, least), sample(MOST, most)]
        if times["has"] and times[5]:
            samples.append(sample(DEVIATION, float(times[5]) / 1000))
        samples.append(sample(LOSS, 1 - received / sent))
        moved = Moved(forth=sent * FRAME, arrived=received * LEAST_FRAME, back=received * FRAME)
        return Measurement(tuple(samples), flags=_flags(sent, received, counts["rest"]), moved=moved)


def _flags(sent: int, received: int, rest: str) -> tuple[Flag, ...]:
    flags = []
    if received < sent:
        flags.append(Flag("packet-loss", f"{sent - received} of {sent} packets were not answered"))
    duplicates = _DUPLICATES.search(rest)
    if duplicates:
        flags.append(Flag("duplicates", f"{int(duplicates[1])} answers came more than once; the times include them"))
    return tuple(flags)


def _no_answer(text: str, sent: int) -> ParseError:
    """Routers and filters may have said why; iputils repeats that, BusyBox does not."""
    told = re.search(r"^From \S{1,300} icmp_seq=\d{1,9} (.+)$", text, re.MULTILINE)
    why = f" ({brief(told[1])})" if told else ""
    return ParseError(
        f"ping: none of {sent} packets was answered{why}",
        "check the destination's address, and that ICMP is let through",
        failure=FailureClass.UNREACHABLE,
    )


def _no_summary(client: Completed) -> ParseError:
    failed = ended_early("ping", client) or explain("ping", said(client), _RULES)
    if failed is not None:
        return failed
    if re.search(r"^--- .* ---\r?\n.*\S", client.text, re.MULTILINE):
        return ParseError("ping: its summary is not in English", "see that LC_ALL=C reaches the source's ping")
    return ParseError(f"ping: exit code {client.exit_code}, and no summary but: {brief(said(client)) or 'nothing'}")


def _invalid(reason: str) -> ParseError:
    return ParseError(f"ping: not a complete result: {reason}", failure=FailureClass.INVALID_RESULT)
