"""Remote jobs on real shells: this machine's, with dash, bash and BusyBox, over a link that can be cut."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from netbench.errors import ConnectionCutError, DeadlineError, OutputLimitError, TransportError
from netbench.model import Command, Completed, Measurement, Moved
from netbench.run.jobs import Beat, FrameReader, Job, JobGoneError, Left, end_job, find_jobs
from netbench.run.scripts import script
from netbench.run.snapshots import activity
from netbench.run.validity import judge
from netbench.transports import wire
from netbench.transports.base import OnOutput
from netbench.transports.local import LocalTransport

SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
LISTEN = "import socket,sys,time; s=socket.socket(); s.bind(('127.0.0.1',int(sys.argv[1]))); s.listen(); time.sleep(60)"


@cache
def path_of(shell: str) -> str:
    """A PATH on which ``sh`` is the shell under test: the one that starts programs, and the one that reads them."""
    directory = tempfile.mkdtemp(prefix="netbench-test-shell-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    Path(directory).chmod(0o755)
    Path(directory, "sh").symlink_to(str(shutil.which(shell)))
    return f"{directory}:{os.environ['PATH']}"


class ShellTransport(LocalTransport):
    """This machine, with ``sh`` being the shell under test."""

    def __init__(self, shell: str) -> None:
        super().__init__()
        self._path = path_of(shell)

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        return super().run(replace(command, env={"PATH": self._path, **command.env}), on_output)


def sent(
    command: Command, shell: str = "sh", user: int | None = None, **popen: Any
) -> tuple[subprocess.Popen[bytes], bytes]:
    """A script on its way, with nobody who waits for it; and its token."""
    token = wire.new_token()
    environment = {**os.environ, **({"PATH": path_of(shell)} if shell != "sh" else {}), **command.env}
    if user is not None:
        popen |= {"user": user, "group": user, "extra_groups": [], "cwd": "/"}
    process = subprocess.Popen(
        wire.argv(command.deadline),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
        **popen,
    )
    assert process.stdin is not None
    with process.stdin:
        process.stdin.write(wire.program(command, token).encode())
    return process, token.encode()


def said(process: subprocess.Popen[bytes], token: bytes) -> str:
    """The whole answer to what was sent."""
    answer = wire.Answer(token.decode(), 1 << 20)
    assert process.stdout is not None
    with process.stdout:
        answer.feed(process.stdout.read())
    process.wait(60)
    return answer.completed(b"", 0).text


class CutTransport(LocalTransport):
    """Loses the link of the first ``cuts`` commands after their first output, as a firewall would."""

    def __init__(self, cuts: int, *, greeting: bool = False) -> None:
        """``greeting``: already what the login shell says is output."""
        super().__init__()
        self.cuts, self._greeting = cuts, greeting

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        if self.cuts <= 0:
            return super().run(command, on_output)
        self.cuts -= 1
        process, token = sent(command)
        assert process.stdout is not None
        for line in process.stdout:
            if self._greeting or token in line:
                break
        process.stdout.close()
        subprocess_left.append(process)
        raise ConnectionCutError("the test cut the link")


subprocess_left: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """After every test: no job directory, no state directory, and no process that the test started."""
    yield
    for process in subprocess_left:
        process.wait(90)  # a script whose link was cut may stay until its own deadline
    subprocess_left.clear()
    until(lambda: not list(tmp_path.glob("netbench-*")))
    until(lambda: not processes_about(str(tmp_path)))


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest) -> LocalTransport:
    return ShellTransport(request.param)


def test_output_exit_code_and_cleanup(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), ("sh", "-c", "printf 'a\\n\\0b'; echo oops >&2; exit 7"), deadline=10)
    result = job.result()
    assert (result.status, result.stdout, result.stderr) == ("7", b"a\n\0b", b"oops\n")
    assert result.completed.exit_code == 7
    job.stop()
    job.stop()


def test_arguments_arrive_as_they_are(transport: LocalTransport, tmp_path: Path) -> None:
    hostile = ("$(touch pwned)", "a b", "'\"", "-n", "\n", "*", "", "end")
    job = Job(transport, str(tmp_path), ("printf", "%s|", *hostile), deadline=10)
    assert job.result().stdout == "".join(f"{word}|" for word in hostile).encode()
    job.stop()


def test_large_output_is_whole(transport: LocalTransport, tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "print('x' * 3_000_000)")
    job = Job(transport, str(tmp_path), argv, deadline=20, limit=4 << 20)
    assert job.result().stdout == b"x" * 3_000_000 + b"\n"
    job.stop()


def test_output_without_end_is_cut_at_its_limit_and_the_job_fails(transport: LocalTransport, tmp_path: Path) -> None:
    """On the endpoint: neither its disk nor the bastion gets more."""
    job = Job(transport, str(tmp_path), ("cat", "/dev/zero"), deadline=20, limit=100_000)
    result = job.result()
    assert result.status not in ("0", "overdue")
    assert len(result.stdout) == 100_001  # one more says that it was cut
    assert set(result.stdout) == {0}
    job.stop()


def test_a_program_that_is_not_there(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), ("netbench-has-no-such-program",), deadline=10)
    result = job.result()
    assert result.status == "127"
    assert b"netbench-has-no-such-program" in result.stderr
    job.stop()


def test_the_deadline_ends_even_what_ignores_TERM(transport: LocalTransport, tmp_path: Path) -> None:
    argv = ("sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.2; done", str(tmp_path))
    job = Job(transport, str(tmp_path), argv, deadline=1)
    result = job.result()
    assert (result.status, result.stdout) == ("overdue", b"begun\n")
    job.stop()


def test_stop_ends_a_frozen_process(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), (sys.executable, "-c", LISTEN, port := str(free_port()), str(tmp_path)),
              deadline=60, port=int(port))  # fmt: skip
    assert job.wait_ready(20)
    (record,) = tmp_path.glob("netbench-*/job.*/child")
    os.kill(int(record.read_text().split()[0]), signal.SIGSTOP)
    job.stop()
    assert job.result().status == "stopped"


def test_ready_only_when_it_listens_itself(transport: LocalTransport, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        job = Job(transport, str(tmp_path), (sys.executable, "-c", LISTEN, str(port)), deadline=30, port=port)
        assert not job.wait_ready(20)
        assert b"Address already in use" in job.result().stderr
        job.stop()


def test_a_server_that_never_listens(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), ("sleep", "30"), deadline=40, port=free_port())
    with pytest.raises(DeadlineError, match="not listening"):
        job.wait_ready(0.5)
    job.stop()


def test_beats_come_while_it_runs(transport: LocalTransport, tmp_path: Path) -> None:
    beats: list[Beat] = []
    job = Job(transport, str(tmp_path), ("sleep", "2.5"), deadline=20, device="lo", on_beat=beats.append)
    assert job.result().status == "0"
    job.stop()
    assert len(beats) >= 2
    assert beats[0].uptime < beats[1].uptime
    assert beats[0].sent is not None


def test_snapshots_of_the_machine_frame_the_command(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), ("sleep", "0.5"), deadline=20, device="lo")
    told = job.result().host
    found = activity(told)
    assert found is not None, told
    assert 0.5 <= found.seconds < 10
    assert set(found.cores) == {f"cpu{core}" for core in range(os.cpu_count() or 0)}
    assert {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_dropped", "tx_dropped"} == set(found.nic)
    assert b"intr" not in told  # on a large machine that is by far the longest of all
    job.stop()


def test_a_stopped_server_tells_too(transport: LocalTransport, tmp_path: Path) -> None:
    job = Job(transport, str(tmp_path), (sys.executable, "-c", LISTEN, port := str(free_port())), deadline=60,
              port=int(port))  # fmt: skip
    assert job.wait_ready(20)
    job.stop()
    assert activity(job.result().host) is not None


def test_others_traffic_on_the_device_is_seen(tmp_path: Path) -> None:
    """20 MB that somebody else sends over loopback meanwhile, for a step that says it moved nothing."""
    job = Job(LocalTransport(), str(tmp_path), ("sleep", "1"), deadline=20, device="lo")
    until(lambda: [path for path in tmp_path.glob("netbench-*/job.*/child") if path.read_text()])
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sender:
        receiver, _ = server.accept()
        with receiver:
            for _ in range(200):
                sender.sendall(b"x" * 100_000)
                received = 0
                while received < 100_000:
                    received += len(receiver.recv(100_000))
    told = activity(job.result().host)
    job.stop()
    assert told is not None
    assert told.nic["tx_bytes"] >= 20_000_000
    judged = judge(Measurement((), moved=Moved(0, 0)), {"source": told})
    assert "other-traffic" in {flag.code for flag in judged.flags}


class WrappedTransport(LocalTransport):
    """This machine, where ``sh`` is started by a line of shell that ends in ``"$@"``."""

    def __init__(self, directory: Path, line: str) -> None:
        super().__init__()
        directory.mkdir()
        self._directory = directory
        own = directory / "sh"
        own.write_text(f'#!/bin/sh\nPATH=${{PATH#*:}}\nset -- /bin/sh "$@"\n{line}\n')
        own.chmod(0o755)

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        path = f"{self._directory}:{os.environ['PATH']}"
        return super().run(replace(command, env={"PATH": path, **command.env}), on_output)


@pytest.fixture
def slow_cgroup() -> Iterator[Path]:
    """The file that lists the members of a cgroup that may use a tenth of one core, of either version."""
    name = f"netbench-test-{os.getpid()}"
    v1, v2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    group = (v1 if v1.is_dir() else v2) / name
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        if v1.is_dir():
            (group / "cpu.cfs_quota_us").write_text("10000")
        else:
            (group / "cpu.max").write_text("10000 100000")
    except OSError as error:
        group.rmdir()
        pytest.skip(f"no CPU limit can be set on a cgroup here: {error}")
    members = group / "cgroup.procs"
    yield members
    until(lambda: not members.read_text())
    group.rmdir()


def test_throttling_by_a_real_cgroup_is_seen(slow_cgroup: Path, tmp_path: Path) -> None:
    argv = ("timeout", "1", "sh", "-c", "while :; do :; done")
    inside = WrappedTransport(tmp_path / "bin", f'echo $$ >"{slow_cgroup}" && exec "$@"')
    job = Job(inside, str(tmp_path), argv, deadline=20)
    told = activity(job.result().host)
    job.stop()
    assert told is not None
    assert told.throttled is not None
    assert told.throttled > 0.1  # of the 0.9 s that the limit leaves out, where nobody else takes the core meanwhile
    flags = judge(Measurement(()), {"source": told}).flags
    assert "throttled" in {flag.code for flag in flags}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_cgroup_v2_is_read_where_it_is_mounted(tmp_path: Path) -> None:
    """Of the job's own cgroup and of all above it; in place of a kernel's there is a directory that looks like one."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if own is None or "/.." in own:
        pytest.skip("this process is in no cgroup of version 2, or outside of its namespace")
    mounted = tmp_path / "cgroup"
    levels = [Path(own), *Path(own).parents]
    for level in levels:
        folder = mounted / str(level).lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.stat").write_text(f"usage_usec 5\nthrottled_usec {len(level.parts)}\n")
    line = f"""exec unshare -m /bin/sh -c 'mount --bind "$0" /sys/fs/cgroup && exec "$@"' "{mounted}" "$@\""""
    inside = WrappedTransport(tmp_path / "bin", line)
    job = Job(inside, str(tmp_path), ("sleep", "0.2"), deadline=20)  # the clock has to move
    told = job.result().host.decode()
    job.stop()
    for level in levels:
        name = f"{level}/cpu.stat".replace("//", "/")
        assert told.count(f"/sys/fs/cgroup{name}:throttled_usec {len(level.parts)}\n") == 2, told
    found = activity(told.encode())
    assert found is not None
    assert found.throttled == 0


