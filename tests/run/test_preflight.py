"""Preflight: the facts script on real shells, and what the table says of each fault."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from netbench.errors import AuthError, LoginShellError, OutputLimitError
from netbench.model import Cluster, Command, Completed, Endpoint, FailureClass, LocalAccess, Plan
from netbench.probes.throughput import Throughput
from netbench.run.check import Check
from netbench.run.clusters import cluster_versions
from netbench.run.preflight import Preflight, _facts, preflight
from netbench.run.scripts import PLACES, script
from netbench.transports.base import OnOutput, Transport
from netbench.transports.fake import FakeTransport, Reply
from tests.run.test_jobs import FOREIGN, SHELLS, foreign, said, sent
from tests.run.test_runner import make_plan

GOOD = b"workdir=/tmp\nkernel=6.1\nos=Debian\niperf3=3.12\nping=iputils\nnic=eth0\nmtu=1500\n"


def facts(
    address: str, ports: str, tools: str, *places: Path, shell: str = "sh", path: str = "", user: int | None = None
) -> dict[str, str]:
    listed = " ".join(str(place) for place in places) or " ".join(PLACES)
    command = script("facts", address, ports, tools, listed, deadline=30)
    told = said(*sent(replace(command, env={"PATH": path} if path else {}), shell, user))
    return dict(line.split("=", 1) for line in told.splitlines())


@pytest.mark.parametrize("shell", SHELLS)
def test_the_facts_of_this_machine(shell: str) -> None:
    found = facts("127.0.0.1", "", "iperf3 ping", shell=shell)
    uname = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    assert found["kernel"] == uname
    assert found["nic"] == "lo"
    assert int(found["mtu"]) > 1000
    assert int(found["cpus"]) >= 1
    assert found["workdir"] in PLACES
    assert "noworkdir" not in found
    assert "missing" not in found


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("shell", SHELLS)
def test_the_place_to_work_in_is_the_first_that_can_be_trusted(kind: str, shell: str, tmp_path: Path) -> None:
    taken_up, missing, free = (tmp_path / name for name in ("taken-up", "missing", "free"))
    taken_up.mkdir()
    free.mkdir()
    foreign(taken_up / f"netbench-{os.geteuid()}", kind)
    before = sorted((path, path.lstat().st_mode) for path in taken_up.rglob("*"))
    found = facts("127.0.0.1", "", "", missing, taken_up, free, shell=shell)
    assert found["workdir"] == str(free)
    assert list(free.iterdir()) == []
    nowhere = facts("127.0.0.1", "", "", missing, taken_up, shell=shell)
    assert "workdir" not in nowhere
    assert f"{missing}: no such directory; {taken_up}: {taken_up}/netbench-{os.geteuid()}" in nowhere["noworkdir"]
    assert sorted((path, path.lstat().st_mode) for path in taken_up.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_server_gets_the_lowest_rights_that_work() -> None:
    if not shutil.which("setpriv") or not shutil.which("iperf3"):
        pytest.skip("needs setpriv and iperf3")
    assert facts("127.0.0.1", "", "iperf3")["server_user"] == "65534"
    assert "server_user" not in facts("127.0.0.1", "", "ping")
    assert "server_user" not in facts("127.0.0.1", "", "iperf3", Path("/tmp"), user=65534)


@pytest.mark.parametrize("tools", ["", "ip tc ethtool"])
def test_evidence_is_gathered_with_and_without_ip(tools: str, tmp_path: Path) -> None:
    """The index of loopback and of every link comes from /sys; only tools tell the rest."""
    for tool in f"sh sleep sed cat readlink rm rmdir mkdir ls wc mv uname nproc {tools}".split():
        if path := shutil.which(tool):
            (tmp_path / tool).symlink_to(path)
    found = facts("127.0.0.1", "", "", path=str(tmp_path))
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
    return {("netbench-facts",): Reply(facts), ("netbench-reach",): reach or Reply()}


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
    "no way in": ({("netbench-facts",): Reply(error=AuthError("no key", "add it"))}, FailureClass.AUTH),
    "no sed": ({("netbench-facts",): Reply(stderr=b"sed: not found", exit_code=127)}, FailureClass.TOOL_FAILED),
    "no iperf3": (answers(b"missing= iperf3\n" + GOOD), FailureClass.TOOL_MISSING),
    "nowhere to write": (
        answers(GOOD.replace(b"workdir=/tmp", b"noworkdir=/tmp: full, or cannot be written to")),
        FailureClass.PERMISSION,
    ),
    "nowhere, and it does not say why": (answers(GOOD.replace(b"workdir=/tmp\n", b"")), FailureClass.PERMISSION),
    "a login shell that runs nothing": (
        {("netbench-facts",): Reply(error=LoginShellError("it said 'This account is not available'", "see ssh"))},
        FailureClass.LOGIN_SHELL,
    ),
    "it never stops talking": (
        {("netbench-facts",): Reply(error=OutputLimitError("more than 1048576 bytes of output", "look at it"))},
        FailureClass.OUTPUT_LIMIT,
    ),
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
