"""The real kubectl against the lab's API endpoint; NETBENCH_TEST_KUBECTL names another program to test with."""

import hashlib
import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest

from netbench.lab import control
from tests.lab.conftest import Lab, eventually

pytestmark = pytest.mark.lab
KUBECTL = os.environ.get("NETBENCH_TEST_KUBECTL", "kubectl")
POD = "a1-terway"


@pytest.fixture(params=["websocket", "spdy"])
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", str(request.param == "websocket").lower())
    return str(request.param)


def get(lab: Lab, *argv: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads(lab.output(KUBECTL, "get", *argv, "-o", "json"))
    return answer


def names(lab: Lab, *argv: str) -> list[str]:
    return lab.output(KUBECTL, "get", *argv, "-o", "name").split()


def execute(lab: Lab, *argv: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    options = ("-i",) if stdin is not None else ()
    return lab.run(KUBECTL, "exec", *options, POD, "-c", "netbench", "--", *argv, input=stdin or b"")


def test_pods_by_selector(lab: Lab) -> None:
    assert len(names(lab, "pods", "-l", "app=netbench")) == 6
    assert names(lab, "pods", "-l", "netbench/kind in (terway),app") == ["pod/a1-terway", "pod/a2-terway"]
    assert get(lab, "pods", "-l", "app=other")["items"] == []
    assert names(lab, "pods", "--all-namespaces", "--field-selector", "spec.nodeName=b1") == [
        *("pod/b1-terway", "pod/b1-terway-eni"),
    ]
    assert names(lab, "pods", "--namespace", "elsewhere") == []


def test_a_pod_shows_what_discovery_needs(lab: Lab) -> None:
    pod = json.loads(lab.output(KUBECTL, "get", "pod", POD, "-o", "json"))
    assert pod["spec"]["nodeName"] == "a1"
    assert pod["spec"]["containers"][0]["name"] == "netbench"
    assert (pod["status"]["podIP"], pod["status"]["hostIP"]) == ("198.19.0.11", "198.18.0.11")
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]}["Ready"] == "True"


def test_nodes_show_zone_instance_type_and_address(lab: Lab) -> None:
    nodes = json.loads(lab.output(KUBECTL, "get", "nodes", "-o", "json"))["items"]
    zones = {node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}
    assert zones == {"a1": "zone-a", "a2": "zone-a", "b1": "zone-b"}
    assert {node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in nodes} == {"lab-2g"}
    assert {"type": "InternalIP", "address": "198.18.0.13"} in nodes[2]["status"]["addresses"]


def test_other_questions(lab: Lab) -> None:
    assert POD in lab.output(KUBECTL, "get", "pods")  # which asks for a table
    assert "v1.32.0+netbench-lab" in lab.output(KUBECTL, "version", "-o", "json")
    assert lab.output(KUBECTL, "auth", "can-i", "create", "pods", "--subresource=exec") == "yes\n"
    assert names(lab, "namespaces") == ["namespace/default", "namespace/kube-system"]
    assert "pods" in lab.output(KUBECTL, "api-resources")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("get", "pod", "nope"), 'pods "nope" not found'),
        (("exec", "nope", "--", "true"), 'pods "nope" not found'),
        (("exec", POD, "-c", "nope", "--", "true"), f"container nope is not valid for pod {POD}"),
        (("exec", POD, "--", "nope"), 'exec: "nope": executable file not found in $PATH'),
        (("--token=wrong", "get", "pods"), "You must be logged in to the server"),
        (("get", "pods", "--field-selector", "spec.color=red"), "field label not supported"),
        (("delete", "pod", POD), "does not allow this method"),
        (("get", "services"), "the server doesn't have a resource type"),
    ],
)
def test_errors_are_kubernetes_own(lab: Lab, protocol: str, argv: tuple[str, ...], says: str) -> None:
    done = lab.run(KUBECTL, *argv)
    assert done.returncode == 1
    assert says in done.stderr.decode()