@pytest.mark.parametrize("greeting", [False, True])
@pytest.mark.parametrize("cuts", [1, 3])
def test_a_cut_link_still_yields_the_result(tmp_path: Path, cuts: int, greeting: bool) -> None:
    job = Job(CutTransport(cuts, greeting=greeting), str(tmp_path), ("sh", "-c", "sleep 2; echo measured"), deadline=20)
    assert job.result().stdout == b"measured\n"
    told = activity(job.result().host)
    assert told is not None
    assert told.seconds >= 2
    job.stop()


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_stays_when_nobody_comes_back(shell: str, tmp_path: Path) -> None:
    """The bastion died: the job ends at its deadline and its directory goes after the time a result is kept."""
    identity = "1" * 24
    process, _ = sent(start(tmp_path, identity, "sleep", "60", seconds=1, linger=1), shell)
    assert process.stdout is not None
    process.stdout.readline()  # a link that is cut before the greeting starts nothing
    process.stdout.close()
    subprocess_left.append(process)
    until(lambda: (tmp_path / f"netbench-{os.geteuid()}" / f"job.{identity}" / "child").exists())


def start(place: Path, identity: str, *argv: str, seconds: int = 60, linger: int = 60, limit: int = 4096) -> Command:
    """What starts a job."""
    settings = (str(seconds), str(linger), "", "", str(limit))
    return script("job", "start", str(place), identity, *settings, *argv, deadline=seconds + linger + 60)


