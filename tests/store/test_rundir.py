"""The run directory on a real file system: names, modes, torn lines, crashes, full and read-only disks."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from netbench.errors import RunDirError
from netbench.model import FailureClass, Outcome, StepRecord, ZoneMode
from netbench.store import RunDir, run_name
from tests.store.models import MANIFEST, plan, record

CHECKOUT = Path(__file__).parents[2]
NAME = "20261123T023818Z-same"


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    directory = RunDir.create(tmp_path / "reports", NAME)
    directory.write_manifest(MANIFEST)
    return directory


def test_runs_are_named_by_utc_time_and_zone() -> None:
    china = timezone(timedelta(hours=8))
    assert run_name(datetime(2026, 11, 23, 10, 38, 18, tzinfo=china), ZoneMode.SAME) == NAME
    assert run_name(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), ZoneMode.CROSS) == "20260102T030405Z-cross"


def test_an_existing_run_is_never_reused(tmp_path: Path) -> None:
    made = [RunDir.create(tmp_path, NAME).path.name for _ in range(3)]
    assert made == [NAME, f"{NAME}-2", f"{NAME}-3"]


def test_everything_comes_back(run: RunDir, tmp_path: Path) -> None:
    run.write_plan(plan("r01", "r02"))
    raw = run.write_raw("r01", 1, "client.out", b"\x00\xff\r\n")
    report = run.write_report("report.zh.md", "# 报告 ±\n")
    run.append(record("r01"))
    again = RunDir.open(tmp_path / "reports", NAME)
    assert again.manifest() == MANIFEST
    assert again.plan() == plan("r01", "r02")
    assert again.records() == (record("r01"),)
    assert again.raw("r01", 1, "client.out") == raw.read_bytes() == b"\x00\xff\r\n"
    assert report.read_bytes() == "# 报告 ±\n".encode()
    assert again.torn is None


def test_final_records_are_the_latest_attempts_in_the_order_of_the_plan(run: RunDir) -> None:
    run.write_plan(plan("r01", "r02", "r03"))
    failed = StepRecord("r01", Outcome(FailureClass.BUSY, "the server is busy"))
    for one in (record("r02"), failed, record("r01", attempt=3), record("r01", attempt=2)):
        run.append(one)
    assert run.final_records() == (record("r01", attempt=3), record("r02"))
    run.append(record("r99"))
    with pytest.raises(RunDirError, match=r"samples\.jsonl: step r99 is not in plan\.json"):
        run.final_records()


# --- finding runs ------------------------------------------------------------------------------------------------


def test_latest_is_the_newest_by_name_that_has_a_manifest(tmp_path: Path) -> None:
    for name in ("sample", "20261123T023818Z-same-9", "20261123T023818Z-same-10", "20250101T000000Z-cross"):
        RunDir.create(tmp_path, name).write_manifest(MANIFEST)
    RunDir.create(tmp_path, "20270101T000000Z-same")
    assert RunDir.open(tmp_path, "latest").path == tmp_path / "20261123T023818Z-same-10"


def test_a_run_is_found_by_name_or_by_a_path_with_a_slash(run: RunDir, tmp_path: Path) -> None:
    for how in (NAME, run.path, str(run.path), f"{run.path}/"):
        assert RunDir.open(tmp_path / "reports", how).manifest() == MANIFEST
    assert RunDir.open(tmp_path / "elsewhere", run.path).path == run.path


def test_a_run_that_is_not_there_is_answered_with_those_that_are(run: RunDir, tmp_path: Path) -> None:
    with pytest.raises(RunDirError, match=r"there is no run .*/typo: no such directory") as caught:
        RunDir.open(tmp_path / "reports", "typo")
    assert caught.value.remedy.endswith(f"are {NAME}")
    (tmp_path / "reports" / "begun").mkdir()
    with pytest.raises(RunDirError, match=r"begun: it has no manifest\.json"):
        RunDir.open(tmp_path / "reports", "begun")
    with pytest.raises(RunDirError, match="there are no runs in"):
        RunDir.open(tmp_path / "nowhere", "latest")


@pytest.mark.parametrize("name", ["", ".", "..", "...", "a\\b", "a\0b", "-rf", "a b", "~", "名", "x\n", ".hidden"])
def test_names_that_could_lead_elsewhere_are_refused(run: RunDir, tmp_path: Path, name: str) -> None:
    with pytest.raises(RunDirError, match="cannot be the name of a run"):
        RunDir.open(tmp_path, name)
    with pytest.raises(RunDirError, match="cannot be the name of a run"):
        RunDir.create(tmp_path, name)
    with pytest.raises(RunDirError, match="cannot be the id of a step"):
        run.write_raw(name, 1, "client.out", b"")
    with pytest.raises(RunDirError, match="cannot be the name of a report"):
        run.write_report(name, "")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "x/..", "../../20261123T023818Z-same"])
def test_slashes_are_refused_where_a_file_is_made(run: RunDir, tmp_path: Path, name: str) -> None:
    with pytest.raises(RunDirError):
        RunDir.create(tmp_path, name)
    for step, part in ((name, "client.out"), ("r01", name)):
        with pytest.raises(RunDirError, match="cannot be"):
            run.write_raw(step, 1, part, b"")
        with pytest.raises(RunDirError, match="cannot be"):
            run.raw(step, 1, part)
    with pytest.raises(RunDirError, match="cannot be"):
        run.write_report(name, "")
    with pytest.raises(RunDirError, match="there is no run"):
        RunDir.open(run.path, name)


def test_a_report_cannot_take_the_place_of_the_runs_own_files(run: RunDir) -> None:
    for name in ("manifest.json", "plan.json", "samples.jsonl", "raw"):
        with pytest.raises(RunDirError, match="a file of the run's own"):
            run.write_report(name, "")


def test_links_are_not_followed(run: RunDir, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    for name in ("samples.jsonl", ".plan.json.tmp", "report.md"):
        (run.path / name).symlink_to(outside)
    with pytest.raises(RunDirError, match=r"cannot (read|write) .*samples\.jsonl"):
        run.append(record("r01"))
    with pytest.raises(RunDirError, match=r"cannot write .*plan\.json"):
        run.write_plan(plan("r01"))
    run.write_report("report.md", "new")
    assert outside.read_bytes() == b"mine"
    assert (run.path / "report.md").read_text() == "new"


# --- modes -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, NAME)
    run.write_manifest(MANIFEST)
    run.write_plan(plan("r01"))
    run.write_raw("r01", 1, "client.out", b"")
    run.append(record("r01"))
    run.write_report("report.md", "")
    found = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    found = {name: mode for name, mode in found.items() if name.startswith(NAME)}
    assert found == {
        NAME: 0o700,
        f"{NAME}/raw": 0o700,
        f"{NAME}/raw/r01.1.client.out": 0o600,
        f"{NAME}/manifest.json": 0o600,
        f"{NAME}/plan.json": 0o600,
        f"{NAME}/samples.jsonl": 0o600,
        f"{NAME}/report.md": 0o600,
    }


# --- torn and broken lines ---------------------------------------------------------------------------------------


def test_a_line_torn_at_any_byte_is_left_out_told_and_mended(run: RunDir, tmp_path: Path) -> None:
    run.append(record("r01"))
    journal = run.path / "samples.jsonl"
    first = journal.read_bytes()
    run.append(record("r02"))
    whole = journal.read_bytes()
    for size in range(len(first), len(whole) + 1):
        journal.write_bytes(whole[:size])
        again = RunDir.open(tmp_path, run.path)
        complete = size >= len(whole) - 1  # then only the line's end is missing
        expected = (record("r01"), record("r02")) if complete else (record("r01"),)
        assert again.records() == expected
        if complete or size == len(first):
            assert again.torn is None
        else:
            assert again.torn is not None
            assert again.torn.endswith(f"line 2: cut off after {size - len(first)} bytes; it is left out")
        again.append(record("r03"))
        assert again.records() == (*expected, record("r03"))
        assert again.torn is None


def test_a_tail_of_zeros_is_a_torn_line(run: RunDir) -> None:
    run.append(record("r01"))
    journal = run.path / "samples.jsonl"
    journal.write_bytes(journal.read_bytes() + b"\0" * 512)
    assert run.records() == (record("r01"),)
    assert run.torn is not None


@pytest.mark.parametrize("broken", [b"", b"{", b"\0\0", b'{"schema": 1}', b"[]"])
def test_a_broken_line_in_the_middle_is_an_error_that_names_it(run: RunDir, broken: bytes) -> None:
    run.append(record("r01"))
    journal = run.path / "samples.jsonl"
    journal.write_bytes(journal.read_bytes() + broken + b"\n")
    run.append(record("r02"))
    with pytest.raises(RunDirError, match=r"/samples\.jsonl, line 2: ") as caught:
        run.records()
    assert caught.value.remedy


def test_lines_end_at_line_feeds_only(run: RunDir) -> None:
    odd = StepRecord("r01", Outcome(FailureClass.TOOL_FAILED, "a\u2028b\x85c\r\nd\x0be"))
    run.append(odd)
    assert run.records() == (odd,)


def test_a_run_without_a_journal_has_no_records(run: RunDir) -> None:
    assert run.records() == ()
    assert run.torn is None


# --- disks -------------------------------------------------------------------------------------------------------


CRAMPED = """
import resource, sys
from pathlib import Path
import pytest
from netbench.errors import RunDirError
from netbench.model import FailureClass, Outcome, StepRecord
from netbench.store import RunDir
from tests.store.models import plan, record

