"""A connection that is cut in the middle of a 10-second test costs no sample: the job goes on, and is fetched."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Process, Site, end, soon
from tests.lab.conftest import running_lab

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(200)]
SECONDS = 10
ARGUMENTS = ("--profile", "smoke", "--probes", "throughput", "--rounds", "1", "--duration", str(SECONDS))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield Site(state)


@pytest.mark.parametrize("whose", ["both", "client", "server"])
@pytest.mark.parametrize(("kind", "ends"), [("host", ("a1", "a2")), ("terway-eni", ("a1-terway-eni", "a2-terway-eni"))])
def test_a_cut_in_the_middle_of_a_test_still_yields_its_sample(
    kind: str, ends: tuple[str, str], whose: str, site: Site, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    run, bench = site.bench(reports, *ARGUMENTS, "--kinds", kind)

    def clients(at: tuple[str, ...] = ends) -> list[Process]:
        return [one for name in at for one in site.at(name) if one.argv[:2] == ("iperf3", "-c")]

    client = soon(clients, 60)
    assert client, "no client was started"
    counters = Path(f"/proc/{client[0].pid}/io")
    midway = 2e9 / 8 * SECONDS / 3  # bytes: a third of what the link carries in that time
    soon(lambda: not counters.exists() or written(counters) > midway, SECONDS)
    source, destination = ends if clients(ends[:1]) else ends[::-1]
    where = {"both": ends, "client": (source,), "server": (destination,)}[whose]
    if kind == "host":
        connections = [one for host in where for one in site.ssh_sessions(host)]
    else:
        connections = [one for one in site.execs(bench) if any(pod in one.argv for pod in where)]
    cut = [end(one, signal.SIGKILL) for one in connections]
    assert cut.count(True) >= len(where), "there was nothing to cut"
    assert clients() == client, "the test ended with its connection"
    stdout, stderr = run.communicate(timeout=100)
    assert run.returncode == 0, stdout + stderr
    (records,) = reports.glob("*/samples.jsonl")
    (record,) = [json.loads(line) for line in records.read_text().splitlines()]
    assert record["attempt"] == 1, stdout + stderr
    assert record["outcome"]["failure"] is None
    assert "not-cleaned" not in {flag["code"] for flag in record["measurement"]["flags"]}
    (raw,) = records.parent.glob("raw/*.1.client.out")
    said = json.loads(raw.read_text())["end"]["sum_received"]
    assert said["seconds"] >= 0.95 * SECONDS
    (value,) = [one["value"] for one in record["measurement"]["samples"] if one["metric"] == "throughput"]
    assert value == pytest.approx(said["bits_per_second"], rel=1e-6)
    for name in ends:
        soon(lambda at=name: not site.left(at), 5)
        assert site.left(name) == []


def written(io: Path) -> int:
    """Bytes that a process has written, into sockets too."""
    try:
        return next(int(line.split()[1]) for line in io.read_text().splitlines() if line.startswith("wchar:"))
    except (OSError, StopIteration):
        return 0
