"""The task face as a user meets it: the programs, their options, what they import."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "fabric", "paramiko", "pydantic", "ruamel", "rich", "tabulate", "cryptography", "netbench.app")

INTERRUPTED = """
import os, signal, sys
def hook(event, arguments):
    if event == "import" and arguments[0] == "netbench.commands":
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
"""


def python(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd)


@pytest.mark.parametrize("program", [("-m", "invoke"), ("-m", "netbench")])
def test_both_programs_list_the_same_tasks(program: tuple[str, ...]) -> None:
    done = python(*program, "--list")
    assert done.returncode == 0, done.stderr
    for name in (
        "bench",
        "check",
        "plan",
        "report",
        "clean",
        "inventory.show",
        "lab.up",
        "lab.down",
        "lab.status",
        "lab.run",
    ):
        assert f" {name} " in done.stdout


@pytest.mark.parametrize(
    "program",
    [
        "from invoke.main import program; program.run('invoke plan')",
        "from netbench.__main__ import main; sys.argv = ['netbench', 'plan']; main()",
    ],
)
def test_ctrl_c_before_a_task_is_at_work_just_ends_it(program: str) -> None:
    """While the task's own modules are imported. A shell makes 130 of it."""
    done = python("-c", f"{INTERRUPTED}\n{program}", cwd=Path(__file__).parents[1])
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_listing_tasks_imports_nothing_heavy() -> None:
    done = python("-c", "import sys, netbench.tasks; print(*sys.modules, sep='\\n')")
    assert not [name for name in done.stdout.split() if name.startswith(HEAVY)]


def test_the_options_of_bench() -> None:
    shown = python("-m", "netbench", "--help", "bench").stdout
    for name in (
        "zone", "inventory", "kinds", "probes", "rounds", "duration", "limit", "profile", "lang", "dry-run", "pairs",
        "quiet", "keep-going", "accept-new-host-keys", "allow-mixed-versions", "option", "port", "seed", "reports",
    ):  # fmt: skip
        assert f"--{name}" in shown


def test_a_report_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    done = python("-m", "netbench", "report", "latest", "--reports", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "remedy: " in done.stderr


def test_lab_run_wants_a_command() -> None:
    done = python("-m", "netbench", "lab.run")
    assert done.returncode == 2
    assert "lab.run needs a command" in done.stderr
