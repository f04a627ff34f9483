"""The installed tools themselves, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass
from netbench.probes.base import Probe
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput

CPU = min(os.sched_getaffinity(0))
needs_iperf3 = pytest.mark.skipif(shutil.which("iperf3") is None, reason="iperf3 is not installed")
needs_ping = pytest.mark.skipif(shutil.which("ping") is None, reason="ping is not installed")


def run(probe: Probe, address: str = "127.0.0.1") -> Completed:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(probe.client(address), capture_output=True, timeout=60, check=False, env=environment)
    return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def listens(port: int) -> bool:
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


@contextmanager
def serving(probe: Probe, address: str = "127.0.0.1") -> Iterator[Callable[[], Completed]]:
    """Yields what ends the server and gives its output."""
    server = probe.server(address)
    assert server is not None
    process = subprocess.Popen((*server.argv, *server.bind), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end() -> Completed:
        process.terminate()
        out, err = process.communicate(timeout=10)
        return Completed(process.returncode, out, err)

    try:
        deadline = time.monotonic() + 10
        while not listens(server.port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield end
    finally:
        process.kill()
        process.communicate(timeout=10)


@needs_iperf3
def test_throughput(port: int) -> None:
    probe = Throughput(duration=1, parallel=2, port=port)
    with serving(probe):
        measurement = probe.parse(run(probe))
    assert [sample.metric for sample in measurement.samples] == [metric.name for metric in probe.metrics]
    assert measurement.samples[0].value > 1e6
    assert measurement.facts["streams"] == "2"
    assert measurement.facts["iperf3"].startswith("3.")


@needs_iperf3
def test_pps_at_a_rate_that_is_easy_to_make(port: int) -> None:
    probe = Pps(duration=1, bitrate="128k", port=port, cpu=CPU)
    with serving(probe):
        measurement = probe.parse(run(probe))
    values = {sample.metric: sample.value for sample in measurement.samples}
    assert values["pps_sent"] == pytest.approx(1000, rel=0.1)
    assert values["pps_received"] == pytest.approx(1000, rel=0.2)


@needs_iperf3
def test_no_server(port: int) -> None:
    probe = Throughput(duration=1, port=port)
    with pytest.raises(ParseError) as caught:
        probe.parse(run(probe))
    assert caught.value.failure is FailureClass.REFUSED


@needs_iperf3
def test_a_cpu_that_is_not_there(port: int) -> None:
    probe = Pps(duration=1, port=port, cpu=1023)
    with serving(probe), pytest.raises(ParseError, match="affinity") as caught:
        probe.parse(run(probe))
    assert "option cpu" in caught.value.remedy


@needs_ping
def test_latency() -> None:
    probe = Latency(count=3, interval=0.2)
    measurement = probe.parse(run(probe))
    values = {sample.metric: sample.value for sample in measurement.samples}
    assert 0 < values["latency_min"] <= values["latency_avg"] <= values["latency_max"] < 1
    assert values["loss"] == 0


STRANGER = "127.0.0.66"


def stranger(port: int, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Somebody else's client, from another address."""
    argv = ("iperf3", "-c", "127.0.0.1", "-B", STRANGER, "-p", str(port), "-t", "1", *options)
    return subprocess.run(argv, capture_output=True, timeout=60, check=False)


def refused(probe: Throughput | Pps, client: Completed, server: Completed) -> str:
    """Why the server does not prove the client's result."""
    probe.parse(client)
    with pytest.raises(ParseError) as caught:
        probe.prove(client, server)
    assert caught.value.failure is FailureClass.INVALID_RESULT
    return str(caught.value)


@needs_iperf3
@pytest.mark.parametrize("udp", [False, True])
def test_the_server_proves_its_own_test(port: int, udp: bool) -> None:
    probe = Pps(duration=1, bitrate="128k", port=port, cpu=CPU) if udp else Throughput(duration=1, port=port)
    with serving(probe) as end:
        client = run(probe)
        probe.prove(client, end())


@needs_iperf3
def test_the_server_listens_on_the_address_under_test_alone(port: int) -> None:
    probe = Throughput(duration=1, port=port)
    with serving(probe), pytest.raises(ConnectionRefusedError):
        socket.create_connection((STRANGER, port))


@needs_iperf3
def test_a_stranger_who_is_refused_during_the_test_costs_nothing(port: int) -> None:
    probe = Throughput(duration=2, parallel=2, port=port)
    with serving(probe) as end, ThreadPoolExecutor() as pool:
        ours = pool.submit(run, probe)
        time.sleep(0.7)
        theirs = stranger(port)
        for _ in range(5):  # a port scanner
            with socket.create_connection(("127.0.0.1", port), source_address=(STRANGER, 0)) as scanner:
                scanner.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert theirs.returncode != 0
        assert b"busy" in theirs.stderr
        probe.prove(ours.result(), end())


@needs_iperf3
def test_a_port_scanner_before_the_test_costs_nothing(port: int) -> None:
    probe = Throughput(duration=1, port=port)
    with serving(probe) as end:
        socket.create_connection(("127.0.0.1", port), source_address=(STRANGER, 0)).close()
        time.sleep(0.3)
        client = run(probe)
        probe.prove(client, end())


@needs_iperf3
@pytest.mark.parametrize("after", [False, True])
def test_a_test_of_a_stranger_makes_ours_invalid(port: int, after: bool) -> None:
    probe = Throughput(duration=1, port=port)
    with serving(probe) as end:
        clients = [run(probe)] if after else []
        assert stranger(port).returncode == 0
        client = clients[0] if after else run(probe)
        assert f"accepted 2 tests, from {', '.join(['127.0.0.1', STRANGER][:: 1 if after else -1])}" in refused(
            probe, client, end()
        )


@needs_iperf3
def test_a_stranger_who_takes_over_the_udp_stream_makes_it_invalid(port: int) -> None:
    """His datagram comes before ours: the server counts his, and what it sends goes to him."""
    probe = Pps(duration=1, bitrate="128k", port=port, cpu=CPU)
    with serving(probe):
        honest = run(probe)
        test = json.loads(honest.stdout)
    options = {"udp": True, "time": 1, "parallel": 1, "len": 16, "bandwidth": 128_000, "pacing_timer": 1000}
    parameters = json.dumps({"omit": 0, "num": 0, "blockcount": 0, "client_version": "3.12", **options}).encode()
    with serving(probe) as end:
        with (
            socket.create_connection(("127.0.0.1", port)) as control,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief,
        ):
            control.sendall(test["start"]["cookie"].encode() + b"\0")
            assert control.recv(1) == bytes([9])  # exchange parameters
            control.sendall(struct.pack("!I", len(parameters)) + parameters)
            assert control.recv(1) == bytes([10])  # create streams
            thief.bind((STRANGER, 0))
            thief.sendto(struct.pack("<I", 0x36373839), ("127.0.0.1", port))
            assert control.recv(1) == bytes([1])  # the test begins: the stream is the thief's
        said = refused(probe, honest, end())
    assert f"1 of 1 streams came from {STRANGER}, the test from 127.0.0.1" in said
