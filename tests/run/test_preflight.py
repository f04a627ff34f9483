"""Preflight: the facts script on real shells, and what the table says of each fault."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from netbench.errors import AuthError
from netbench.model import Cluster, Command, Completed, Endpoint, FailureClass, LocalAccess, Plan
from netbench.probes.throughput import Throughput
from netbench.run.check import Check
from netbench.run.clusters import cluster_versions
from netbench.run.preflight import Preflight, _facts, preflight
from netbench.transports.base import OnOutput, Transport
from netbench.transports.fake import FakeTransport, Reply
from tests.run.test_runner import make_plan

FACTS = Path("netbench/run/facts.sh").read_text(encoding="utf-8")
SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
GOOD = b"workdir=/tmp\nkernel=6.1\nos=Debian\niperf3=3.12\nping=iputils\nnic=eth0\nmtu=1500\n"


def facts(*arguments: str, shell: str = "sh") -> dict[str, str]:
    argv = [*(("busybox", "sh") if shell == "busybox" else (shell,)), "-c", FACTS, "netbench-facts", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("shell", SHELLS)
def test_the_facts_of_this_machine(shell: str) -> None:
    found = facts("127.0.0.1", "", "iperf3 ping", shell=shell)
    uname = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    assert found["kernel"] == uname
    assert found["nic"] == "lo"
    assert int(found["mtu"]) > 1000
    assert int(found["cpus"]) >= 1
    assert Path(found["workdir"]).is_dir()
    assert "missing" not in found


@pytest.mark.parametrize("tools", ["", "ip tc ethtool"])
def test_evidence_is_gathered_with_and_without_ip(tools: str, tmp_path: Path) -> None:
    """The index of loopback and of every link comes from /sys; only tools tell the rest."""
    for tool in f"sh sed cat readlink rm mkdir uname nproc {tools}".split():
        if path := shutil.which(tool):
            (tmp_path / tool).symlink_to(path)
    argv = ["sh", "-c", FACTS, "netbench-facts", "127.0.0.1", "", ""]
    environment = {"PATH": str(tmp_path)}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True, env=environment)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert "lo 1 1" in found["seen.links"].split("; ")
    if shutil.which("ip"):
        assert ("seen.link" in found) is bool(tools)
    if "nic" in found:
        assert found["seen.index"].split()[0].isdigit()


@pytest.mark.parametrize("shell", SHELLS)
def test_missing_tools_and_taken_ports_are_found(shell: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = facts("127.0.0.1", f"{port} 1", "sh no-such-tool $(touch pwned)", shell=shell)
    assert found["missing"].split() == ["no-such-tool", "$(touch", "pwned)"]
    assert found["port_taken"] == port
    assert not Path("pwned").exists()


def look(
    replies: dict[str, dict[tuple[str, ...], Reply]], plan: Plan | None = None, *, mixed: bool = False
) -> tuple[Preflight, dict[str, FakeTransport]]:
    transports = {name: FakeTransport(listed) for name, listed in replies.items()}
    endpoints = {name: Endpoint(name, "host", name, "198.18.0.9", LocalAccess()) for name in replies}

    def connect(endpoint: Endpoint) -> Transport:
        return transports[endpoint.name]

    probes = {"throughput": Throughput(duration=1)}
    return preflight(plan or make_plan(), endpoints, probes, connect, allow_mixed_versions=mixed), transports


def answers(facts: bytes = GOOD, reach: Reply | None = None) -> dict[tuple[str, ...], Reply]:
    return {("timeout",): Reply(facts), ("sh", "-c"): reach or Reply()}


def failures(looked: Preflight) -> list[tuple[str, FailureClass | None]]:
    return [(check.endpoint, check.failure) for check in looked.failures]


def test_all_is_well() -> None:
    looked, _ = look({"a": answers(), "b": answers()})
    assert failures(looked) == []
    assert set(looked.targets) == {"a", "b"}
    assert looked.targets["a"].device == "eth0"
    assert {found.endpoint: found.facts["kernel"] for found in looked.facts} == {"a": "6.1", "b": "6.1"}
    assert looked.unusable() == {}


FAULTS = {
    "no way in": ({("timeout",): Reply(error=AuthError("no key", "add it"))}, FailureClass.AUTH),
    "no sh": ({("timeout",): Reply(stderr=b"timeout: not found", exit_code=127)}, FailureClass.TOOL_FAILED),
    "no iperf3": (answers(b"missing= iperf3\n" + GOOD), FailureClass.TOOL_MISSING),
    "nowhere to write": (answers(GOOD.replace(b"workdir=/tmp\n", b"")), FailureClass.PERMISSION),
    "port taken": (answers(b"port_taken=16000\n" + GOOD), FailureClass.PORT_TAKEN),
    "another iperf3": (answers(GOOD.replace(b"3.12", b"3.16")), FailureClass.VERSION_MISMATCH),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_row_with_a_remedy(fault: str) -> None:
    replies, failure = FAULTS[fault]
    looked, _ = look({"a": answers(), "b": replies})
    assert [found for _, found in failures(looked)] == [failure]
    assert all(check.remedy for check in looked.failures)
    (outcome,) = looked.unusable().values()
    assert outcome.failure is failure


def test_mixed_versions_can_be_allowed() -> None:
    looked, _ = look({"a": answers(), "b": answers(GOOD.replace(b"3.12", b"3.16"))}, mixed=True)
    assert failures(looked) == []
    assert any("3.12 on a, 3.16 on b" in check.detail for check in looked.checks)


def test_an_address_that_does_not_answer() -> None:
    looked, _ = look({"a": answers(reach=Reply(b"198.18.0.9\n")), "b": answers()})
    assert failures(looked) == [("a", FailureClass.UNREACHABLE)]
    assert "b (198.18.0.9)" in looked.failures[0].detail


def test_without_ping_the_way_is_not_checked_and_the_table_says_so() -> None:
    looked, _ = look({"a": answers(reach=Reply(exit_code=9)), "b": answers()})
    assert failures(looked) == []
    assert any("not checked" in check.detail for check in looked.checks)


def test_several_failures_of_one_endpoint_keep_the_first_reason() -> None:
    row = Check("a", "x", "one", FailureClass.AUTH)
    looked = Preflight((row, replace(row, detail="two")), (), {})
    assert looked.unusable()["a"].reason == "preflight: x: one"


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (b'{"clientVersion": {"gitVersion": "v1.30.1"}, "serverVersion": {"gitVersion": "v1.20.2"}}', None),
        (b'{"clientVersion": {"gitVersion": "v1.30.1"}}', FailureClass.UNREACHABLE),
        (b"", FailureClass.UNREACHABLE),
        (b"[]", FailureClass.UNREACHABLE),
    ],
)
def test_the_versions_of_a_cluster(reply: bytes, failure: FailureClass | None) -> None:
    def run(command: Command, on_output: OnOutput | None = None) -> Completed:
        assert command.argv == ("kubectl", "--context=c", "version", "--output=json")
        return Completed(0 if failure is None else 1, reply, b"Unable to connect to the server\n")

    check, client, server = cluster_versions(Cluster(context="c"), run)
    assert check.failure is failure
    assert (client, server) == (("v1.30.1", "v1.20.2") if failure is None else ("", ""))


def test_facts_are_short_and_printable_and_evidence_stays_as_the_tool_printed_it() -> None:
    said = (
        b"kernel=6.1\x1b[31m\nos="
        + b"x" * 1000
        + b"\n../etc=1\nnic=eth0\nseen.link=2: eth0\t\\ veth\x1b \nseen.routes="
    )
    found = _facts((said + b"r" * 50_000 + b"\nno line of ours\n").decode())
    assert "kernel" not in found
    assert "../etc" not in found
    assert found["os"] == "x" * 300
    assert found["seen.link"] == "2: eth0\t\\ veth\x1b "  # made printable where it is read
    assert len(found["seen.routes"]) == 20_000