def test_a_killed_bastion_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGKILL to the process that started a job: the job ends at its own deadline and takes its directory with it."""
    code = (
        "import sys; from netbench.run import jobs; from netbench.transports.local import LocalTransport;"
        "jobs.LINGER = 1; job = jobs.Job(LocalTransport(), sys.argv[1], ('sleep', '985'), deadline=2); job.result()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as bastion:
        until(lambda: list(tmp_path.glob("netbench-*/job.*/child")))
        (record,) = tmp_path.glob("netbench-*/job.*/child")
        until(record.read_text)
        child = int(record.read_text().split()[0])
        bastion.kill()
    assert Path(f"/proc/{child}").exists()  # it goes on: only its deadline ends it
    until(lambda: not Path(f"/proc/{child}").exists())
    until(lambda: not record.parent.exists())


def test_the_start_fails_where_the_directory_cannot_be_made(tmp_path: Path) -> None:
    job = Job(LocalTransport(), str(tmp_path / "missing"), ("true",), deadline=5)
    with pytest.raises(TransportError, match="could not start"):
        job.result()
    job.stop()


def test_a_killed_shell_leaves_nothing_once_stopped(tmp_path: Path) -> None:
    job = Job(LocalTransport(), str(tmp_path), ("sleep", "61"), deadline=70)
    until(lambda: [path for path in tmp_path.glob("netbench-*/job.*/child") if path.read_text()])
    (record,) = tmp_path.glob("netbench-*/job.*/job")
    os.kill(int(record.read_text().split()[0]), signal.SIGKILL)
    job.stop()


class LateTransport(LocalTransport):
    """A start is as slow as an API server under load; all else is quick."""

    def __init__(self) -> None:
        super().__init__()
        self.started = threading.Event()

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        if "start" in command.argv:
            self.started.set()
            time.sleep(1.5)
        return super().run(command, on_output)


def test_a_job_that_begins_after_it_was_stopped_is_ended_too(tmp_path: Path) -> None:
    transport = LateTransport()
    job = Job(transport, str(tmp_path), ("sleep", "986"), deadline=1000)
    assert transport.started.wait(10)
    job.stop()
    assert job.result().status == "stopped"
    assert list(tmp_path.glob("netbench-*")) == []


class VanishingTransport(LocalTransport):
    """The link is cut when the job's first beat has come, and the machine is made anew."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = place
        self.fetched = 0

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        if "start" not in command.argv:
            self.fetched += "fetch" in command.argv
            return super().run(command, on_output)
        process, token = sent(command)
        assert process.stdout is not None
        assert on_output is not None
        line = next(line for line in process.stdout if line.startswith(token))
        on_output(line.split(b" ", 2)[2])
        (record,) = self._place.glob("netbench-*/job.*/job")
        (child,) = self._place.glob("netbench-*/job.*/child")
        ends = [int(path.read_text().split()[0]) for path in (record, child)]
        for pid in (*ends, process.pid):
            os.killpg(os.getpgid(pid), signal.SIGKILL)
        process.wait()
        process.stdout.close()
        shutil.rmtree(record.parent.parent)
        raise ConnectionCutError("the test cut the link")


