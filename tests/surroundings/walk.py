"""Runs inside the lab: ``python -m tests.surroundings.walk NETBENCH-ARGUMENTS-FILE...``, several at a time.

Each file NAME.json holds the arguments of one netbench; what it says goes to NAME.out and NAME.err, how it ended to
NAME.code. Forked from one process that has everything imported, for there are many.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from netbench import commands  # noqa: F401 - that is what is forked with
from netbench.__main__ import main as netbench

AT_ONCE = 14  # most of them wait most of the time


def start(path: Path) -> int:
    """Start that one; returns its process."""
    pid = os.fork()
    if pid:
        return pid
    code: object = 70
    try:
        for number, suffix in ((1, ".out"), (2, ".err")):
            file = os.open(path.with_suffix(suffix), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            os.dup2(file, number)
        sys.argv = ["netbench", *json.loads(path.read_text())]
        try:
            netbench()
            code = 0
        except SystemExit as error:
            code = error.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        path.with_suffix(".code").write_text(str(code))
    finally:
        os._exit(0)


def main(paths: Sequence[Path]) -> None:
    running: set[int] = set()
    for path in paths:
        if len(running) >= AT_ONCE:
            running.discard(os.wait()[0])
        running.add(start(path))
    for pid in running:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
