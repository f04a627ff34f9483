"""From what tools print to verdicts: each mode's signs, on iproute2, on BusyBox and on /sys alone.

The texts of veth, loopback and virtio devices were captured with iproute2 6.1 and BusyBox 1.35; those of ENI, ipvlan
and vlan follow the same tools' form with the signs that Terway's documentation gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from netbench.inventory import load
from netbench.model import (
    Access,
    Cluster,
    Endpoint,
    FailureClass,
    LocalAccess,
    PlannedEndpoint,
    PodAccess,
    Verdict,
)
from netbench.run.attestation import Rules, checks, flags, judge
from netbench.run.evidence import ELSEWHERE, peers, read
from tests.run.test_runner import make_plan

TAIL = "promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 "
FLAGS = "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc"
VETH = (
    f"3: eth0@if2: {FLAGS} noqueue state UP mode DEFAULT group default qlen 1000\\    link/ether 36:0f:73:25:fb:8c brd "
    f"ff:ff:ff:ff:ff:ff link-netnsid 0 {TAIL}\\    veth addrgenmode eui64 numtxqueues 2 numrxqueues 2 "
)
VIRTIO = (
    f"4: eth0: {FLAGS} mq state UP mode DEFAULT group default qlen 1000\\    link/ether 00:16:3e:1a:2b:3c brd "
    f"ff:ff:ff:ff:ff:ff {TAIL}addrgenmode eui64 numtxqueues 4 numrxqueues 4 parentbus virtio parentdev virtio2 "
)
IPVLAN = VETH.replace("36:0f:73:25:fb:8c", "00:16:3e:1a:2b:3c").replace(
    "veth addrgen", "ipvlan  mode l2 bridge addrgen"
)
VLAN = VETH.replace("36:0f:73:25:fb:8c", "00:16:3e:1a:2b:3c").replace("veth addr", "vlan protocol 802.1Q id 1027 addr")
SHARED = "default via 169.254.1.1 dev eth0 onlink; 169.254.1.1 dev eth0 scope link"
OWN = "default via 198.18.15.253 dev eth0; 198.18.0.0/20 dev eth0 proto kernel scope link src 198.18.1.1"
VPC = "default via 198.19.0.1 dev eth0; 198.19.0.0/24 dev eth0 proto kernel scope link src 198.19.0.9"
BUSYBOX_VETH = "3: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000\\    link/ether "
BUSYBOX_VETH += "36:0f:73:25:fb:8c brd ff:ff:ff:ff:ff:ff"
BUSYBOX_ENI = BUSYBOX_VETH.replace("@if2", "").replace("noqueue", "mq").replace("36:0f:73", "00:16:3e")


def address(text: str) -> str:
    return f"3: eth0    inet {text} scope global eth0\\       valid_lft forever preferred_lft forever"


MODES: Mapping[str, Mapping[str, str]] = {
    "exclusive": {
        "link": VIRTIO,
        "index": "4 4",
        "address": address("198.18.1.1/20"),
        "routes": OWN,
        "parent": "virtio",
    },
    "shared": {"link": VETH, "index": "3 2", "address": address("198.18.1.1/32"), "routes": SHARED},
    "vpc": {"link": VETH, "index": "3 2", "address": address("198.19.0.9/24"), "routes": VPC},
    "ipvlan": {"link": IPVLAN, "index": "3 2", "address": address("198.18.1.1/20"), "routes": OWN},
    "trunk": {"link": VLAN, "index": "3 2", "address": address("198.18.1.1/20"), "routes": OWN},
    "exclusive, BusyBox": {"link": BUSYBOX_ENI, "index": "4 4", "address": address("198.18.1.1/20"), "routes": OWN},
    "shared, BusyBox": {"link": BUSYBOX_VETH, "index": "3 2", "address": address("198.18.1.1/32"), "routes": SHARED},
    "shared, no ip": {
        "index": "3 2",
        "proc_routes": "eth0\t00000000\t0101FEA9\t0003\t0\t0\t0\t00000000\t0\t0\t0; "
        "eth0\t0101FEA9\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
    },
    "exclusive, no ip": {"index": "4 4", "proc_routes": "eth0\t00000000\tFD0F12C6\t0003\t0\t0\t0\t00000000\t0\t0\t0"},
}
POD = PodAccess(Cluster(), "default", "p", "main")


def rules(tmp_path: Path) -> Rules:
    """The shipped rules."""
    (tmp_path / "hosts.ini").write_text("n netbench_zone=z\n")
    return load(tmp_path / "hosts.ini").attestation


def endpoint(name: str = "p", node: str = "n", access: Access = POD, **declared: str) -> Endpoint:
    return Endpoint(
        name, "terway", node, "198.18.1.1", access, declared={k.replace("_", " "): v for k, v in declared.items()}
    )


def known(seen: Mapping[str, str], of: Endpoint | None = None, mac: str = "00:16:3e:1a:2b:3c") -> dict[str, str]:
    planned = PlannedEndpoint("p", "terway", "n", "zone-a", "198.18.1.1")
    return read(planned, of or endpoint(), {"nic": "eth0", "mtu": "1500", "mac": mac}, seen, "")


@pytest.mark.parametrize(
    ("mode", "kind", "verdict"),
    [
        ("exclusive", "terway-eni", Verdict.PROVEN),
        ("exclusive, BusyBox", "terway-eni", Verdict.PROVEN),
        ("shared", "terway-eni", Verdict.MISLABELLED),
        ("shared, BusyBox", "terway-eni", Verdict.MISLABELLED),
        ("shared, no ip", "terway-eni", Verdict.MISLABELLED),
        ("vpc", "terway-eni", Verdict.MISLABELLED),
        ("ipvlan", "terway-eni", Verdict.MISLABELLED),
        ("trunk", "terway-eni", Verdict.MISLABELLED),
        ("exclusive, no ip", "terway-eni", Verdict.NOT_PROVEN),
        ("shared", "terway", Verdict.PROVEN),
        ("shared, BusyBox", "terway", Verdict.PROVEN),
        ("shared, no ip", "terway", Verdict.PROVEN),
        ("vpc", "terway", Verdict.PROVEN),
        ("ipvlan", "terway", Verdict.PROVEN),
        ("trunk", "terway", Verdict.MISLABELLED),
        ("exclusive", "terway", Verdict.MISLABELLED),
        ("trunk", "terway-trunk", Verdict.PROVEN),
        ("shared, BusyBox", "terway-trunk", Verdict.NOT_PROVEN),
        ("ipvlan", "terway-ipvlan", Verdict.PROVEN),
        ("exclusive", "host", Verdict.PROVEN),
        ("shared", "host", Verdict.MISLABELLED),
        ("shared", "cilium", Verdict.NOT_ATTESTED),
    ],
)
def test_each_mode_is_told_from_the_others(mode: str, kind: str, verdict: Verdict, tmp_path: Path) -> None:
    attestation = judge("p", kind, rules(tmp_path), known(MODES[mode]))
    assert attestation.verdict is verdict, attestation
    assert bool(attestation.reasons) is (verdict in (Verdict.MISLABELLED, Verdict.NOT_PROVEN))


@pytest.mark.parametrize(
    ("mode", "datapath"),
    [
        ("exclusive", "an interface of its own"),
        ("shared", "shared, behind 169.254.1.1 (policy routes or datapathv2)"),
        ("shared, no ip", "shared, behind 169.254.1.1 (policy routes or datapathv2)"),
        ("vpc", "a link into another namespace"),
        ("ipvlan", "ipvlan"),
        ("trunk", "VLAN on a trunk"),
    ],
)
def test_the_datapath_is_named(mode: str, datapath: str, tmp_path: Path) -> None:
    assert judge("p", "any", rules(tmp_path), known(MODES[mode])).datapath == datapath


def test_evidence_is_the_same_whichever_tool_said_it() -> None:
    full, busybox, bare = (
        known(MODES[f"shared{tool}"], mac="36:0f:73:25:fb:8c") for tool in ("", ", BusyBox", ", no ip")
    )
    assert full["link type"] == "veth"
    assert "link type" not in busybox
    assert {key: value for key, value in full.items() if key in busybox} == busybox
    for name in ("interface", "mac", "mtu", "gateway"):
        assert full[name] == bare[name]
    assert bare["routes"] == "default via 169.254.1.1 dev eth0; 169.254.1.1/32 dev eth0"


def test_offloads_that_are_on_are_told() -> None:
    seen = {"offloads": "tcp-segmentation-offload: on; large-receive-offload: off; generic-receive-offload: on"}
    assert known(seen)["offloads"] == "tcp-segmentation-offload, generic-receive-offload"


def test_nothing_known_proves_nothing(tmp_path: Path) -> None:
    for kind in ("host", "terway", "terway-eni"):
        attestation = judge("p", kind, rules(tmp_path), {"node": "n"})
        assert attestation.verdict is Verdict.NOT_PROVEN
        (check,) = checks([attestation], allow=False)
        assert (check.failure, check.note, check.warns) == (None, "not-proven", True)
        assert "interface: not known" in check.detail


def test_a_resource_limit_speaks_against_a_label(tmp_path: Path) -> None:
    pod = endpoint(**{"limit_aliyun/eni": "1"})
    attestation = judge("p", "terway", rules(tmp_path), known(MODES["shared"], pod))
    assert attestation.verdict is Verdict.MISLABELLED
    assert attestation.evidence["limit aliyun/eni"] == "1"


def test_a_shaped_pod_is_marked_and_so_is_what_it_gives(tmp_path: Path) -> None:
    pod = endpoint("a", **{"annotation_kubernetes.io/egress-bandwidth": "1G"})
    attestation = judge("a", "host", rules(tmp_path), known(MODES["exclusive"], pod))
    assert attestation.verdict is Verdict.PROVEN
    assert attestation.marks == (
        "traffic out of it is shaped by annotation (annotation kubernetes.io/egress-bandwidth: 1G)",
    )
    (flag,) = flags(make_plan(), [attestation])["a"]
    assert flag.code == "marked"


def test_a_mislabelled_endpoint_is_refused_or_marked(tmp_path: Path) -> None:
    attestation = judge("a", "terway-eni", rules(tmp_path), known(MODES["shared"]))
    (refused,) = checks([attestation], allow=False)
    assert refused.failure is FailureClass.MISLABELLED
    assert "--allow-mislabelled" in refused.remedy
    assert "gateway: 169.254.1.1" in refused.detail
    (allowed,) = checks([attestation], allow=True)
    assert (allowed.failure, allowed.note, allowed.warns) == (None, "mislabelled", True)
    (flag,) = flags(make_plan(), [attestation])["a"]
    assert flag.code == "mislabelled"
    assert "a is labelled host, but" in flag.detail


def test_hostile_evidence_stays_printable_on_one_line_and_short() -> None:
    evil = "eth0\x1b[31m|\u202e`x`" * 200
    found = known({"link": f"3: {evil}: <UP> qdisc {evil} \\", "routes": f"default via {evil} dev eth0", "index": "x"})
    assert found["gateway"].startswith("eth0 [31m|")
    assert all(text.isprintable() and len(text) <= 600 for text in found.values())


def test_rows_of_routes_that_are_none_are_passed_over() -> None:
    assert "routes" not in known({"proc_routes": "eth0\tzz\t1\t0\t0\t0\t0\t0; short"})


NODE = {"links": "lo 1 1; eth0 2 9; pod 3 2"}


def test_a_pods_link_is_found_on_its_node() -> None:
    host = endpoint("n", access=LocalAccess())
    pods = {"in": {"index": "2 3"}, "out": {"index": "2 7"}, "own": {"index": "4 4"}}
    endpoints = {"n": host, **{name: endpoint(name) for name in pods}}
    assert peers(endpoints, {"n": NODE, **pods}) == {"in": "link pod of n", "out": ELSEWHERE}


def test_numbers_of_another_node_are_no_evidence() -> None:
    endpoints = {"n": endpoint("n", "m", LocalAccess()), "p": endpoint()}
    assert peers(endpoints, {"n": NODE, "p": {"index": "2 3"}}) == {}


def test_two_pods_that_fit_one_link_are_not_told() -> None:
    endpoints = {"n": endpoint("n", access=LocalAccess()), "p": endpoint("p"), "q": endpoint("q")}
    assert peers(endpoints, {"n": NODE, "p": {"index": "2 3"}, "q": {"index": "2 3"}}) == {}
