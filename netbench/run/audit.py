"""The audit trail: every command that is sent to an endpoint, when, where, as whom, and how it ended.

A line of JSON when a command is sent, and one with the same ``n`` when it has ended: so a run that was killed still
tells what it had sent. Programs of ours are named, with their arguments; stdin and secrets are left out.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from netbench.errors import NetbenchError
from netbench.model import Access, Command, Completed, PodAccess, SshAccess
from netbench.store import files

NAME = "commands.jsonl"
KEPT = 100  # trails of commands that made no run directory
LONGEST = 2000  # characters of one argument
LARGEST = 256 << 20  # bytes of a trail before there is a run: some kilobytes an endpoint
MOST = 10_000  # lines that are held where there is no place to write them yet

Ended = Callable[[Completed | NetbenchError, str], None]


class Trail:
    """Where lines go; for several threads at once. A trail that cannot be written never ends a run."""

    def __init__(self, path: Path | None = None) -> None:
        """None: lines are held until ``move`` names a file."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._held: list[bytes] = []
        self._path = path

    def sent(self, access: Access, command: Command) -> Ended:
        """A command is on its way; call what is returned when it has ended, with who it was run as, as far as known."""
        number, begun = next(self._numbers), time.monotonic()
        words = [_clean(word, command.secrets) for word in command.argv]
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._write({"n": number, "at": now, "to": where(access), "argv": words})

        def ended(how: Completed | NetbenchError, who: str) -> None:
            seconds = round(time.monotonic() - begun, 3)
            line: dict[str, object] = {"n": number, "as": who or None, "seconds": seconds}
            if isinstance(how, NetbenchError):
                line["error"] = _clean(str(how), command.secrets)
            else:
                line["exit"] = how.exit_code
            self._write(line)

        return ended

    def move(self, path: Path) -> None:
        """All that was written so far goes to the end of that file, and so does all that follows."""
        with self._lock:
            before, self._path = self._path, path
            held = b"".join(self._held)
            self._held.clear()
            if before is not None and before.exists():
                held += files.read(before.parent, before.name, LARGEST)
            files.append(path.parent, path.name, held)
            if before is not None:
                before.unlink(missing_ok=True)

    def _write(self, line: dict[str, object]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self._lock:
            if self._path is None:
                self._held = [*self._held[1 - MOST :], data] if len(self._held) >= MOST else [*self._held, data]
                return
            try:
                files.append_quick(self._path.parent, self._path.name, data)
            except NetbenchError:
                self._path = None
                self._held.append(data)


def begin(task: str) -> Trail:
    """A trail below the state directory ($XDG_STATE_HOME, or ~/.local/state), for what makes no run directory."""
    root = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - no home: stays "~"
    if not root.startswith("/"):
        return Trail()
    directory = Path(root, "netbench", "commands")
    try:
        directory.parent.mkdir(mode=files.DIRECTORY, parents=True, exist_ok=True)
        files.make_directory(directory)
        for old in sorted(directory.glob("*.jsonl"))[: -KEPT + 1]:
            old.unlink(missing_ok=True)
    except OSError:
        return Trail()
    now = datetime.now(timezone.utc)
    return Trail(directory / f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}-{task}.jsonl")


def where(access: Access) -> str:
    """An endpoint in one word."""
    if isinstance(access, PodAccess):
        return f"pod {access.namespace}/{access.pod}/{access.container}"
    if isinstance(access, SshAccess):
        return f"host {access.host}"
    return access.transport


def _clean(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
