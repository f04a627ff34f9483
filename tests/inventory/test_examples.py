"""The examples in inventories/ load, and their README tells of every variable."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import netbench
from netbench.inventory import load
from netbench.inventory.schema import AllVariables, HostVariables, PodVariables, RuleVariables, TypeVariables
from netbench.inventory.validation import OLDER_NAMES

EXAMPLES = Path(netbench.__file__).parent.parent / "inventories"


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy: a checkout may be another user's than the one that runs the tests."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "inventories", copy_function=shutil.copyfile))


def test_the_fleet(examples: Path) -> None:
    inventory = load(examples / "alibaba-cloud.yaml")
    zones = [node.zone for node in inventory.nodes]
    assert (zones.count("cn-hangzhou-b"), zones.count("cn-hangzhou-g"), len(zones)) == (20, 11, 31)
    assert "bastion" not in {endpoint.name for endpoint in inventory.endpoints}
    assert {endpoint.access.proxy_jump for endpoint in inventory.endpoints} == {"root@bastion.example.com"}
    assert inventory.nodes[-1].addresses == ("198.18.7.11", "198.18.107.11", "cn-hangzhou.198.18.7.11")
    assert {node.instance_type for node in inventory.nodes} <= set(inventory.instance_types)
    assert [(source.selector, source.namespace) for source in inventory.pod_sources] == [("app=netbench", "netbench")]


def test_hosts_only(examples: Path) -> None:
    inventory = load(examples / "hosts-only.ini")
    assert {node.zone for node in inventory.nodes} == {"zone-a", "zone-b"}
    assert {endpoint.kind for endpoint in inventory.endpoints} == {"host", "host-tuned"}
    assert len(inventory.endpoints) == 7


def test_the_readme_tells_of_every_variable_and_of_no_other() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z_]+)`", text, re.MULTILINE))
    models = (AllVariables, HostVariables, PodVariables, RuleVariables, TypeVariables)
    assert told == {name for model in models for name in model.model_fields}
    assert all(older in text for names in OLDER_NAMES.values() for older in names)
