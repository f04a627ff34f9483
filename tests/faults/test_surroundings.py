"""netbench as cron, nohup, pipes and impatient people run it, in the lab."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import TOOLS, Process, Site, end, soon
from tests.lab.conftest import running_lab

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(300)]
QUICK = ("--profile", "smoke", "--kinds", "host,terway", "--probes", "latency", "--rounds", "1")
#: Steps of 5 s: one of the smoke profile takes 0.4 s, and so does one look at all processes beside 14 busy loops.
SEEN = (*QUICK, "--option", "latency.count=6", "--option", "latency.interval=1")
PROGRAM = (sys.executable, "-m", "netbench")
ENDPOINTS = ("a1", "a2", "a1-terway", "a2-terway")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_lab(tmp_path_factory.mktemp("lab")) as state:
        yield Site(state)


def wait_at_work(site: Site, reports: Path, run: subprocess.Popen[str]) -> bool:
    """Wait for a step at work; False where there was none in time. A bench that ends before tells its words."""

    def seen() -> bool:
        if run.poll() is not None:
            stdout, stderr = run.communicate()
            pytest.fail(f"it ended before a step was seen, exit code {run.returncode}\n{stdout}{stderr}")
        return bool(list(reports.glob("*/manifest.json"))) and any(
            one.argv[0] in TOOLS for name in ENDPOINTS for one in site.at(name)
        )

    return soon(seen, 100)


def manifest(reports: Path) -> dict[str, object]:
    (path,) = reports.glob("*/manifest.json")
    found: dict[str, object] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_impatient_interrupt_stops_cleanly_and_its_hint_goes_on(
    site: Site, number: signal.Signals, tmp_path: Path
) -> None:
    """The signal comes again and again until netbench has ended; the command it then names takes the run up again."""
    reports = tmp_path / "reports"
    run, bench = site.bench(reports, *SEEN)
    assert wait_at_work(site, reports, run), "nothing was measured"
    assert end(bench, number)
    sent = 1
    while alive(bench) and sent < 500:
        sent += end(bench, number)
        soon(lambda: not alive(bench), 0.1)
    stdout, stderr = run.communicate(timeout=60)
    said = stdout + stderr
    assert run.returncode == 130, said
    assert sent > 1, "it ended at the first one, so there was none while it stopped"
    assert "Traceback" not in said
    assert manifest(reports)["status"] == "interrupted"
    assert list(reports.glob("*/report.md"))
    assert [site.left(name) for name in ENDPOINTS] == [[], [], [], []]
    (hint,) = [line.partition("go on with: ")[2] for line in stderr.splitlines() if "go on with: " in line]
    program, *arguments = shlex.split(hint)
    assert program == "netbench"
    again = site.netbench(*arguments)
    stdout, stderr = again.communicate(timeout=100)
    assert again.returncode == 0, stdout + stderr
    assert manifest(reports)["status"] == "complete"


def test_nohup_outlives_a_hangup(site: Site, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with start(site, "nohup", *command(site, reports, SEEN)) as run:
        bench = site.measuring(reports)
        assert wait_at_work(site, reports, run), "nothing was measured"
        assert end(bench, signal.SIGHUP)
        stdout, stderr = run.communicate(timeout=100)
    assert run.returncode == 0, stdout + stderr
    assert manifest(reports)["status"] == "complete"


NOTHING = ("env", "-i")
ASCII = ("env", "LC_ALL=C", "LANG=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0")
CLOSED = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
FULL = ("sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh")
GONE = ("sh", "-c", '{ "$@"; echo "$?" >code; } 2>&1 | true; exit "$(cat code)"', "sh")


@pytest.mark.parametrize(
    "around",
    [
        pytest.param((*CLOSED, *NOTHING), id="no environment, closed streams"),
        pytest.param((*NOTHING, "HOME=/proc/1"), id="home cannot be written to"),
        pytest.param((*NOTHING, "HOME=/nonexistent", "PATH="), id="no home, empty PATH"),
        pytest.param(ASCII, id="LANG=C"),
        pytest.param(FULL, id="full disk behind stdout"),
        pytest.param(GONE, id="reader gone"),
    ],
)
def test_it_measures_whatever_it_is_started_in(site: Site, around: tuple[str, ...], tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with start(site, *around, *command(site, reports), "--lang", "zh", cwd=tmp_path) as run:
        stdout, stderr = run.communicate(timeout=100)
    assert run.returncode == 0, stdout + stderr
    assert "Traceback" not in stdout + stderr
    assert manifest(reports)["status"] == "complete"
    (report,) = reports.glob("*/report.zh.md")
    assert "主机" in report.read_text(encoding="utf-8") or "网" in report.read_text(encoding="utf-8")
    assert [path for path in reports.rglob("*") if path.stat().st_mode & 0o077] == []


def command(site: Site, reports: Path, options: tuple[str, ...] = QUICK) -> tuple[str, ...]:
    """A bench with everything on its command line: the environment may be empty."""
    return (*PROGRAM, "bench", *options, "--inventory", str(site.state.inventory), "--reports", str(reports))


def start(site: Site, *argv: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """A command on the lab's bastion, in this process's environment."""
    shell = ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(cwd or Path.cwd()))
    return subprocess.Popen(
        site.there(None, (*shell, *argv)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )


def alive(bench: Process) -> bool:
    try:
        return Path(f"/proc/{bench.pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
