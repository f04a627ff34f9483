"""The installed tools themselves, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
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
def serving(probe: Probe) -> Iterator[None]:
    server = probe.server()
    assert server is not None
    process = subprocess.Popen(server.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not listens(server.port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


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
