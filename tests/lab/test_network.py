"""Nodes, links and rates, measured with the real programs."""

import json
from pathlib import Path

import pytest

from tests.lab.conftest import Lab, eventually

pytestmark = pytest.mark.lab
A1, A2, B1 = "198.18.0.11", "198.18.0.12", "198.18.0.13"
A1_ROUTED, A2_ROUTED, B1_ROUTED = "198.19.0.11", "198.19.0.12", "198.19.0.13"
A2_OWN, B1_OWN = "198.18.1.12", "198.18.1.13"
PAYLOAD = 1448 / 1514  # of a full Ethernet frame: what of a link's rate is left for TCP's data


def test_ssh_with_strict_host_keys(lab: Lab, tmp_path: Path) -> None:
    assert [lab.ssh(address, "hostname").strip() for address in (A1, A2, B1)] == ["a1", "a2", "b1"]
    assert len({line.split()[2] for line in lab.state.known_hosts.read_text().splitlines()}) == 3
    empty = f"UserKnownHostsFile={tmp_path / 'empty'}"
    done = lab.run("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", empty, f"root@{A1}", "true")
    assert done.returncode == 255
    assert b"Host key verification failed" in done.stderr


def test_a_node_has_its_own_files_and_cannot_write_the_machines(lab: Lab) -> None:
    lab.ssh(A1, "touch /tmp/mine /run/mine")
    assert lab.ssh(A2, "ls /tmp").split() == []
    assert lab.ssh(A1, "touch /usr/mine 2>&1 || true").strip().endswith("Read-only file system")


def test_a_node_reaps(lab: Lab) -> None:
    lab.ssh(A1, "sleep 0.01 </dev/null >/dev/null 2>&1 &")
    eventually(lambda: "sleep 0.01" not in lab.ssh(A1, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
    eventually(lambda: ") Z " not in lab.ssh(A1, "cat /proc/[0-9]*/stat 2>/dev/null"))


@pytest.mark.parametrize("address", [A2, A2_ROUTED, A2_OWN, B1, B1_ROUTED, B1_OWN])
def test_everything_is_reached_from_hosts_and_pods(lab: Lab, address: str) -> None:
    ping = f"ping -c 1 -W 5 {address}"
    assert "1 received" in lab.ssh(A1, ping)
    for pod in ("a1-terway", "a1-terway-eni"):
        assert "1 received" in lab.output("kubectl", "exec", pod, "--", *ping.split())


def test_a_routed_pod_goes_through_its_node(lab: Lab) -> None:
    route = lab.output("kubectl", "exec", "a1-terway", "--", "ip", "route")
    assert "default via 169.254.1.1 dev eth0" in route
    assert f"from {A2_ROUTED}" in lab.ssh(A1, f"ping -c 1 -t 64 {A2_ROUTED}")
    hops = lab.output("sh", "-c", f"kubectl exec a1-terway -- ping -c 1 -t 1 {A2} || true")
    assert f"From {A1}" in hops
    assert "Time to live exceeded" in hops


@pytest.mark.parametrize(
    ("source", "address", "server", "rate"),
    [
        (None, A2, "a2", 8e8),
        ("a1-terway", A2_OWN, "a2-terway-eni", 8e8),
        (None, A2_ROUTED, "a2-terway", 4e8),  # its own link has half
        (None, B1_ROUTED, "b1-terway", 2e8),  # its node's has a quarter
    ],
)
def test_links_have_their_rate(lab: Lab, source: str | None, address: str, server: str, rate: float) -> None:
    serve = ("iperf3", "--server", "--one-off", "--daemon", "--port", "16000")
    measure = ("iperf3", "--client", address, "--port", "16000", "--time", "2", "--parallel", "4", "--json")
    best = 0.0
    for _ in range(5):  # a machine that is busy with other things cannot always send as much
        on(lab, server if "-" in server else None, A2, serve)
        eventually(lambda: ":16000" in on(lab, server if "-" in server else None, A2, ("ss", "-ltn")))
        result = json.loads(on(lab, source, A1, measure))
        best = max(best, result["end"]["sum_received"]["bits_per_second"])
        if best > 0.95 * PAYLOAD * rate:
            break
    assert best == pytest.approx(PAYLOAD * rate, rel=0.05)


def test_the_smallest_datagrams_arrive(lab: Lab) -> None:
    serve = ("iperf3", "--server", "--one-off", "--daemon", "--port", "16001")
    on(lab, None, A2, serve)
    eventually(lambda: ":16001" in on(lab, None, A2, ("ss", "-ltn")))
    measure = ("iperf3", "-u", "-l", "16", "-b", "1m", "-t", "1", "-c", A2, "-p", "16001", "-J")
    received = json.loads(on(lab, "a1-terway", A1, measure))["end"]["sum_received"]
    assert received["bytes"] / 16 > 1000


def on(lab: Lab, pod: str | None, node: str, argv: tuple[str, ...]) -> str:
    """What a command says in a pod, or else on a node."""
    return lab.output("kubectl", "exec", pod, "--", *argv) if pod else lab.ssh(node, " ".join(argv))
