"""The hostile values, and every place where somebody else's text gets into netbench."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CANARY = Path("/tmp/netbench-canary")  # what the values of the corpus would make if anything executed them
Json = dict[str, Any]


def corpus() -> dict[str, str]:
    """Name -> value."""
    entries = json.loads(Path(__file__).with_name("corpus.json").read_text(encoding="utf-8"))
    return {entry["id"]: entry["value"] * entry.get("times", 1) for entry in entries}


@dataclass(frozen=True)
class Attempt:
    """An inventory as JSON, which is YAML in which every character can be written, and a task's arguments."""

    inventory: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Lab:
    """What of the lab's own inventory the attempts are made of."""

    def __init__(self, inventory: Mapping[str, Any]) -> None:
        everywhere = inventory["all"]["vars"]
        self.pods = dict(everywhere["netbench_pods"][0])
        group = inventory["all"]["children"]["hosts"]
        self.group_vars = dict(group["vars"])
        self.hosts = {name: dict(values) for name, values in group["hosts"].items()}

    def inventory(self, everywhere: Json | None = None, **one: object) -> Json:
        """The lab's hosts, with these variables on all, and these on one of them."""
        hosts = {name: dict(values) for name, values in self.hosts.items()}
        hosts["a1"] |= one
        return {"all": {"vars": {"netbench_lab": True, **(everywhere or {})}, "children": self._group(hosts)}}

    def with_host(self, name: str) -> Json:
        return {"all": {"children": self._group({**self.hosts, name: {"netbench_zone": "zone-a"}})}}

    def with_pods(self, **entry: object) -> Json:
        return self.inventory({"netbench_pods": [{**self.pods, **entry}]})

    def _group(self, hosts: Mapping[str, Any]) -> Json:
        return {"hosts": {"vars": self.group_vars, "hosts": dict(hosts)}}


Position = Callable[[Lab, str], Attempt]

ON_A_HOST = (
    *("ansible_host", "ansible_user", "ansible_port", "ansible_connection", "ansible_ssh_private_key_file"),
    *("ansible_ssh_common_args", "ansible_ssh_extra_args", "netbench_zone", "netbench_kind", "netbench_instance_type"),
    *("netbench_address", "netbench_endpoint", "netbench_known_hosts", "netbench_node_addresses"),
    *("ansible_password", "ansible_become_password", "ansible_python_interpreter", "ansible_ssh_executable"),
)
ON_ALL = ("netbench_lab_notes", "netbench_max_parallel", "netbench_kind_order", "netbench_baseline_kind")
OF_PODS = (
    *("selector", "namespace", "container", "kind_label", "kubeconfig", "context", "kubectl", "control"),
    "host_network_kind",
)
ARGUMENTS = (
    *("limit", "kinds", "probes", "zone", "profile", "duration", "lang", "inventory"),
    *("option", "option-name", "option-value", "option-probe"),
)


def positions() -> dict[str, Position]:
    """Name -> what an inventory or a command line with a value in that place is."""
    found: dict[str, Position] = {}
    for name in ON_A_HOST:
        found[name] = lambda lab, value, name=name: Attempt(lab.inventory(**{name: value}))  # type: ignore[misc]
    for name in ON_ALL:
        found[name] = lambda lab, value, name=name: Attempt(lab.inventory({name: value}))  # type: ignore[misc]
    for name in OF_PODS:
        found[f"pods.{name}"] = lambda lab, value, name=name: Attempt(lab.with_pods(**{name: value}))  # type: ignore[misc]
    for name in ARGUMENTS:
        found[f"--{name}"] = lambda lab, value, name=name: _argument(lab, name, value)  # type: ignore[misc]
    return found | {
        "host": lambda lab, value: Attempt(lab.with_host(value)),
        "group": lambda lab, value: Attempt({**lab.inventory(), value: {"hosts": {"a1": None}}}),
        "variable": lambda lab, value: Attempt(lab.inventory(**{value: "x"})),
        "our-variable": lambda lab, value: Attempt(lab.inventory(**{f"netbench_{value}": "x"})),
        "jump": lambda lab, value: Attempt(lab.inventory(ansible_ssh_common_args=f"-J '{value}'")),
        "jump-option": lambda lab, value: Attempt(lab.inventory(ansible_ssh_extra_args=f"-o ProxyJump={value}")),
        "instance-type": lambda lab, value: Attempt(lab.inventory({"netbench_instance_types": {value: {"pps": 1}}})),
        "type-source": lambda lab, value: Attempt(
            lab.inventory({"netbench_instance_types": {"lab-2g": {"source": value}}})
        ),
        "type-bandwidth": lambda lab, value: Attempt(
            lab.inventory({"netbench_instance_types": {"lab-2g": {"bandwidth": value}}})
        ),
        "whole-file": lambda lab, value: Attempt(value),
    }


# places whose values come near a command line; they see a fifth of the corpus, the others a twentieth, each another
SHARP = (
    *(
        "ansible_host",
        "ansible_user",
        "ansible_ssh_private_key_file",
        "ansible_ssh_common_args",
        "netbench_known_hosts",
    ),
    *("netbench_address", "netbench_kind", "host", "jump", "pods.selector", "pods.context", "pods.kubeconfig"),
    *("pods.kubectl", "--limit", "--option-value"),
)
# the YAML parser takes some 15 s for a megabyte
ROOMY = {"ansible_user": "megabyte", "pods.selector": "megabyte-of-brackets", "--limit": "megabyte-of-substitutions"}


def attempts(everything: bool) -> Iterator[tuple[str, Position, str, str]]:
    """(place, position, name of the value, value); ``everything``: every value in every place, which takes an hour."""
    values = corpus()
    small = [name for name in values if not name.startswith("megabyte")]
    for number, (place, position) in enumerate(positions().items()):
        step = 1 if everything else 5 if place in SHARP else 20
        for name in (*small[number % step :: step], *([ROOMY[place]] if place in ROOMY else ())):
            yield place, position, name, values[name]


def _argument(lab: Lab, name: str, value: str) -> Attempt:
    texts = {
        "option": [value],
        "option-probe": [f"{value}.duration=1"],
        "option-name": [f"throughput.{value}=1"],
        "option-value": [f"throughput.duration={value}", f"throughput.port={value}"],
    }
    if name in texts:
        return Attempt(lab.inventory(), {"option": texts[name]})
    return Attempt(lab.inventory(), {name: value})
