"""``.ci/system-packages`` leaves nothing on the machine, however it ends; /usr/sbin is the test's own, and empty."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "system-packages"
MOUNT = 'mount -n -t tmpfs t /usr/sbin && [ -z "$1" ] || printf %s "$1" >/usr/sbin/policy-rc.d; '
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("unshare") is None, reason="hides /usr/sbin in a mount namespace of its own"
    ),
]


@contextmanager
def installing(tmp_path: Path, apt_get: str, policy: str = "") -> Iterator[subprocess.Popen[str]]:
    """The script at work, with that program as apt-get."""
    fake = tmp_path / "bin" / "apt-get"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text(f"#!/bin/sh\n{apt_get}\n")
    fake.chmod(0o755)
    (tmp_path / "tmp").mkdir(exist_ok=True)
    line = MOUNT + 'sh "$0"; echo "rc=$?"; cat /usr/sbin/policy-rc.d 2>/dev/null; :'
    heard = ("env", "--default-signal=HUP,INT,QUIT,TERM")  # also where these tests run under nohup, or in a background
    argv = (*heard, "unshare", "--mount", "--propagation", "private", "sh", "-c", line, str(SCRIPT), policy)
    environment = {"PATH": f"{fake.parent}:/usr/bin:/bin", "TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen(
        argv, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        yield process
        process.kill()


def started(tmp_path: Path) -> int:
    """The script's pid, as soon as apt-get runs."""
    while not (tmp_path / "apt").exists():
        time.sleep(0.02)
    return int((tmp_path / "apt").read_text().split()[1])


def noted(tmp_path: Path) -> str:
    """A beginning of apt-get that keeps the policy, its own pid and the script's."""
    said = f"{tmp_path}/apt"
    return f"cat /usr/sbin/policy-rc.d >{tmp_path}/seen; echo $$ $PPID >{said}.new; mv {said}.new {said}; "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with installing(tmp_path, noted(tmp_path) + "exec sleep 60") as process:
        os.kill(started(tmp_path), number)
        out, _ = process.communicate(timeout=20)
    assert out.splitlines()[-1:] == [f"rc={128 + number}"]
    assert "exit 101" in (tmp_path / "seen").read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_policy_stays_until_dpkg_has_ended(tmp_path: Path) -> None:
    dpkg = f"(trap '' TERM; sleep 2; cat /usr/sbin/policy-rc.d >{tmp_path}/late)& "
    with installing(tmp_path, dpkg + noted(tmp_path) + "wait") as process:
        os.kill(started(tmp_path), signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert out.endswith("\nrc=143\n")
    assert "exit 101" in (tmp_path / "late").read_text()


@pytest.mark.parametrize(("apt_get", "code"), [("kill -KILL $$", 137), ("echo no space; exit 100", 100), ("exit 0", 0)])
def test_the_end_of_apt_get_leaves_nothing(tmp_path: Path, apt_get: str, code: int) -> None:
    with installing(tmp_path, apt_get) as process:
        out, err = process.communicate(timeout=20)
    assert out.splitlines()[-1] == f"rc={code}"
    assert ("no space" in err) is (code == 100)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_policy_of_the_machine_s_own_stays(tmp_path: Path) -> None:
    with installing(tmp_path, "exit 0", policy="#!/bin/sh\nexit 104\n") as process:
        out, _ = process.communicate(timeout=20)
    assert out.endswith("rc=0\n#!/bin/sh\nexit 104\n")


def test_a_policy_that_a_killed_installation_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with installing(tmp_path, noted(tmp_path) + "exec sleep 60") as process:
        os.kill(started(tmp_path), signal.SIGKILL)
        out, _ = process.communicate(timeout=20)
        os.kill(int((tmp_path / "apt").read_text().split()[0]), signal.SIGKILL)
    left = out.partition("rc=137\n")[2]
    assert "exit 101" in left
    with installing(tmp_path, "exit 0", policy=left) as process:
        out, _ = process.communicate(timeout=20)
    assert out.endswith("rc=0\n")