run = RunDir.open(Path(sys.argv[1]), "latest")
run.write_plan(plan("r01"))
run.append(record("r01"))
before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
with pytest.raises(RunDirError, match=r"cannot write .*/plan\\.json: File too large") as caught:
    run.write_plan(plan(*(f"r{number:03}" for number in range(100))))
assert "ulimit -f" in caught.value.remedy
with pytest.raises(RunDirError, match=r"cannot write .*/samples\\.jsonl: File too large"):
    run.append(StepRecord("r02", Outcome(FailureClass.TOOL_FAILED, "x" * 3000)))
assert {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()} == before
run.append(record("r02"))
assert [one.step for one in run.records()] == ["r01", "r02"]
"""


def test_a_write_that_fails_in_its_middle_leaves_the_old_content(run: RunDir, tmp_path: Path) -> None:
    # In a process of its own: the limit would hold for the file that pytest's own output may go to, too.
    script = [sys.executable, "-c", CRAMPED, str(tmp_path / "reports")]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [one.step for one in run.records()] == ["r01", "r02"]


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from netbench.store import RunDir
run = RunDir.open(Path(sys.argv[1]), "latest")
manifest = run.manifest()
number = 0
while True:
    number += 1
    run.write_manifest(replace(manifest, status=str(number), command=("x" * 1000,) * (number % 500)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 30])
def test_a_killed_writer_leaves_a_whole_file(run: RunDir, tmp_path: Path, after: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "reports")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert int(run.manifest().status) >= after
    run.write_manifest(MANIFEST)
    assert run.manifest() == MANIFEST
    assert [path.name for path in run.path.glob(".*")] == []


FULL_DISK = """
import subprocess
import sys
from pathlib import Path
from netbench.errors import RunDirError
from netbench.store import RunDir
from tests.store.models import MANIFEST, plan, record

root = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "netbench", str(root)], check=True)
run = RunDir.create(root, "full")
run.write_manifest(MANIFEST)
run.append(record("r01"))

def fails(action, *arguments):
    try:
        action(*arguments)
    except RunDirError as error:
        print(f"{error} | {error.remedy}")

fails(run.write_raw, "r01", 1, "client.out", bytes(100_000))
(root / "filler").write_bytes(bytes(16))
try:
    with (root / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(512))
except OSError:
    pass
fails(run.append, record("r02" * 2000))
fails(run.write_plan, plan("r01"))
(root / "filler").unlink()
assert run.manifest() == MANIFEST
run.append(record("r02"))
assert [one.step for one in run.records()] == ["r01", "r02"]
subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
fails(run.append, record("r03"))
fails(run.write_manifest, MANIFEST)
fails(RunDir.create, root, "new")
assert RunDir.open(root, "full").records() == run.records()
"""


def _namespaces() -> bool:
    """Whether this machine lets us mount something of our own."""
    return bool(shutil.which("unshare")) and subprocess.run(["unshare", "-rm", "true"], check=False).returncode == 0


@pytest.mark.skipif(not _namespaces(), reason="needs mount namespaces (unshare -rm)")
def test_full_and_read_only_disks_are_told_and_nothing_is_lost(tmp_path: Path) -> None:
    script = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(["unshare", "-rm", *script], capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.stderr == ""
    said = done.stdout.splitlines()
    where = ["raw/r01.1.client.out", "samples.jsonl", "plan.json", "samples.jsonl", "manifest.json", ""]
    assert len(said) == len(where)
    for line, name in zip(said, where, strict=True):
        assert name in line
    assert all("No space left on device | free space" in line for line in said[:3])
    assert all("Read-only file system | mount that file system writable" in line for line in said[3:])


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    for root in (tmp_path / "reports", tmp_path / "reports" / "deeper"):
        with pytest.raises(RunDirError, match=f"cannot create {root}: ") as caught:
            RunDir.create(root, NAME)
        assert "--reports" in caught.value.remedy


def test_what_is_missing_is_named(run: RunDir) -> None:
    with pytest.raises(RunDirError, match=r"cannot read .*/plan\.json: No such file"):
        run.plan()
    with pytest.raises(RunDirError, match=r"cannot read .*/r01\.2\.server\.out: No such file"):
        run.raw("r01", 2, "server.out")


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere, so a test run by root goes on as nobody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("ordinary_user")
def test_a_directory_that_belongs_to_somebody_else() -> None:
    with pytest.raises(RunDirError, match="Permission denied") as caught:
        RunDir.create(Path("/"), NAME)
    assert "give your user the right to it" in caught.value.remedy
