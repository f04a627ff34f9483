"""Read iperf3's JSON: is it a result at all, and where are its numbers? Made for 3.1 to 3.21, by meaning.

The exit code is no help: with ``-J`` an error ends with 0 in 3.10 to 3.13, and a client ended by SIGTERM ends with 0
from 3.19 on. Nor is a plausible sum: an interrupted client reports the part that it got through.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass, Flag, Moved
from netbench.probes.failures import Rule, brief, ended_early, explain, said
from netbench.probes.iperf3_json import TOOL, Section, Size, document, invalid, not_complete

COMPLETE = 0.95  # of the time asked for that a result must cover
IDLE = 0.01  # of its share of the bytes, below which a stream did nothing
FULL = 0.99  # of it, below which a reader is told
SEGMENT = 1448  # bytes of payload in a TCP segment at an MTU of 1500, with timestamps; where iperf3 does not tell
LEAST_SEGMENT = 88  # bytes, which Linux takes for the least that makes sense
TCP_HEADERS = 14 + 40 + 20 + 12  # Ethernet, IPv6 (IPv4: 20 less), TCP, timestamps
TCP_SACK = 28  # of an acknowledgement that tells of gaps
UDP_HEADERS = 14 + 40 + 8
DEVIATION = 0.01  # that a bit rate may be away from bytes / seconds
DOCUMENTED = Size(streams=4, reports=47)  # of the documented test, and one a second

RULES = (
    Rule(
        "cpu affinity",
        FailureClass.TOOL_FAILED,
        "the source may not use that CPU (its cpuset leaves it out): set the probe's option cpu to one it may use, "
        "or to none",
    ),
    Rule("server is busy", FailureClass.BUSY, "end the other test on that server, or choose another port"),
    Rule("connection refused", FailureClass.REFUSED, "see whether the server runs and listens on that port"),
    # 3.7 to 3.9 overwrite the reason of a failed connect with that of the goodbye which they then cannot send
    Rule(
        "unable to send control message: bad file descriptor",
        FailureClass.REFUSED,
        "this iperf3 hides why it could not connect: see whether the server listens on that port and is reachable",
    ),
    Rule(r"\binterrupt - |the client has terminated", FailureClass.CANCELLED, ""),
    Rule(
        "operation not permitted|permission denied",
        FailureClass.PERMISSION,
        "see what the source's packet filter and its security profile forbid",
    ),
    Rule(
        "unable to connect|no route to host|network is unreachable|name or service not known|name resolution",
        FailureClass.UNREACHABLE,
        "check the destination's address, and that nothing on the way filters the port",
    ),
    Rule(
        "connection reset|broken pipe|server has terminated|closed unexpectedly|timed out|idle timeout"
        "|(send|receive) (control message|results)|(read from|write to) the control socket",
        FailureClass.CONNECTION_CUT,
        "see why the server or the path to it went away",
    ),
    Rule("parameter error|unrecognized option|invalid option", FailureClass.TOOL_FAILED, "check the probe's options"),
)


@dataclass(frozen=True)
class Result:
    """The JSON of a test that ran to its end."""

    version: str  # as in "3.12"
    test: Section  # start.test_start
    end: Section
    segment: float = SEGMENT  # bytes of payload in a TCP segment
    cookie: str = ""  # what this test is known by on both ends

    def check(self, *, protocol: str, streams: int | None) -> None:
        """Raise ParseError unless it is the test that was asked for; streams: None for as many as it was told."""
        found = self.test.text("protocol")
        if found.upper() != protocol:
            invalid(f"it measured {found}, not {protocol}")
        planned, ended = self.test.number("num_streams"), len(self.end.sections("streams"))
        wanted = planned if streams is None else streams
        if planned != wanted or ended != wanted or not ended:
            invalid(f"{wanted:g} streams were asked for, {planned:g} started and {ended} reported")

    @property
    def many_threads(self) -> bool:
        """Whether each stream has a thread and may keep a core of its own busy. Only the version tells."""
        numbers = re.match(r"(\d{1,4})\.(\d{1,4})", self.version)
        return numbers is not None and (int(numbers[1]), int(numbers[2])) >= (3, 16)


def read(client: Completed, size: Size = DOCUMENTED) -> Result:
    """The result in what an ``iperf3 -c ... -J`` left behind. Raises ParseError where there is none.

    A ParseError of class PARSE means that there is no JSON, OUTPUT_LIMIT that there is more output than such a test
    has, INVALID_RESULT that it is not a complete test; the other classes repeat what iperf3 itself gave as its reason.
    """
    found = document(client, size)
    if found is None:
        words = said(client)
        raise (
            ended_early(TOOL, client)
            or explain(TOOL, words, RULES)
            or ParseError(f"{TOOL}: exit code {client.exit_code}, and no JSON but: {brief(words) or 'nothing'}")
        )
    if "error" in found.data:
        text = str(found.data["error"]).removeprefix("error - ")
        raise explain(TOOL, text, RULES) or ParseError(f"{TOOL}: {brief(text)}", failure=FailureClass.TOOL_FAILED)
    end = found.section("end")
    if not end.data:  # 3.9 gives its reasons on stderr only
        raise (
            explain(TOOL, client.error_text, RULES)
            or ended_early(TOOL, client)
            or not_complete(f"end is empty; stderr: {brief(client.error_text) or 'nothing'}")
        )
    start = found.section("start")
    version = start.text("version").removeprefix("iperf ")
    mss, cookie = start.data.get("tcp_mss_default"), start.data.get("cookie")
    segment = mss if isinstance(mss, int) and mss >= LEAST_SEGMENT else SEGMENT  # only for a bound: nothing to refuse
    return Result(version, start.section("test_start"), end, segment, cookie if isinstance(cookie, str) else "")


def lasted(sums: Section, duration: float) -> float:
    """The seconds that sums cover. Raises ParseError where that is not the time asked for."""
    seconds = sums.positive("seconds")
    if seconds < COMPLETE * duration:
        invalid(f"{sums.path} covers {seconds:g} of {duration:g} seconds")
    return seconds


def clipped(seconds: float, duration: float) -> tuple[Flag, ...]:
    """A flag for a result that covers less than all of its time, though enough of it to count."""
    if seconds >= FULL * duration:
        return ()
    return (Flag("clipped", f"its sums cover {seconds:g} of {duration:g} seconds"),)


def transfer(sums: Section, duration: float) -> tuple[float, float]:
    """Bytes and seconds of sums, neither of them zero, which agree with the bit rate given beside them."""
    count, seconds = sums.positive("bytes"), lasted(sums, duration)
    rate, said = count * 8 / seconds, sums.number("bits_per_second")
    if not math.isfinite(rate) or abs(said - rate) > DEVIATION * rate:
        invalid(f"{sums.path}.bits_per_second is {said:g}, and its bytes in its seconds are {rate:g}")
    return count, seconds


def cpu(end: Section, side: str) -> float | None:
    """Cores kept busy on the "host" (source) or "remote" (destination) side; None where iperf3 does not say."""
    if not end.has("cpu_utilization_percent"):
        return None
    usage = end.section("cpu_utilization_percent")
    return usage.number(f"{side}_total") / 100 if usage.has(f"{side}_total") else None


def idle(end: Section, duration: float) -> tuple[Flag, ...]:
    """A flag for streams that moved next to nothing: then fewer were measured than were asked for."""
    moved = []
    for stream in end.sections("streams"):
        if not stream.has("sender"):  # this iperf3 does not tell
            return ()
        moved.append(stream.section("sender").number("bytes"))
    still = [count for count in moved if count < IDLE * sum(moved) / len(moved)]
    if not still:
        return ()
    detail = f"{len(still)} of {len(moved)} streams sent less than {IDLE:.0%} of their share in {duration:g} s"
    return (Flag("idle-streams", detail),)


def moved(sent: float, received: float, result: Result, again: float) -> Moved:
    """What TCP had to put on the wire for these bytes: cut into segments, ``again`` of them sent again, each of them
    acknowledged at most once."""
    segments = sent / result.segment + again
    return Moved(
        forth=segments * (result.segment + TCP_HEADERS), arrived=received, back=segments * (TCP_HEADERS + TCP_SACK)
    )
