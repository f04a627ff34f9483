"""Inventories that cannot be: what is written, and what the error must name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Malformed:
    """The first file is loaded; ``where`` is the file and line the message begins with."""

    id: str
    files: dict[str, str]
    where: str
    parts: tuple[str, ...]
    remedy: str


def yaml(id: str, text: str, line: int | None, *parts: str, remedy: str) -> Malformed:
    return Malformed(id, {"f.yaml": text}, "f.yaml" if line is None else f"f.yaml:{line}", parts, remedy)


def ini(id: str, text: str, line: int | None, *parts: str, remedy: str) -> Malformed:
    return Malformed(id, {"f.ini": text}, "f.ini" if line is None else f"f.ini:{line}", parts, remedy)


def host(id: str, variable: str, *parts: str, remedy: str) -> Malformed:
    """One host with one variable more; YAML flow style."""
    text = f"all:\n  hosts:\n    n:\n      netbench_zone: z\n      {variable}\n"
    return yaml(id, text, 5, *parts, remedy=remedy)


def everywhere(id: str, text: str, line: int, *parts: str, remedy: str) -> Malformed:
    """Variables of the group all, from line 3 on."""
    block = "".join(f"    {each}\n" for each in text.split("\n"))
    return yaml(id, f"all:\n  vars:\n{block}  hosts: {{n: {{netbench_zone: z}}}}\n", line, *parts, remedy=remedy)


YAML_FORM = [
    yaml("empty", "", None, "is empty", remedy="begin with all:"),
    yaml("only-comments", "# hosts\n", None, "is empty", remedy="begin with all:"),
    yaml("a-list", "- n\n", 1, "holds a list, not groups", remedy="begin with all:"),
    yaml("a-word", "n\n", 1, "holds the value 'n', not groups", remedy="begin with all:"),
    yaml("tab", "all:\n\thosts:\n", 2, "not YAML", remedy="indent with blanks"),
    yaml("unclosed", "all: {hosts: {n: \n", 2, "not YAML", remedy="quotes"),
    yaml("duplicate-key", "all:\n  hosts:\n    n:\n    n:\n", 4, "the key 'n'", "line 3", remedy="remove"),
    yaml("hosts-as-list", "all:\n  hosts:\n    - n\n", 2, "hosts of the group all is a list", remedy="with a colon"),
    yaml("vars-as-text", "all:\n  vars: x=1\n", 2, "vars of the group all is the value", remedy="KEY: VALUE"),
    yaml("children-as-list", "all:\n  children: [a]\n", 2, "children of the group all is a list", remedy="colon"),
    yaml("group-as-list", "a: [n]\n", 1, "the group a is a list", remedy="hosts:"),
    yaml("host-as-text", "a:\n  hosts:\n    n: z\n", 3, "the host 'n' is the value 'z'", remedy="KEY: VALUE"),
    yaml("typo-in-section", "a:\n  host:\n    n:\n", 2, "the group a has the key 'host'", remedy="did you mean hosts"),
    yaml("host-outside-hosts", "a:\n  n:\n", 2, "the group a has the key 'n'", remedy="vars:"),
    yaml("plugin", "plugin: aws_ec2\n", 1, "configuration of an inventory plugin", remedy="ansible-inventory"),
    yaml("group-name", "a b:\n  hosts: {n: }\n", 1, "'a b' cannot be the name of a group", remedy="letters"),
    yaml("range", "a:\n  hosts:\n    n[3:1]:\n", 3, "[3:1] ends before it begins", remedy="smaller end first"),
    yaml("all-as-child", "a:\n  children:\n    all:\n", 3, "all cannot be in the group a", remedy="take it out"),
    yaml(
        "cycle", "a:\n  children:\n    b:\n      children:\n        a:\n", 3, "contains itself: a > b > a", remedy="out"
    ),
    yaml("no-hosts", "all:\n  children: {a: }\n", None, "neither hosts nor pods", remedy="add hosts"),
    yaml(
        "no-zone", "all:\n  hosts:\n    n-[1:3]:\n", 3, "host n-1 (and 2 more) has no netbench_zone", remedy="endpoint"
    ),
    yaml(
        "same-address",
        "all:\n  vars: {netbench_zone: z, ansible_host: 198.18.0.1}\n  hosts:\n    a:\n    b:\n",
        5,
        "the hosts a and b both have the address 198.18.0.1",
        remedy="netbench_address",
    ),
    yaml(
        "priority",
        "a:\n  vars:\n    ansible_group_priority: high\n  hosts: {n: {netbench_zone: z}}\n",
        3,
        "ansible_group_priority is 'high'",
        remedy="1",
    ),
]

INI_FORM = [
    ini("empty-ini", "\n# nothing\n", None, "neither hosts nor pods", remedy="add hosts"),
    ini("undeclared-child", "[a:children]\nb\n", 2, "no file declares the group b", remedy="add [b]"),
    ini(
        "undeclared-vars", "[web]\nn\n[wab:vars]\nx=1\n", 3, "no file declares the group wab", remedy="did you mean web"
    ),
    ini("section-kind", "[a:var]\nx=1\n", 1, "[a:var] is no kind of section", remedy="did you mean vars"),
    ini("section-with-blank", "[a b]\nn\n", 1, "is not the head of a section", remedy="[GROUP]"),
    ini("unclosed-section", "[a\nn\n", 1, "'[a' is not the head of a section", remedy="[GROUP]"),
    ini("blanks-around-equals", "n x = 1\n", 1, "'x' is not a variable", remedy="without blanks around ="),
    ini("no-equals-in-vars", "[a]\nn\n[a:vars]\nx: 1\n", 4, "'x: 1' is not a variable", remedy="KEY = VALUE"),
    ini("unclosed-quote", "n x='a\n", 1, "no closing quotation", remedy="quotes"),
    ini("two-children", "[a]\n[b]\n[c:children]\na b\n", 4, "'a b' is not a group", remedy="one group a line"),
    ini("cycle-ini", "[a:children]\nb\n[b:children]\nc\n[c:children]\nb\n", 4, "b > c > b", remedy="take one"),
    ini("self", "[a:children]\na\n", 2, "the group a contains itself: a > a", remedy="take one"),
    ini("port", "n:99999 netbench_zone=z\n", 1, "ansible_port of host n is 99999", "65535", remedy="README"),
    ini("duplicate-json-key", 'n x=\'{"a": 1, "a": 2}\'\n', 1, "the key 'a' is there twice", remedy="remove"),
    ini("yaml-in-ini", "all:\n  hosts:\n", 1, "'all:' cannot be the name of a host", remedy="letters"),
    ini(
        "pods-as-text", "[all:vars]\nnetbench_pods={selector: a}\n", 2, "netbench_pods[0] of group all", remedy="README"
    ),
]

VARIABLES = [
    host("unknown-variable", "netbench_zne: a", "'netbench_zne' of host n is no variable", remedy="netbench_zone"),
    host("template", 'ansible_host: "{{ ip }}"', "ansible_host of host n is a template", "{{ ip }}", remedy="Jinja"),
    host("template-block", 'netbench_kind: "{% x %}"', "netbench_kind of host n is a template", remedy="Jinja"),
    host("vault", "ansible_user: !vault abc", "ansible_user of host n is encrypted", remedy="ssh-agent"),
    host("tag", "x: !!python/name:os.system ''", "the tag", remedy="remove the tag"),
    host("port-text", "ansible_port: ssh", "ansible_port of host n is 'ssh'", "integer", remedy="README"),
    host("port-bool", "ansible_port: yes", "ansible_port of host n is True", remedy="a number"),
    host("endpoint-word", "netbench_endpoint: maybe", "netbench_endpoint of host n is 'maybe'", remedy="README"),
    host("kind-bool", "netbench_kind: no", "netbench_kind of host n is False", remedy="quotes"),
    host("kind-float", "netbench_kind: 1.10", "netbench_kind of host n is 1.1", remedy="quotes"),
    host("kind-list", "netbench_kind: [a]", "netbench_kind of host n is a list", remedy="README"),
    host("kind-long", f"netbench_kind: {'k' * 64}", "that cannot be a label", remedy="1 to 63"),
    host(
        "connection",
        "ansible_connection: winrm",
        "ansible_connection of host n is 'winrm'",
        "'ssh' or 'local'",
        remedy="",
    ),
    host(
        "ssh-option",
        "ansible_ssh_common_args: -o Ciphers=x",
        "ansible_ssh_common_args of host n holds '-o'",
        remedy="config",
    ),
    host(
        "ssh-flag", "ansible_ssh_extra_args: -C", "ansible_ssh_extra_args of host n holds '-C'", remedy="~/.ssh/config"
    ),
    host("ssh-quote", 'ansible_ssh_extra_args: "-J \'a"', "no closing quotation", remedy="quotes"),
    host("jump-empty", "ansible_ssh_extra_args: -J", "'' is not a jump host", remedy="user@host:port"),
    host("jump-port", "ansible_ssh_extra_args: -J a:0", "'a:0' is not a jump host", remedy="user@host:port"),
    host("jump-option", "ansible_ssh_extra_args: -J -oProxyCommand=id", "is not a jump host", remedy="user@host:port"),
    host("home", "netbench_known_hosts: ~nobody-here/k", "no such home directory", remedy="whole path"),
    host("all-only", "netbench_pods: {selector: a}", "netbench_pods of host n has no effect", remedy="group all"),
    yaml(
        "two-jumps",
        "all:\n  vars: {ansible_ssh_common_args: -J a}\n  hosts:\n    n: {ansible_ssh_extra_args: -J b}\n",
        4,
        "two different jump hosts, a and b",
        remedy="-J FIRST,SECOND",
    ),
    yaml(
        "all-only-on-group",
        "a:\n  vars:\n    netbench_lab: true\n  hosts: {n: {netbench_zone: z}}\n",
        3,
        "netbench_lab of group a has no effect there",
        remedy="group all",
    ),
    yaml(
        "unknown-on-unused-group",
        "a:\n  vars:\n    netbench_zonee: x\nb: {hosts: {n: {netbench_zone: z}}}\n",
        3,
        "'netbench_zonee' of group a is no variable",
        remedy="did you mean netbench_zone?",
    ),
    everywhere(
        "pods-without-selector",
        "netbench_pods:\n  - namespace: x",
        4,
        "netbench_pods[0].selector",
        "missing",
        remedy="add",
    ),
    everywhere(
        "pods-key", "netbench_pods:\n  selector: a\n  namspace: b", 5, "netbench_pods[0].namspace", remedy="namespace"
    ),
    everywhere(
        "pods-selector", 'netbench_pods:\n  - selector: ""', 4, "netbench_pods[0].selector", "is ''", remedy="printable"
    ),
    everywhere(
        "pods-namespace",
        "netbench_pods:\n  - selector: a\n    namespace: A_b",
        5,
        ".namespace of",
        remedy="small letters",
    ),
    everywhere(
        "pods-container", "netbench_pods:\n  selector: a\n  container: --x", 5, "[0].container", remedy="small letters"
    ),
    everywhere(
        "pods-label", "netbench_pods:\n  selector: a\n  kind_label: a b", 5, "[0].kind_label", remedy="netbench/kind"
    ),
    everywhere(
        "pods-control", "netbench_pods: {selector: a, control: m}", 3, "no host of the inventory is named m", remedy="n"
    ),
    everywhere(
        "pods-kubeconfig-there",
        "netbench_pods: {selector: a, control: n, kubeconfig: ~/k}",
        3,
        "netbench_pods.kubeconfig is ~/k, and kubectl runs on n",
        remedy="whole path",
    ),
    everywhere("pods-template", 'netbench_pods:\n  - selector: "{{ x }}"', 3, "is a template", remedy="Jinja"),
    everywhere("pods-number", "netbench_pods: 3", 3, "netbench_pods of group all is 3", remedy="README"),
    everywhere(
        "attestation-two-tests",
        "netbench_attestation:\n  x:\n    - evidence: mac\n      must: a\n      must_not: b\n      means: m",
        5,
        "netbench_attestation.x[0] of group all",
        "it has 2 tests",
        remedy="exactly one of must, must_not, shows, marks",
    ),
    everywhere(
        "attestation-no-test",
        "netbench_attestation:\n  x:\n    - evidence: mac\n      means: m",
        5,
        "it has 0 tests",
        remedy="exactly one",
    ),
    everywhere(
        "attestation-regex",
        "netbench_attestation:\n  x:\n    - evidence: mac\n      must: '('\n      means: m",
        6,
        "netbench_attestation.x[0].must of group all is '('",
        remedy="Python's re",
    ),
    everywhere(
        "attestation-key",
        "netbench_attestation:\n  x:\n    - evidence: mac\n      must: a\n      means: m\n      meaning: m",
        8,
        "there is no such key",
        remedy="did you mean means",
    ),
    everywhere(
        "attestation-without-means",
        "netbench_attestation:\n  x:\n    - evidence: mac\n      must: a",
        5,
        "netbench_attestation.x[0].means of group all is missing",
        remedy="add means",
    ),
    everywhere("parallel-zero", "netbench_max_parallel: 0", 3, "netbench_max_parallel of group all is 0", remedy=""),
    everywhere("parallel-bool", "netbench_max_parallel: true", 3, "netbench_max_parallel", "True", remedy="number"),
    everywhere("order", "netbench_kind_order: {host: 1}", 3, "netbench_kind_order", remedy=""),
    everywhere("baseline", "netbench_baseline_kind: [host]", 3, "netbench_baseline_kind", "a list", remedy=""),
    everywhere("lab", "netbench_lab: perhaps", 3, "netbench_lab of group all is 'perhaps'", remedy=""),
    everywhere(
        "bandwidth", "netbench_instance_types:\n  t:\n    bandwidth: -1", 5, "t.bandwidth of group all is -1", remedy=""
    ),
    everywhere(
        "bandwidth-text",
        "netbench_instance_types:\n  t:\n    bandwidth: 2 Gbit/s",
        5,
        "'2 Gbit/s'",
        "number",
        remedy="",
    ),
    everywhere(
        "type-key",
        "netbench_instance_types:\n  t:\n    bandwith: 1",
        5,
        "t.bandwith",
        "no such key",
        remedy="bandwidth",
    ),
    everywhere("type-list", "netbench_instance_types: [t]", 3, "netbench_instance_types of group all", remedy=""),
]

FILES = [
    Malformed(
        "group-vars-list",
        {"f": "[a]\nn\n", "group_vars/a.yml": "- 1\n"},
        "group_vars/a.yml:1",
        ("a list",),
        "KEY: VALUE",
    ),
    Malformed(
        "group-vars-vault",
        {"f": "[a]\nn\n", "group_vars/a.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"},
        "group_vars/a.yml:1",
        ("encrypted with ansible-vault",),
        "without secrets",
    ),
    Malformed(
        "group-vars-typo",
        {"f": "[a]\nn\n", "group_vars/all/x.yml": "a: 1\nnetbench_parallel: 3\n"},
        "group_vars/all/x.yml:2",
        ("'netbench_parallel' of group all",),
        "did you mean netbench_max_parallel",
    ),
    Malformed(
        "host-vars-value",
        {"f": "[a]\nn netbench_zone=z\n", "host_vars/n.yaml": "\n\nansible_port: x\n"},
        "host_vars/n.yaml:3",
        ("ansible_port of host n",),
        "README",
    ),
    Malformed("directory-below", {"d/hosts": "n\n", "d/more/x": "n\n"}, "d/more", ("is a directory",), "move"),
    Malformed("empty-directory", {"d/README.md": "x", "d/.git": ""}, "d", ("holds no inventory file",), "hosts.yaml"),
    Malformed("no-file", {}, "missing.yaml", ("cannot be read: No such file",), "path"),
    Malformed("nul-in-path", {}, "a\0b", ("cannot be read",), "path"),
    Malformed("device", {}, "/dev/zero", ("is not a regular file",), "name a regular file"),
]

CASES = [*YAML_FORM, *INI_FORM, *VARIABLES, *FILES]
