"""The bastion's lock, between real processes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netbench.errors import LockedError, PreflightError
from netbench.run.lock import NAME, locked

HOLD = """
import sys
from netbench.run.lock import locked
with locked(sys.argv[2:], (sys.argv[1],)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(place: Path, *addresses: str, user: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock for these addresses until the end of the block."""
    argv = [sys.executable, "-c", HOLD, str(place), *addresses]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=user) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    with other_process(tmp_path, "198.18.0.11", "198.18.0.12") as process:
        with pytest.raises(LockedError) as caught, locked(["198.18.0.10", "198.18.0.12"], (str(tmp_path),)):
            pass
        said = str(caught.value)
        assert "another run on this machine uses 198.18.0.12: " in said
        assert f"@{os.uname().nodename}, pid {process.pid}, since 20" in said
        assert shlex.join(["198.18.0.11", "198.18.0.12"]) in said  # what was called
        with locked(["198.18.0.10", "198.18.0.13"], (str(tmp_path),)):
            pass  # other machines: no matter


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with other_process(tmp_path, "198.18.0.11") as process:
        process.kill()
        process.wait(20)
        with locked(["198.18.0.11"], (str(tmp_path),)):
            pass


def test_everybody_can_open_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with locked(["198.18.0.11"], (str(tmp_path),)):
            assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [NAME]


def test_it_lies_where_everybody_can_write(tmp_path: Path) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    private.mkdir(0o755)
    public.mkdir()
    public.chmod(0o1777)
    with locked(["198.18.0.11"], (str(tmp_path / "missing"), str(private), str(public))):
        assert (public / NAME).exists()
        assert not (private / NAME).exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.write_text("x")
    (tmp_path / NAME).symlink_to(target)
    with pytest.raises(PreflightError, match="no place for the lock"), locked(["198.18.0.11"], (str(tmp_path),)):
        pass


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="no place for the lock"), locked(["a"], (str(tmp_path / "missing"),)):
        pass
