"""The files by which a lab is reached: sshd's settings, known_hosts, kubeconfig and the inventory."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from importlib.resources import files

from ruamel.yaml import YAML

from netbench.lab.keys import make_ssh_key, make_tls, write_private
from netbench.lab.pods import CONTAINER, LABELS, NAMESPACE
from netbench.lab.spec import API_PORT, BASTION, HOST, OWN_LINK, ROUTED, LabSpec
from netbench.lab.state import LabState

RULES = files("netbench.lab") / "attestation.yaml"
SSHD = """\
HostKey /run/lab/host_key
AuthorizedKeysFile /run/lab/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
PermitUserRC no
PrintMotd no
PrintLastLog no
UseDNS no
MaxSessions 100
MaxStartups 100
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
"""


def write_ssh(spec: LabSpec, state: LabState) -> None:
    """Make the key that logs in, every node's host key, sshd's settings and known_hosts."""
    login = make_ssh_key(state.key)
    known = []
    for node in spec.endpoints:
        if node.kind == HOST:
            directory = state.endpoint(node.name) / "ssh"
            directory.mkdir(parents=True)
            known.append(f"{node.address} {make_ssh_key(directory / 'host_key')}\n")
            (directory / "authorized_keys").write_text(f"{login}\n")
            (directory / "sshd_config").write_text(SSHD)
    state.known_hosts.write_text("".join(known))


def write_kubeconfig(state: LabState, token: str) -> None:
    """Make the API endpoint's certificate, and the file that lets kubectl in (JSON, which is YAML)."""
    state.tls.mkdir()
    authority = make_tls(state.tls, BASTION)
    write_private(state.tls / "token", token.encode())
    cluster = {
        "server": f"https://{BASTION}:{API_PORT}",
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": NAMESPACE}}],
        "current-context": "lab",
    }
    write_private(state.kubeconfig, (json.dumps(config, indent=1) + "\n").encode())


def write_inventory(spec: LabSpec, state: LabState, notes: Sequence[str]) -> None:
    """Write an ordinary inventory of the lab's nodes, and where its pods are found."""
    limits = {"bandwidth": int(spec.bandwidth), "queues": 1, "source": "the lab's own shaping (tbf)"}
    rules = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    pods = {
        "selector": ",".join(f"{key}={value}" for key, value in LABELS.items()),
        "namespace": NAMESPACE,
        "container": CONTAINER,
        "kubeconfig": str(state.kubeconfig),
    }
    inventory = {
        "all": {
            "vars": {
                "netbench_lab": True,
                "netbench_lab_notes": list(notes),
                "netbench_max_parallel": 1,
                "netbench_instance_types": {spec.instance_type: limits},
                "netbench_attestation": {**rules, ROUTED: rules[OWN_LINK]} if spec.alike else rules,
                "netbench_pods": [pods],
            },
            "children": {
                "hosts": {
                    "vars": {
                        "ansible_user": "root",
                        "ansible_ssh_private_key_file": str(state.key),
                        "netbench_known_hosts": str(state.known_hosts),
                        "netbench_instance_type": spec.instance_type,
                    },
                    "hosts": {
                        node.name: {"ansible_host": node.address, "netbench_zone": node.zone}
                        for node in spec.endpoints
                        if node.kind == HOST
                    },
                },
            },
        },
    }
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    text = io.StringIO()
    yaml.dump(inventory, text)
    state.inventory.parent.mkdir(exist_ok=True)
    heading = "# Written by the lab at each start.\n"
    state.inventory.write_text(heading + text.getvalue())
