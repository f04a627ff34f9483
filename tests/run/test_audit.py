"""The audit trail: what was sent, where, as whom, how it ended; nothing of secrets or stdin."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from netbench.errors import ConnectionCutError
from netbench.model import Cluster, Command, LocalAccess, PodAccess, SshAccess
from netbench.run import audit
from netbench.run.audit import Trail, begin, where
from netbench.transports.base import ConnectOptions
from netbench.transports.pool import Pool

HOST = SshAccess("198.18.0.1", user="root")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_command_is_told_when_it_is_sent_and_when_it_has_ended(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "trail.jsonl")
    with Pool(ConnectOptions(), trail.sent) as pool:
        assert pool.get(LocalAccess()).run(Command(("sh", "-c", "exit 3"))).exit_code == 3
    sent, ended = lines(tmp_path / "trail.jsonl")
    assert (sent["to"], sent["argv"]) == ("local", ["sh", "-c", "exit 3"])
    assert (ended["n"], ended["exit"]) == (sent["n"], 3)
    assert str(sent["at"]).endswith("+00:00")
    assert stat.S_IMODE((tmp_path / "trail.jsonl").stat().st_mode) == 0o600


def test_neither_secrets_nor_stdin_nor_programs_are_in_it(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "trail.jsonl")
    command = Command(("login", "--password=hunter2"), secrets=("hunter2",), stdin="hunter3", script="tell hunter4")
    ended = trail.sent(HOST, command)
    ended(ConnectionCutError("hunter2 was refused"), "root@198.18.0.1:22")
    text = (tmp_path / "trail.jsonl").read_text()
    assert "hunter" not in text
    sent, over = lines(tmp_path / "trail.jsonl")
    assert sent["argv"] == ["login", "--password=***"]
    assert (over["as"], over["error"]) == ("root@198.18.0.1:22", "*** was refused")


def test_what_was_sent_before_there_was_a_run_moves_into_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    trail = begin("bench")
    trail.sent(HOST, Command(("before",)))
    (held,) = (tmp_path / "state/netbench/commands").iterdir()
    assert lines(held)[0]["argv"] == ["before"]
    trail.move(tmp_path / "commands.jsonl")
    trail.sent(HOST, Command(("after",)))
    assert not held.exists()
    assert [line["argv"] for line in lines(tmp_path / "commands.jsonl")] == [["before"], ["after"]]


def test_only_the_newest_trails_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = tmp_path / "netbench/commands"
    directory.mkdir(parents=True)
    for number in range(audit.KEPT + 20):
        (directory / f"20200101T{number:06d}Z-1-check.jsonl").touch()
    begin("check").sent(HOST, Command(("true",)))
    left = sorted(path.name for path in directory.iterdir())
    assert len(left) == audit.KEPT
    assert left[-1].endswith("-check.jsonl")
    assert left[0] == "20200101T000021Z-1-check.jsonl"


@pytest.mark.parametrize("home", ["", "relative", "/proc/version"])
def test_where_there_is_no_place_for_it_lines_wait_for_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", home)
    monkeypatch.setenv("HOME", "/proc/version")
    trail = begin("bench")
    trail.sent(HOST, Command(("one",)))
    trail.move(tmp_path / "commands.jsonl")
    assert [line["argv"] for line in lines(tmp_path / "commands.jsonl")] == [["one"]]


def test_many_threads_and_long_arguments(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "trail.jsonl")

    def send() -> None:
        for _ in range(50):
            trail.sent(HOST, Command(("x" * 100_000,)))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(tmp_path / "trail.jsonl")
    assert sorted(int(str(line["n"])) for line in found) == list(range(1, 201))
    assert all(len(json.dumps(line)) < 3000 for line in found)


def test_endpoints_in_one_word() -> None:
    assert where(HOST) == "host 198.18.0.1"
    assert where(PodAccess(Cluster(), "default", "a1", "main")) == "pod default/a1/main"
    assert where(LocalAccess()) == "local"
