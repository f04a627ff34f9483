"""How a task ends, whatever signals come."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

TASK = """
import os, signal, sys
from netbench.terminal import exit_codes
try:
    with exit_codes():
        {body}
finally:
    os.kill(os.getpid(), signal.{signal})
"""


def end(body: str, name: str) -> subprocess.CompletedProcess[str]:
    code = TASK.format(body=body, signal=name)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("body", "code"), [("sys.exit(0)", 0), ("sys.exit(3)", 3), ("raise KeyboardInterrupt", 130)])
def test_a_signal_after_the_end_changes_no_exit_code(body: str, code: int, name: str) -> None:
    done = end(body, name)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_signal_between_two_tasks_is_heard() -> None:
    assert end("pass", "SIGTERM").returncode == -signal.SIGTERM
