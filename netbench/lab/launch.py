"""Starting a lab's init in namespaces of its own, and ending it, which ends everything in them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from netbench.errors import NetbenchError
from netbench.lab.namespaces import isolated
from netbench.lab.requirements import PATH
from netbench.lab.spec import LabSpec
from netbench.lab.state import LabState, write_json

DEADLINE = 30.0  # seconds until the lab is up, or given up
END = 10.0  # seconds until all its processes are gone
KEPT = frozenset("HOME LANG LANGUAGE LOGNAME TMPDIR TZ USER VIRTUAL_ENV".split())  # variables that lab processes get
KEPT_KINDS = ("LC_", "LD_", "PYTHON", "COVERAGE_")
SOURCES = Path(__file__).resolve().parents[2]  # where ``netbench`` is imported from


def start(spec: LabSpec, state: LabState, *, tied: bool) -> subprocess.Popen[bytes]:
    """Start a lab and wait until all of it answers; what was left of an earlier one is cleaned away.

    ``tied``: it dies with the calling thread, and the process that is returned is its parent; else it lives on, and
    what is returned has ended. Raises NetbenchError when it does not come up; then nothing of it is left.
    """
    state.clean()
    write_json(state.spec, spec.as_json())
    state.log.mkdir()
    log = state.log / "init.log"
    lead = ("setpriv", "--pdeathsig", "KILL") if tied else ("setsid", "--fork")
    report, write = os.pipe()
    with os.fdopen(report, "rb") as outcome, log.open("wb") as file:
        process = subprocess.Popen(
            (*lead, *isolated((sys.executable, "-m", "netbench.lab.init", str(state.directory), str(write)))),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=(write,),
            cwd="/",
            env=environment(),
            start_new_session=True,  # a terminal's Ctrl-C is not for the lab
        )
        os.close(write)
        try:
            _check(_first_line(outcome.fileno()), log)
        except BaseException:
            end(state)
            process.kill()  # where it hangs before there is an init
            process.wait()
            state.forget()
            raise
    if not tied:
        process.wait()
    return process


def end(state: LabState) -> None:
    """Kill the init if it lives, and wait until it and everything in its namespaces is gone. Raises NetbenchError."""
    pid = state.running()
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if state.running() == pid:  # it still is that process, and with the handle it stays so
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            # the kernel reports the end of a namespace's first process after that of all others
            if not select.select([handle], [], [], END)[0]:
                raise NetbenchError(f"the lab's init (pid {pid}) does not end", "see what keeps it: ps -o stat,wchan")
        finally:
            os.close(handle)


def environment() -> dict[str, str]:
    """What a program of netbench's is started with in the lab: of this process's own, what any program may know.

    No password, passphrase, agent or cloud credential: the lab's processes outlive the command that started them, hand
    what they have to nodes and pods, and log in nowhere.
    """
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_KINDS)}
    return {**kept, "PATH": search_path(), "PYTHONPATH": str(SOURCES)}


def search_path() -> str:
    """PATH with the directories in which tc and sshd are."""
    return f"{os.environ.get('PATH', '')}:{PATH}".removeprefix(":")


def _first_line(descriptor: int) -> bytes:
    """What the init reports; nothing when it died before it could."""
    said = b""
    deadline = time.monotonic() + DEADLINE
    while not said.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise NetbenchError(f"the lab did not come up within {DEADLINE:.0f} s", "is the machine very busy?")
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        said += piece
    return said


def _check(report: bytes, log: Path) -> None:
    if not report:
        lines = log.read_text(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "its init died without a word"
        raise NetbenchError(f"the lab did not come up: {said}", "may this machine make namespaces (unshare)?")
    outcome = json.loads(report)
    if "error" in outcome:
        raise NetbenchError(f"the lab did not come up: {outcome['error']}", outcome["remedy"])
