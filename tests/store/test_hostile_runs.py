"""Run directories that others made or can write to, and files in them that are none."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from netbench import app
from netbench.errors import RunDirError
from netbench.model import ZoneMode
from netbench.store import RunDir, journal, names, rundir
from tests.store.models import MANIFEST, plan, record
from tests.test_app import store

NOBODY = 65534
NAME, NEWER = "20261123T023818Z-same", "99991231T000000Z-cross"

pytestmark = pytest.mark.timeout(60)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    directory = RunDir.create(tmp_path, NAME)
    directory.write_manifest(MANIFEST)
    directory.write_plan(plan("r01"))
    directory.append(record("r01"))
    directory.write_raw("r01", 1, "client.out", b"raw")
    return directory


def fifo(path: Path) -> None:
    os.mkfifo(path)


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def device(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("makes a device")
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero


def directory(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("/nonexistent/x")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def open_to_all(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0o666)


def theirs(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("gives a file to another user")
    path.write_text("{}")
    os.chown(path, NOBODY, NOBODY)


HOSTILE = [fifo, zero, device, directory, dangling, sparse, open_to_all, theirs]
READERS: dict[str, Callable[[RunDir], object]] = {
    "manifest.json": RunDir.manifest,
    "plan.json": RunDir.plan,
    "samples.jsonl": RunDir.records,
    "raw/r01.1.client.out": lambda run: run.raw("r01", 1, "client.out"),
}


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_none_is_refused_at_once(run: RunDir, name: str, make: Callable[[Path], None]) -> None:
    path = run.path / name
    path.unlink()
    make(path)
    with pytest.raises(RunDirError, match=f"cannot read {path}") as caught:
        READERS[name](run)
    assert caught.value.remedy


@pytest.mark.parametrize("make", [fifo, zero, device, directory, dangling, theirs])
def test_a_lock_that_is_none_is_refused_at_once(run: RunDir, make: Callable[[Path], None]) -> None:
    make(run.path / ".lock")
    with pytest.raises(RunDirError, match=r"cannot write .*\.lock"), run.lock():
        pass


@needs_root
@pytest.mark.parametrize("which", ["", "raw"])
def test_another_users_directory_is_no_run(run: RunDir, tmp_path: Path, which: str) -> None:
    os.chown(run.path / which, NOBODY, NOBODY)
    with pytest.raises(RunDirError, match=r"nobody owns it \(mode 0700\)") as caught:
        RunDir.open(tmp_path, NAME).raw("r01", 1, "client.out")
    assert "chown -R root" in caught.value.remedy
    with pytest.raises(RunDirError, match="nobody owns it"):
        run.write_raw("r01", 2, "client.out", b"")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707])
def test_a_directory_that_others_can_write_to_is_no_run(run: RunDir, tmp_path: Path, mode: int) -> None:
    run.path.chmod(mode)
    with pytest.raises(RunDirError, match=f"other users can write to it .*mode {mode:04o}") as caught:
        RunDir.open(tmp_path, NAME)
    assert "-w" in caught.value.remedy
    assert names(tmp_path) == []
    with pytest.raises(RunDirError, match="1 belong to others, can be written to by others"):
        RunDir.open(tmp_path, "latest")


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o555])
def test_a_directory_that_others_can_only_read_is_a_run(run: RunDir, tmp_path: Path, mode: int) -> None:
    run.path.chmod(mode)
    assert RunDir.open(tmp_path, "latest").records() == (record("r01"),)


def test_a_shared_directory_of_reports_may_be_open_to_all(run: RunDir, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert RunDir.open(tmp_path, "latest").path == run.path


@needs_root
def test_the_newest_is_never_another_users(run: RunDir, tmp_path: Path) -> None:
    forged = RunDir.create(tmp_path, NEWER)
    forged.write_manifest(MANIFEST)
    os.chown(forged.path, NOBODY, NOBODY)
    assert names(tmp_path) == [NAME]
    assert RunDir.open(tmp_path, "latest").path == run.path


@needs_root
def test_the_newest_is_never_another_users_link_to_an_own_run(run: RunDir, tmp_path: Path) -> None:
    link = tmp_path / NEWER
    link.symlink_to(run.path)
    assert names(tmp_path) == [NAME, NEWER]
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    assert names(tmp_path) == [NAME]
    with pytest.raises(RunDirError, match="nobody owns it"):
        RunDir.open(tmp_path, NEWER)


def test_a_raw_directory_that_is_a_link_is_not_followed(run: RunDir, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (run.path / "raw").rename(outside)
    (run.path / "raw").symlink_to(outside)
    for doing in (lambda: run.raw("r01", 1, "client.out"), lambda: run.write_raw("r01", 2, "x", b""), run.unrecorded):
        with pytest.raises(RunDirError, match="raw"):
            doing()
    assert [path.name for path in outside.iterdir()] == ["r01.1.client.out"]


def test_sizes_are_limited(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LONGEST", 100)
    with pytest.raises(RunDirError, match=r"samples\.jsonl, line 1: a record longer than"):
        run.records()
    monkeypatch.setattr(journal, "LARGEST", 100)
    with pytest.raises(RunDirError, match=r"samples\.jsonl: is larger than"):
        run.records()
    monkeypatch.setitem(rundir.LARGEST, "plan.json", 100)
    with pytest.raises(RunDirError, match=r"plan\.json: is larger than"):
        run.plan()


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("name", ["manifest.json", "plan.json", "samples.jsonl"])
def test_a_hostile_neighbour_hinders_no_report(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    neighbour = store(tmp_path, NEWER, ZoneMode.CROSS)
    good = store(tmp_path, "20261122T060000Z-cross", ZoneMode.CROSS)
    (neighbour.path / name).unlink()
    make(neighbour.path / name)
    run = store(tmp_path, NAME, ZoneMode.SAME)
    report = app.report(run.path).report.read_text()
    assert good.path.name in report
    assert NEWER not in report


@needs_root
def test_a_neighbour_of_another_user_is_not_compared_with(tmp_path: Path) -> None:
    neighbour = store(tmp_path, NEWER, ZoneMode.CROSS)
    for path in (neighbour.path, *neighbour.path.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    run = store(tmp_path, NAME, ZoneMode.SAME)
    assert NEWER not in app.report(run.path).report.read_text()
