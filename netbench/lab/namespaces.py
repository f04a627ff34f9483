"""Namespaces of nodes and pods: starting the process that holds them, and running a program in them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from netbench.errors import NetbenchError

KINDS = ("--net", "--mount", "--uts", "--ipc", "--pid")


def isolated(argv: Sequence[str]) -> tuple[str, ...]:
    """Command line that runs a program as the first process of new namespaces, which die with it."""
    return ("unshare", *KINDS, "--fork", "--kill-child", "--propagation", "private", "--", *argv)


def inside(pid: int, argv: Sequence[str], kinds: Sequence[str] = KINDS) -> tuple[str, ...]:
    """Command line that runs a program in the namespaces of that process."""
    return ("nsenter", f"--target={pid}", *kinds, "--", *argv)


def hold(role: str, name: str, directory: Path, log: Path) -> int:
    """Start the first process of a ``node`` or a ``pod`` (``holder.sh``). Returns its pid."""
    script = str(files("netbench.lab") / "holder.sh")
    with log.open("ab") as file:
        holder = subprocess.Popen(
            isolated(("sh", script, role, name, str(directory))),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
        )
    assert holder.stdout is not None  # noqa: S101 - it is a pipe
    with holder.stdout:
        said = holder.stdout.readline()  # comes when its mounts are done; the end of the file when it died
    if not said.strip():
        raise NetbenchError(f"{role} {name} did not start: {log.read_text().strip()}", "see the lab's log directory")
    return int(said)


def command(argv: Sequence[str], text: str | None = None) -> None:
    """Run a program to its end, with that text as its input. Raises NetbenchError with what it said."""
    done = subprocess.run(argv, input=text or "", text=True, capture_output=True, check=False)
    if done.returncode:
        raise NetbenchError(f"{' '.join(argv)}: {done.stderr.strip() or f'exit code {done.returncode}'}")


def batch(lines: Iterable[str], pid: int | None = None, tool: str = "ip") -> None:
    """Give lines to ``ip -batch`` or ``tc -batch``, in a process's network namespace or in this one."""
    argv = (tool, "-batch", "-")
    command(argv if pid is None else inside(pid, argv, ("--net",)), "".join(f"{line}\n" for line in lines))
