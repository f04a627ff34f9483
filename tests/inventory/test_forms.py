"""Both forms of an inventory say the same, and what they say is an Inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from netbench.inventory import load
from netbench.inventory.files import LARGEST
from netbench.model import Cluster, Endpoint, LocalAccess, Node, PodSource, SshAccess
from tests.inventory.written import load_text, write

YAML = """
all:
  vars:
    ansible_user: root
    ansible_ssh_private_key_file: keys/id
    netbench_known_hosts: ~/known
    netbench_kind_order: [host, vm]
    netbench_baseline_kind: vm
    netbench_max_parallel: 2
    netbench_lab: yes
    netbench_lab_notes: [no delay]
    netbench_instance_types: {big: {bandwidth: 6e9, queues: 8}}
    netbench_pods: {selector: app=x, control: ctl, kubeconfig: /k, context: c, host_network_kind: vm}
  children:
    a:
      hosts:
        n-[1:2]:
        n-3: {netbench_kind: vm, ansible_port: 2222, ansible_user: "ops"}
      vars: {netbench_zone: z 1, netbench_instance_type: big}
    b:
      hosts:
        n-4:2200:
          ansible_host: 198.18.0.4
          netbench_address: 198.18.1.4
          netbench_node_addresses: [198.18.2.4, k4]
          ansible_ssh_common_args: -o ProxyJump=ops@jump:2022
        me: {ansible_connection: local}
      vars: {netbench_zone: z2}
    c:
      hosts:
        ctl: {netbench_endpoint: no}