def test_exec_is_in_the_pods_namespaces(lab: Lab, protocol: str) -> None:
    done = execute(lab, "sh", "-c", "hostname; cat /proc/1/comm; ip -br -4 addr show eth0; ls /tmp; echo $HOME")
    assert done.stdout.decode().split() == [POD, "sleep", "eth0@if3", "UP", "198.19.0.11/32", "/root"], done.stderr


def test_exec_keeps_streams_and_exit_code_apart(lab: Lab, protocol: str) -> None:
    done = execute(lab, "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (42, b"out\n", b"err")
    assert execute(lab, "sh", "-c", "kill -KILL $$").returncode == 137


def test_exec_passes_arguments_as_they_are(lab: Lab, protocol: str) -> None:
    awkward = ["a b", "$HOME", "'", '"', "é&=%", "*", ""]
    assert execute(lab, "printf", "%s\\n", *awkward).stdout.decode().split("\n")[:-1] == awkward


def test_a_megabyte_arrives_whole_both_ways(lab: Lab, protocol: str) -> None:
    data = secrets.token_bytes(1 << 20)
    assert execute(lab, "sha256sum", stdin=data).stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert execute(lab, "cat", stdin=data).stdout == data


def test_stdin_that_nobody_reads_does_not_hold_the_end_up(lab: Lab, protocol: str) -> None:
    assert execute(lab, "sh", "-c", "exec <&-; exit 6", stdin=bytes(1 << 21)).returncode == 6


def test_output_comes_while_the_command_runs(lab: Lab, protocol: str) -> None:
    argv = lab.argv(KUBECTL, "exec", "-i", POD, "--", "sh", "-c", "echo first; read line; echo $line")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stdout.readline() == b"first\n"
        running.stdin.write(b"second\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"second\n"
        assert running.wait(10) == 0


def test_the_command_runs_on_when_kubectl_is_killed(lab: Lab, protocol: str) -> None:
    mark = f"/tmp/{protocol}-runs-on"
    script = f"echo $$; while [ ! -e {mark}.go ]; do sleep 0.05; echo noise; done; echo done >{mark}"
    argv = lab.argv("sh", "-c", f'echo $$; exec {KUBECTL} exec {POD} -- sh -c "$0"', script)
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        kubectl = running.stdout.readline().decode().strip()
        command = running.stdout.readline().decode().strip()
        lab.output("kill", "-KILL", kubectl)
        assert running.wait(10) == 137
    assert execute(lab, "kill", "-0", command).returncode == 0
    assert execute(lab, "touch", f"{mark}.go").returncode == 0
    eventually(lambda: execute(lab, "cat", mark).stdout == b"done\n")


def test_many_execs_at_once(lab: Lab, protocol: str) -> None:
    argv = lab.argv("sh", "-c", f'for n in 1 2 3 4 5 6 7 8; do {KUBECTL} exec {POD} -- sh -c "echo $n" & done; wait')
    done = subprocess.run(argv, capture_output=True, check=True, timeout=60)
    assert sorted(done.stdout.split()) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"]


def test_a_pods_first_process_does_not_reap(lab: Lab) -> None:
    assert execute(lab, "sh", "-c", "sleep 0.01 </dev/null >/dev/null 2>&1 &").returncode == 0

    def zombies() -> list[str]:
        states = execute(lab, "sh", "-c", "cat /proc/[0-9]*/stat").stdout.decode().splitlines()
        return [line for line in states if line.startswith(line.split()[0] + " (sleep) Z 1 ")]

    assert eventually(zombies)


def test_a_pod_can_be_made_not_ready(lab: Lab) -> None:
    control.change_pod("a2-terway", lab.state, ready=False, reason="Planted")
    try:
        pod = json.loads(lab.output(KUBECTL, "get", "pod", "a2-terway", "-o", "json"))
        ready = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "Planted")
        found = {e.name: e.not_ready for e in control.status(lab.state).endpoints if e.not_ready}
        assert found == {"a2-terway": "Planted"}
    finally:
        control.change_pod("a2-terway", lab.state, ready=True, reason="")
    assert not [e for e in control.status(lab.state).endpoints if e.not_ready]


def test_nothing_went_wrong_in_the_endpoint(lab: Lab) -> None:
    assert Path(lab.state.log / "api.log").read_text() == ""
