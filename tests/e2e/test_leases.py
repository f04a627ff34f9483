"""End to end in the lab: two runs over the same nodes, runs that die, and cleaning up after them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.campaign import bench, netbench
from tests.e2e.test_lab import ENDPOINTS, leftovers, on, others_server
from tests.lab.conftest import Lab, running_lab
from tests.run.test_jobs import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
ONE = ("--profile", "smoke", "--kinds", "host", "--probes", "latency")
LEASES = "/run/netbench-0/lease.* /tmp/netbench-0/lease.*"
LONG = (*ONE, "--option", "latency.count=200", "--option", "latency.interval=1")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield Lab(state)


@pytest.fixture
def running(lab: Lab, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A bench that measures for minutes, as soon as it measures."""
    argv = lab.argv(sys.executable, "-m", "netbench", "bench", *LONG, "--reports", str(tmp_path / "first"))
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process:
        until(lambda: [line for line in leftovers(lab, "a1") if "ping -c 200" in line], 60)
        yield process
        if process.poll() is None:
            process.terminate()


def another_bastion(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A netbench that shares nothing with the first but the nodes: the place of the bastion's lock is its own."""
    hide = "mkdir -p /run/netbench && mount -n -t tmpfs tmpfs /run/netbench && "
    hide += 'mount -n -t tmpfs -o mode=1777 tmpfs /run/lock && exec "$@"'
    return lab.run(
        *("unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh"),
        *(sys.executable, "-m", "netbench", *arguments),
    )


def test_a_second_bench_exits_75_and_names_the_holder(lab: Lab, running: subprocess.Popen[str], tmp_path: Path) -> None:
    here = bench(*ONE, reports=tmp_path / "second", lab=lab.state)
    assert here.exit_code == 75, here.stderr
    assert re.search(r"another run on this machine uses 198\.18\.\S+: root@\S+, pid \d+, since 20", here.stderr)
    assert "bench --profile smoke" in here.stderr
    elsewhere = another_bastion(lab, "bench", *ONE, "--reports", "/run/lock/reports")
    said = elsewhere.stderr.decode()
    assert elsewhere.returncode == 75, said
    (run,) = (tmp_path / "first").iterdir()
    assert re.search(rf"another run uses \S+.*: root@\S+, pid \d+, run {run.name}, since 20.*expires in \d+ s", said)
    assert not (tmp_path / "second").exists()
    check = netbench("check", *ONE, lab=lab.state)
    assert f"run {run.name}" in check.stdout
    assert check.returncode == 3
    swept = netbench("clean", lab=lab.state)
    assert swept.returncode == 75, swept.stdout
    assert "left alone: a run goes on: root@" in swept.stdout
    assert [line for line in leftovers(lab, "a1") if "ping -c 200" in line]  # undisturbed
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 130
    assert not leases(lab)


def test_after_a_killed_bench(lab: Lab, running: subprocess.Popen[str], tmp_path: Path) -> None:
    """The bastion dies. Its lease stands until it expires; then a bench works, and clean removes what was left."""
    lab.output("nsenter", *on(lab, "a2"), "touch", "/tmp/theirs", "/tmp/netbench-theirs")
    with others_server(lab, "a2", 16999):
        record = lab.output("nsenter", *on(lab, "a1"), "sh", "-c", f"cat {LEASES} 2>/dev/null || :")
        lab.output("kill", "-KILL", record.partition(", pid ")[2].partition(",")[0])
        running.wait(20)
        assert another_bastion(lab, "bench", *ONE, "--reports", "/run/lock/r").returncode == 75
        expire(lab)
        shown = netbench("clean", "--dry-run", lab=lab.state)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert len(re.findall(r"job [0-9a-f]{24} in /\S+ .*running", shown.stdout)) == 1, shown.stdout
        assert len([line for line in leftovers(lab, "a1") if "ping -c 200" in line]) == 1
        done = netbench("clean", lab=lab.state)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("removed") == shown.stdout.count("would be removed")
        assert bench(*ONE, reports=tmp_path / "again", lab=lab.state).exit_code == 0
        assert "nothing of netbench is left" in netbench("clean", lab=lab.state).stdout
    assert "netbench-theirs" in leftovers(lab, "a2")
    assert "theirs" in leftovers(lab, "a2")
    lab.output("nsenter", *on(lab, "a2"), "rm", "/tmp/theirs", "/tmp/netbench-theirs")
    for endpoint in ENDPOINTS:
        assert not [line for line in leftovers(lab, endpoint) if "netbench-" in line or "iperf3" in line]


def leases(lab: Lab) -> list[str]:
    return [f"{name}: {line}" for name in ENDPOINTS for line in leftovers(lab, name) if "/lease." in line]


def expire(lab: Lab) -> None:
    """The minutes until a lease's end, without waiting for them: its end is set to now."""
    assert leases(lab)
    for name in ENDPOINTS:
        end = f"for file in {LEASES}; do [ ! -e $file ] || sed -i '1s/ [0-9]*$/ 1/' $file; done"
        lab.output("nsenter", *on(lab, name), "sh", "-c", end)