"""
INI = """
[a]
n-[1:2]
n-3 netbench_kind=vm ansible_port=2222 ansible_user="ops"   # another
[b]
n-4:2200 ansible_host=198.18.0.4 netbench_address=198.18.1.4 netbench_node_addresses="['198.18.2.4', 'k4']" \
ansible_ssh_common_args="-o ProxyJump=ops@jump:2022"
me ansible_connection=local
[c]
ctl netbench_endpoint=no
; a comment
[a:vars]
netbench_zone = z 1
netbench_instance_type=big
[b:vars]
netbench_zone=z2
[all:vars]
ansible_user=root
ansible_ssh_private_key_file=keys/id
netbench_known_hosts=~/known
netbench_kind_order=["host", "vm"]
netbench_baseline_kind=vm
netbench_max_parallel=2
netbench_lab=yes
netbench_lab_notes=["no delay"]
netbench_instance_types={"big": {"bandwidth": 6e9, "queues": 8}}
netbench_pods={'selector': 'app=x', 'control': 'ctl', 'kubeconfig': '/k', 'context': 'c', 'host_network_kind': 'vm'}
"""


@pytest.mark.parametrize(("name", "text"), [("hosts.yaml", YAML), ("hosts.ini", INI), ("y", YAML), ("i", INI)])
def test_the_whole_inventory(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    inventory = load(path)
    key, known = str(tmp_path / "keys/id"), str(tmp_path / "home/known")

    def ssh(host: str, user: str = "root", port: int | None = None, jump: str | None = None) -> SshAccess:
        return SshAccess(host, port=port, user=user, key_file=key, proxy_jump=jump, known_hosts=known)

    assert inventory.source == str(path)
    assert inventory.nodes == (
        Node("n-1", "z 1", "big", ("n-1",)),
        Node("n-2", "z 1", "big", ("n-2",)),
        Node("n-3", "z 1", "big", ("n-3",)),
        Node("n-4", "z2", None, ("198.18.0.4", "198.18.1.4", "198.18.2.4", "k4")),
        Node("me", "z2", None, ("me",)),
    )
    assert inventory.endpoints == (
        Endpoint("n-1", "host", "n-1", "n-1", ssh("n-1")),
        Endpoint("n-2", "host", "n-2", "n-2", ssh("n-2")),
        Endpoint("n-3", "vm", "n-3", "n-3", ssh("n-3", "ops", 2222)),
        Endpoint("n-4", "host", "n-4", "198.18.1.4", ssh("198.18.0.4", port=2200, jump="ops@jump:2022")),
        Endpoint("me", "host", "me", "me", LocalAccess()),
    )
    cluster = Cluster("/k", "c", "kubectl", ssh("ctl"))
    assert inventory.pod_sources == (PodSource("netbench_pods", cluster, "default", "app=x", host_network_kind="vm"),)
    assert inventory.settings == {
        "lab": True,
        "lab_notes": ("no delay",),
        "max_parallel": 2,
        "kind_order": ("host", "vm"),
        "baseline_kind": "vm",
    }
    big = inventory.instance_types["big"]
    assert (big.bandwidth, big.pps, big.queues, big.source) == (6e9, None, 8, str(path))


def test_limit_keeps_nodes_and_is_remembered(tmp_path: Path) -> None:
    inventory = load_text(tmp_path, INI, "hosts.ini", limit="a:!n-2")
    assert [node.name for node in inventory.nodes] == ["n-1", "n-3"]
    assert [endpoint.name for endpoint in inventory.endpoints] == ["n-1", "n-3"]
    assert inventory.settings["limit"] == "a:!n-2"
    assert inventory.pod_sources


def test_a_zone_is_needed_only_where_something_is_measured(tmp_path: Path) -> None:
    text = "a netbench_zone=z\nb\n"
    assert [node.name for node in load_text(tmp_path, text, "hosts.ini", limit="a").nodes] == ["a"]


@pytest.mark.parametrize(
    ("arguments", "jump"),
    [
        ("-J bastion", "bastion"),
        ("-Jops@bastion:2022", "ops@bastion:2022"),
        ("-J one,two@[2001:db8::1]:22", "one,two@[2001:db8::1]:22"),
        ("-oProxyJump=bastion", "bastion"),
        ("-o 'ProxyJump bastion'", "bastion"),
        ("-o proxyjump=none", "none"),
        ("", None),
    ],
)
@pytest.mark.parametrize("variable", ["ansible_ssh_common_args", "ansible_ssh_extra_args"])
def test_jump_hosts(variable: str, arguments: str, jump: str | None, tmp_path: Path) -> None:
    text = f'all: {{hosts: {{n: {{netbench_zone: z, {variable}: "{arguments}"}}}}}}\n'
    access = load_text(tmp_path, text).endpoints[0].access
    assert isinstance(access, SshAccess)
    assert access.proxy_jump == jump


def test_older_names_of_connection_variables(tmp_path: Path) -> None:
    line = "n netbench_zone=z ansible_ssh_host=198.18.0.1 ansible_ssh_port=23 ansible_ssh_user=me"
    access = load_text(tmp_path, f"{line} ansible_private_key_file=/k\n", "hosts.ini").endpoints[0].access
    assert access == SshAccess("198.18.0.1", port=23, user="me", key_file="/k")


def test_a_variable_set_to_nothing_is_not_set(tmp_path: Path) -> None:
    text = "all: {hosts: {n: {netbench_zone: z, ansible_host: , netbench_kind: ~}}}\n"
    endpoint = load_text(tmp_path, text).endpoints[0]
    assert (endpoint.address, endpoint.kind) == ("n", "host")


def test_numbers_are_taken_as_text(tmp_path: Path) -> None:
    node = load_text(tmp_path, "all: {hosts: {7: {netbench_zone: 1, netbench_instance_type: 010}}}\n").nodes[0]
    assert (node.name, node.zone, node.instance_type) == ("7", "1", "010")


def test_what_netbench_does_not_use_is_left_alone(tmp_path: Path) -> None:
    text = """
        all:
          vars:
            ansible_become_password: !vault |
              $ANSIBLE_VAULT;1.1;AES256
              6162
            greeting: "hello {{ user }}"
            deep: [[[[{}]]]]
          hosts: {n: {netbench_zone: z}}
    """
    assert [node.name for node in load_text(tmp_path, text).nodes] == ["n"]


def test_pods_without_hosts(tmp_path: Path) -> None:
    text = "all: {vars: {netbench_pods: [{selector: a=b}, {selector: c=d, kubeconfig: k}]}}\n"
    inventory = load_text(tmp_path, text)
    assert inventory.nodes == ()
    assert [source.name for source in inventory.pod_sources] == ["netbench_pods[0]", "netbench_pods[1]"]
    assert [source.cluster.kubeconfig for source in inventory.pod_sources] == [None, str(tmp_path / "k")]


def test_a_directory_is_the_base_of_its_paths(tmp_path: Path) -> None:
    write(tmp_path, {"inv/hosts": "n netbench_zone=z ansible_ssh_private_key_file=id\n"})
    access = load(tmp_path / "inv").endpoints[0].access
    assert isinstance(access, SshAccess)
    assert access.key_file == str(tmp_path / "inv/id")


def test_relative_inventories_give_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"hosts": "n netbench_zone=z ansible_ssh_private_key_file=id\n"})
    monkeypatch.chdir(tmp_path)
    inventory = load("hosts")
    assert inventory.source == "hosts"
    assert isinstance(inventory.endpoints[0].access, SshAccess)
    assert inventory.endpoints[0].access.key_file == str(tmp_path / "id")


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_bytes(b"\xef\xbb\xbf[a]\r\nn netbench_zone=z\r\n")
    assert [node.zone for node in load(tmp_path / "hosts.ini").nodes] == ["z"]


def test_the_largest_file(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    line = "n netbench_zone=z\n"
    path.write_text(line + "#" * (LARGEST - len(line)))
    assert [node.name for node in load(path).nodes] == ["n"]
