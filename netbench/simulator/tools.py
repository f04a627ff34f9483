"""What iperf3 3.12 and iputils' ping print when they see a certain value; failures too."""

from __future__ import annotations

import json

from netbench.errors import TransportError
from netbench.model import FailureClass
from netbench.transports.fake import Argv, JobReply

COOKIE = "simulated4cookie4of4every4iperf34tes"  # 36 letters and digits
_HEAD = {"version": "iperf 3.12", "system_info": "simulated", "cookie": COOKIE}


def reply(argv: Argv, value: float) -> JobReply:
    """The client's output. ``value``: bit/s, packets/s or seconds, as the command measures."""
    return JobReply(_ping(argv, value) if argv[0] == "ping" else _iperf3(argv, value))


def served(client: Argv) -> JobReply:
    """The server of that client's test, which goes on until it is stopped."""
    streams = 1 if "-u" in client else int(_option(client, "-P"))
    return JobReply(server_text(COOKIE, "198.18.255.1", streams), serves=True)


def server_text(cookie: str, peer: str, streams: int) -> bytes:
    """What ``iperf3 -s -V`` prints of a whole test, without the interim reports."""
    each = [f"[{5 + n:3}] local 198.18.0.9 port 16000 connected to {peer} port {50001 + n}" for n in range(streams)]
    lines = (
        "Server listening on 16000 (test #1)",
        f"Accepted connection from {peer}, port 50000",
        f"      Cookie: {cookie}",
        *each,
        "Test Complete. Summary Results:",
        "Server listening on 16000 (test #2)",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def failed(argv: Argv, failure: FailureClass) -> JobReply:
    """The client fails. Raises KeyError for a class that no client shows."""
    if failure is FailureClass.CONNECTION_CUT:
        # not a ConnectionCutError: that one is waited for and fetched again, in real time
        return JobReply(start_error=TransportError("the link was cut", failure=failure))
    if failure is FailureClass.TIMEOUT:
        return JobReply(status="overdue")
    if argv[0] == "ping":
        text = f"{argv[2]} packets transmitted, 0 received, 100% packet loss, time 1ms\n"
        return JobReply(f"--- ping statistics ---\n{text}".encode(), status="1")
    text = {
        FailureClass.BUSY: "error - the server is busy running a test. try again later",
        FailureClass.REFUSED: "error - unable to connect to server: Connection refused",
        FailureClass.UNREACHABLE: "error - unable to connect to server: No route to host",
    }[failure]
    return JobReply(json.dumps({"start": _HEAD, "intervals": [], "end": {}, "error": text}).encode())


def _iperf3(argv: Argv, value: float) -> bytes:
    seconds = float(_option(argv, "-t"))
    if "-u" not in argv:
        streams = int(_option(argv, "-P"))
        return _json("TCP", seconds, streams, 131072, _tcp(value, seconds, streams))
    size = int(_option(argv, "-l"))
    received = round(value * seconds) * size
    udp = {"seconds": seconds, "bytes": received, "packets": received // size, "lost_packets": 0, "jitter_ms": 0.003}
    udp |= {"bits_per_second": received * 8 / seconds, "lost_percent": 0}
    end = {"streams": [{"udp": udp}], "sum": udp, "sum_sent": udp, "sum_received": udp}
    return _json("UDP", seconds, 1, size, end | _cpu(0.5))


def _tcp(value: float, seconds: float, streams: int) -> dict[str, object]:
    received = round(value * seconds / 8)
    side = {"seconds": seconds, "bytes": received, "bits_per_second": received * 8 / seconds}
    each = {"sender": side, "receiver": side}
    sums = {"sum_sent": {**side, "retransmits": 0}, "sum_received": side, "sender_tcp_congestion": "cubic"}
    return {"streams": [each] * streams, **sums, **_cpu(0.4)}


def _json(protocol: str, seconds: float, streams: int, size: int, end: dict[str, object]) -> bytes:
    test = {"protocol": protocol, "num_streams": streams, "blksize": size, "duration": int(seconds)}
    return json.dumps({"start": {**_HEAD, "test_start": test}, "intervals": [], "end": end}).encode()


def _cpu(cores: float) -> dict[str, object]:
    return {"cpu_utilization_percent": {"host_total": cores * 100, "remote_total": cores * 100}}


def _ping(argv: Argv, value: float) -> bytes:
    count, milliseconds = argv[2], value * 1000
    # iputils has three decimals; a simulated clock may be finer, and the parser takes what it gets
    times = "/".join(f"{milliseconds * factor:.9f}" for factor in (0.9, 1, 1.2, 0.05))
    return (
        f"--- simulated ping statistics ---\n{count} packets transmitted, {count} received, 0% packet loss, time 1ms\n"
        f"rtt min/avg/max/mdev = {times} ms\n"
    ).encode()


def _option(argv: Argv, name: str) -> str:
    return argv[argv.index(name) + 1]
