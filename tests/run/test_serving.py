"""How a server is started: its documented flags, and with the real iperf3, as few rights as work."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.model import ServerCommand
from netbench.probes import iperf3_server
from netbench.run.jobs import Job
from netbench.run.scripts import PLACES, script
from netbench.run.serving import served
from netbench.transports.local import LocalTransport

SERVER = ServerCommand(("iperf3", "-s"), 16000, bind=("-B", "198.18.0.1"))
NOBODY = ("env", "TMPDIR=/tmp", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")


@pytest.mark.parametrize(
    ("facts", "argv"),
    [
        ({}, ("iperf3", "-s")),
        ({"server_address": "198.18.0.1"}, ("iperf3", "-s", "-B", "198.18.0.1")),
        ({"server_address": "198.18.0.2"}, ("iperf3", "-s")),
        ({"server_user": "65534"}, (*NOBODY, "iperf3", "-s")),
        ({"server_user": "-1; id"}, ("iperf3", "-s")),
    ],
)
def test_what_works_there_decides(facts: dict[str, str], argv: tuple[str, ...]) -> None:
    assert served(SERVER, facts) == argv


def test_a_port_that_only_root_may_have_keeps_its_rights() -> None:
    assert served(ServerCommand(("iperf3", "-s"), 999), {"server_user": "65534"}) == ("iperf3", "-s")


def facts_of(address: str) -> dict[str, str]:
    done = LocalTransport().run(script("facts", address, "", "iperf3", " ".join(PLACES), deadline=20))
    return dict(line.split("=", 1) for line in done.text.splitlines())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Job, int]]:
    """The real server, started as the facts of this machine say, on an address of loopback that it holds."""
    if shutil.which("iperf3") is None:
        pytest.skip("no iperf3 here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = served(iperf3_server.server(port, "127.0.0.1"), facts_of("127.0.0.1"))
    job = Job(LocalTransport(), str(tmp_path), argv, deadline=30, port=port)
    try:
        assert job.wait_ready(20), job.result()
        yield job, port
    finally:
        job.stop()


def test_it_listens_on_its_address_alone(server: tuple[Job, int]) -> None:
    _, port = server
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert [row for row in listening if row.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
    tcp6 = Path("/proc/net/tcp6")
    assert not tcp6.exists() or f":{port:04X} " not in tcp6.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand rights down")
def test_it_runs_as_nobody_and_serves(server: tuple[Job, int], tmp_path: Path) -> None:
    _, port = server
    (record,) = tmp_path.glob("netbench-*/job.*/child")
    child = int(record.read_text().split()[0])
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == ["65534"] * 4
    assert status["Groups"].split() == []
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    client = ("iperf3", "-c", "127.0.0.1", "-p", str(port), "-t", "1", "-J")
    done = Job(LocalTransport(), str(tmp_path), client, deadline=20)
    result = done.result()
    done.stop()
    assert b'"error"' not in result.stdout
    assert result.status == "0"


def test_it_ends_with_its_step(server: tuple[Job, int]) -> None:
    job, port = server
    job.stop()
    deadline = time.monotonic() + 5
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                break
        assert time.monotonic() < deadline, "still listening"