def test_nobody_waits_for_a_job_that_is_gone(tmp_path: Path) -> None:
    transport = VanishingTransport(tmp_path)
    job = Job(transport, str(tmp_path), ("sleep", "987"), deadline=1000)
    with pytest.raises(JobGoneError, match="no longer there"):
        job.result()
    assert transport.fetched == 1


IDENTITY = "0123456789ab" * 2


@pytest.mark.parametrize("shell", SHELLS)
def test_the_directory_of_a_job_is_private_and_its_state_directory_nobody_elses(shell: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    process, token = sent(start(tmp_path, IDENTITY, "sleep", "62"), shell, umask=0)
    home = tmp_path / f"netbench-{os.geteuid()}"
    directory = home / f"job.{IDENTITY}"
    until(lambda: (directory / "child").exists() and (directory / "child").read_text())
    for path, mode in ((home, 0o755), (directory, 0o700)):
        found = path.lstat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (mode, os.geteuid())
    assert all(stat.S_IMODE(path.lstat().st_mode) == 0o600 for path in directory.iterdir())
    command_lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    assert not [line for line in command_lines if IDENTITY.encode() in line or token in line]
    transport = ShellTransport(shell)
    assert find_jobs(transport, (str(tmp_path),)) == [Left("running", str(tmp_path), IDENTITY)]
    assert find_jobs(transport, (str(tmp_path),), "0123456789ab") != []
    assert find_jobs(transport, (str(tmp_path),), "1123456789ab") == []
    end_job(transport, str(tmp_path), IDENTITY)
    assert said(process, token).startswith("frame stopped ")


def readable(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return bool(path.read_bytes())
    return False


FOREIGN = ("a link", "a link to nothing", "a file", "a FIFO", "open to its group", "open to all", "another user's")


def foreign(home: Path, kind: str) -> None:
    """What may stand where a state directory would be made, and is not one."""
    if kind == "a link":
        target = home.parent / "target"
        target.mkdir()
        home.symlink_to(target)
    elif kind == "a link to nothing":
        home.symlink_to("nowhere")
    elif kind == "a file":
        home.write_text("precious")
    elif kind == "a FIFO":
        os.mkfifo(home)
    else:
        home.mkdir()
        (home / "precious").write_text("x")
        home.chmod({"open to its group": 0o775, "open to all": 0o777}.get(kind, 0o755))
        if kind == "another user's":
            if os.geteuid() != 0:
                pytest.skip("only root can be two users")
            os.chown(home, 65534, 65534)


@pytest.mark.parametrize("kind", FOREIGN)
def test_no_job_begins_where_the_state_directory_is_somebody_elses(
    transport: LocalTransport, tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    foreign(place / f"netbench-{os.geteuid()}", kind)
    before = sorted((path, path.lstat().st_mode) for path in place.rglob("*"))
    mark = tmp_path / "it-ran"
    job = Job(transport, str(place), ("touch", str(mark)), deadline=5)
    with pytest.raises(TransportError, match=f"could not start: .*netbench-{os.geteuid()}"):
        job.result()
    job.stop()
    assert find_jobs(transport, (str(place),)) == []
    assert sorted((path, path.lstat().st_mode) for path in place.rglob("*")) == before
    assert not mark.exists()


def test_a_job_directory_that_is_a_link_is_neither_entered_nor_removed(
    transport: LocalTransport, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    home = place / f"netbench-{os.geteuid()}"
    home.mkdir(parents=True)
    precious = tmp_path / "precious"
    precious.mkdir()
    with subprocess.Popen(("sleep", "63")) as other:
        since = Path(f"/proc/{other.pid}/stat").read_text().rpartition(") ")[2].split()[19]
        for name in ("job", "child", "status"):
            (precious / name).write_text(f"{other.pid} {since} boot\n")
        (home / f"job.{IDENTITY}").symlink_to(precious)
        assert find_jobs(transport, (str(place),)) == []
        end_job(transport, str(place), IDENTITY)
        asked = transport.run(script("job", "fetch", str(place), IDENTITY, deadline=10))
        assert asked.stdout == b"gone\n"
        assert sorted(path.name for path in precious.iterdir()) == ["child", "job", "status"]
        assert other.poll() is None
        other.kill()


def test_a_frame_that_claims_more_than_comes_is_no_result() -> None:
    reader = FrameReader()
    reader.feed(b"frame 0 3 0 999999999999\nabc" + b"x" * 1000 + b"end\n")
    assert reader.result is None


@pytest.mark.parametrize("line", [b"x" * 63, b"beat 1.5 2 3", b"frame 0 1 1", b""])
def test_reading_costs_the_same_for_every_byte(line: bytes) -> None:
    """Four times as much, in pieces as a link brings them, takes four times as long: not sixteen times."""

    def cost(count: int) -> float:
        data, best = (line + b"\n") * count, float("inf")
        for _ in range(3):
            reader, began = FrameReader(), time.process_time()
            for at in range(0, len(data), 1000):
                reader.feed(data[at : at + 1000])
            best = min(best, time.process_time() - began)
        return best

    assert cost(40_000) < 10 * cost(10_000) + 0.1


def test_one_line_without_end_costs_the_same_for_every_byte() -> None:
    def cost(size: int) -> float:
        best = float("inf")
        for _ in range(3):
            reader, began = FrameReader(), time.process_time()
            reader.feed(b"frame 0 %d 0 0\n" % (size + 1))
            for _ in range(size // 1000):
                reader.feed(b"x" * 1000)
            best = min(best, time.process_time() - began)
        return best

    assert cost(16_000_000) < 10 * cost(4_000_000) + 0.1


def test_more_than_a_job_may_say_is_an_error_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the endpoint does not cut: its answer is given up, with its class."""
    monkeypatch.setattr("netbench.run.jobs.SNAPSHOTS", 10)
    monkeypatch.setattr("netbench.run.jobs.BEAT", 0)
    job = Job(LocalTransport(), str(tmp_path), ("printf", "%2000s"), deadline=10, limit=100)
    with pytest.raises(OutputLimitError):
        job.result()
    job.stop()


def test_frames_in_any_pieces() -> None:
    stream = b"banner\nready\nbeat 12.5 - 7\nframe 0 3 2 5\na\nbc\nhost\nend\n"
    for size in range(1, len(stream)):
        beats: list[Beat] = []
        reader = FrameReader(beats.append)
        for begin in range(0, len(stream), size):
            reader.feed(stream[begin : begin + size])
        assert reader.ready
        assert beats == [Beat(12.5, None, 7)]
        assert reader.result is not None
        assert (reader.result.stdout, reader.result.stderr, reader.result.host) == (b"a\nb", b"c\n", b"host\n")
    for end in range(len(stream)):
        reader = FrameReader()
        reader.feed(stream[:end])
        assert reader.result is None


def until(condition: object, seconds: float = 20) -> None:
    """Wait for a condition; fail when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "still not true"
        time.sleep(0.02)


def processes_about(text: str) -> list[int]:
    """Processes (not this one) that hold the text in their command line or environment: HOME is the test's."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                told = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
                if text in told.replace(b"\0", b" ").decode("utf-8", "replace"):
                    found.append(int(entry.name))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
