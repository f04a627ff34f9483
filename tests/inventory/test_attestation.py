"""Rules on what shows a kind: the shipped ones, and an inventory's in their place."""

from __future__ import annotations

from pathlib import Path

from netbench.model import Sign
from tests.inventory.written import load_text

HOSTS = "  hosts: {n: {netbench_zone: z}}\n"


def test_every_shipped_rule_says_what_it_means_and_who_says_so(tmp_path: Path) -> None:
    rules = load_text(tmp_path, f"all:\n{HOSTS}").attestation
    assert {"host", "terway", "terway-eni", "terway-trunk", "*"} <= set(rules)
    assert all(rule.means and rule.source for listed in rules.values() for rule in listed)
    assert any(rule.sign is Sign.MUST for rule in rules["terway-eni"])


def test_an_inventory_replaces_the_rules_of_a_pattern_and_adds_others(tmp_path: Path) -> None:
    own = "{terway-eni: [], 'cilium*': {evidence: link type, must: veth, means: not cilium's}}"
    text = f"all:\n  vars:\n    netbench_attestation: {own}\n{HOSTS}"
    rules = load_text(tmp_path, text).attestation
    assert rules["terway-eni"] == ()
    (rule,) = rules["cilium*"]
    assert (rule.sign, rule.pattern, rule.optional) == (Sign.MUST, "veth", False)
    assert rule.source.endswith("hosts.yaml")
    assert rules["terway"]
