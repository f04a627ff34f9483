"""Up, down, run and what is left on the machine afterwards: nothing."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from netbench.errors import NetbenchError, UsageError
from netbench.lab import control
from netbench.lab.pods import load_pods
from netbench.lab.requirements import PROGRAMS
from netbench.lab.spec import LabSpec
from netbench.lab.state import LabState
from tests.lab.conftest import SPEC, Lab, eventually

pytestmark = pytest.mark.lab
SMALL = LabSpec(zones={"zone-a": ("tiny1",)})
KINDS = ("net", "mnt", "pid", "uts", "ipc")


def namespaces(pid: int) -> set[str]:
    """The namespaces of a process; none when it has ended."""
    try:
        return {Path(f"/proc/{pid}/ns/{kind}").readlink().name for kind in KINDS}
    except OSError:
        return set()


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def footprint(state: LabState) -> set[str]:
    """Every namespace of a lab."""
    pid = state.running()
    assert pid is not None
    family, parents = {pid}, {process: parent(process) for process in processes()}
    while more := {child for child, above in parents.items() if above in family} - family:
        family |= more
    return {space for member in family for space in namespaces(member)} - namespaces(os.getpid())


def left(spaces: set[str], state: LabState) -> list[str]:
    """What of a lab is on the machine."""
    inside = [f"process {pid}" for pid in processes() if namespaces(pid) & spaces]
    named = [f"process {pid}" for pid in processes() if str(state.directory).encode() in _read(f"/proc/{pid}/cmdline")]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(state.directory) in line]
    mounts += [line for line in Path("/proc/mounts").read_text().splitlines() if any(s in line for s in spaces)]
    links = [path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith(("tiny", "a1", "b1"))]
    return inside + named + mounts + links


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


@pytest.fixture
def state(able: None, tmp_path: Path) -> LabState:
    return LabState(tmp_path / "lab")


def test_up_is_idempotent_and_refuses_other_settings(lab: Lab) -> None:
    pid = lab.state.running()
    assert control.up(state=lab.state) == control.up(SPEC, lab.state) == lab.state
    assert lab.state.running() == pid
    with pytest.raises(UsageError, match="other settings"):
        control.up(SMALL, lab.state)


def test_its_files_are_for_their_owner_alone(lab: Lab) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in (lab.state.directory, lab.state.key, lab.state.kubeconfig)}
    assert list(modes.values()) == [0o700, 0o600, 0o600]
    assert lab.output("cat", str(lab.state.inventory)) == lab.state.inventory.read_text()


def test_status_tells_what_is_there(lab: Lab) -> None:
    status = control.status(lab.state)
    assert status.up
    assert [(e.name, e.kind, e.zone) for e in status.endpoints if e.node == "b1"] == [
        ("b1", "host", "zone-b"),
        ("b1-terway", "terway-eni", "zone-b"),
        ("b1-terway-eni", "terway-eni", "zone-b"),
    ]
    assert any("CPUs" in note for note in status.notes)


def test_run_keeps_directory_streams_and_exit_code(lab: Lab, tmp_path: Path) -> None:
    done = lab.run("sh", "-c", "pwd; hostname; cat; exit 7", input=b"through", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (7, f"{tmp_path}\nbastion\nthrough".encode())


def test_run_gives_the_labs_inventory_and_processes(lab: Lab) -> None:
    assert lab.output("sh", "-c", 'echo "$NETBENCH_INVENTORY"') == f"{lab.state.inventory}\n"
    assert lab.output("sh", "-c", "test -e /proc/$$/status && readlink /proc/self") != ""
    assert b"netbench.lab.init" in lab.run("cat", "/proc/1/cmdline").stdout


@pytest.mark.parametrize(("argv", "code"), [(("no-such-program",), 127), (("/etc/passwd",), 126)])
def test_run_ends_as_a_shell_would_for_what_cannot_be_run(lab: Lab, argv: tuple[str, ...], code: int) -> None:
    assert lab.run(*argv).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_hands_signals_on_and_waits_for_the_command(lab: Lab, number: signal.Signals) -> None:
    script = "trap 'echo caught; exit 5' TERM INT HUP; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(lab.argv("sh", "-c", script), stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"ready\n"
        runner.send_signal(number)
        assert runner.stdout.read() == b"caught\n"
        assert runner.wait(10) == 5


def test_two_labs_do_not_meet(lab: Lab, state: LabState) -> None:
    control.up(SMALL, state)
    try:
        assert not footprint(state) & footprint(lab.state)
        assert "tiny1" in Lab(state).output("ip", "-br", "link")
        assert "tiny1" not in lab.output("ip", "-br", "link")
    finally:
        control.down(state)


def test_down_leaves_nothing(state: LabState) -> None:
    control.up(SMALL, state)
    spaces = footprint(state)
    assert len(spaces) == len(KINDS) * 4  # the lab's own, a node's and two pods'
    control.down(state)
    eventually(lambda: not left(spaces, state))
    assert not state.directory.exists()
    control.down(state)  # where there is none, nothing happens


def test_a_killed_init_leaves_nothing_and_the_next_lab_starts(state: LabState) -> None:
    control.up(SMALL, state)
    spaces, pid = footprint(state), state.running()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not left(spaces, state))
    assert not control.status(state).up
    control.up(SMALL, state)
    control.down(state)


def test_run_starts_a_lab_and_takes_it_down(state: LabState) -> None:
    seen = Lab(state).run("sh", "-c", "cat /proc/sys/kernel/hostname; exit 3")
    assert (seen.returncode, seen.stdout) == (3, b"bastion\n"), seen.stderr
    assert not state.directory.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_lab_that_run_started_ends_with_it(state: LabState, number: signal.Signals) -> None:
    argv = Lab(state).argv("sh", "-c", "echo ready; exec sleep 60")
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"ready\n"
        spaces = footprint(state)
        runner.send_signal(number)
        assert runner.wait(10) == (143 if number == signal.SIGTERM else -signal.SIGKILL)
    eventually(lambda: not left(spaces, state))


def test_a_lab_that_run_started_waits_for_other_commands_in_it(state: LabState) -> None:
    argv = Lab(state).argv("sh", "-c", "echo ready; read line; echo end")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            owner.stdin.close()
            assert owner.stdout.readline() == b"end\n"
            with pytest.raises(subprocess.TimeoutExpired):
                owner.wait(0.5)
            assert other.communicate(b"\n", 10)[0] == b"end\n"
            assert other.returncode == 0
        assert owner.wait(10) == 0
    assert not state.directory.exists()


def test_a_directory_of_something_else_is_left_alone(able: None, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    for action in (control.up, lambda state: control.run(["true"], state)):
        with pytest.raises(UsageError, match=r"not empty and not a lab's \(it holds (home|precious)\)"):
            action(state=LabState(tmp_path))
    control.down(LabState(tmp_path))
    assert (tmp_path / "precious").exists()


def test_what_is_missing_is_named_with_its_package(state: LabState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROGRAMS, "no-such-program", "its-package")
    with pytest.raises(UsageError, match="the lab needs: no-such-program") as caught:
        control.up(SMALL, state)
    assert caught.value.remedy == "apt-get install its-package"


def test_a_lab_that_does_not_come_up_says_why_and_leaves_nothing(
    state: LabState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin" / "tc"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no shaping today >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    with pytest.raises(NetbenchError, match=r"did not come up: .*no shaping today"):
        control.up(SMALL, state)
    assert not state.directory.exists()
    assert not left(set(), state)


def test_a_pod_is_made_anew_under_its_name_and_address(lab: Lab) -> None:
    """Pods of both kinds: all that ran in them is gone, and they answer again."""
    for pod in ("a1-terway", "a1-terway-eni"):
        before = next(each for each in load_pods(lab.state.pods) if each.name == pod)
        lab.output("kubectl", "exec", pod, "--", "touch", "/tmp/old")
        control.recreate_pod(pod, lab.state)
        after = next(each for each in load_pods(lab.state.pods) if each.name == pod)
        assert (after.address, after.labels) == (before.address, before.labels)
        assert after.uid != before.uid
        assert lab.output("kubectl", "exec", pod, "--", "ls", "-A", "/tmp") == ""
        lab.output("kubectl", "exec", "a2-terway", "--", "ping", "-c", "1", "-W", "5", after.address)
        lab.output("kubectl", "exec", pod, "--", "ping", "-c", "1", "-W", "5", "198.19.0.12")
    with pytest.raises(NetbenchError, match="the lab has no pod a9"):
        control.recreate_pod("a9", lab.state)


def test_the_api_can_be_told_to_fail(lab: Lab) -> None:
    control.fail_api(500, lab.state)
    try:
        failed = lab.run("kubectl", "get", "pods")
        assert failed.returncode != 0
        assert b"told to fail" in failed.stderr
    finally:
        control.fail_api(None, lab.state)
    lab.output("kubectl", "get", "pods")
