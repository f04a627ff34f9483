"""Rules on what shows that an endpoint is of its kind: shipped data, and what an inventory knows better."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from netbench.inventory.place import Place, Variable
from netbench.inventory.schema import AllVariables, RuleVariables
from netbench.inventory.validation import validate
from netbench.inventory.yaml_values import read_yaml
from netbench.model import AttestationRule, Sign

FILE = "attestation.yaml"


def attestation_rules(
    given: Mapping[str, tuple[RuleVariables, ...]], source: str
) -> dict[str, tuple[AttestationRule, ...]]:
    """Rules by pattern of kinds: the shipped ones, those of a pattern that ``given`` has too replaced by its own.

    ``source``: who says it where a rule of ``given`` does not.
    """
    own = {pattern: tuple(_rule(rule, source) for rule in rules) for pattern, rules in given.items()}
    return {**_shipped(), **own}


def _rule(entry: RuleVariables, source: str) -> AttestationRule:
    tests = {Sign.MUST: entry.must, Sign.MUST_NOT: entry.must_not, Sign.SHOWS: entry.shows, Sign.MARKS: entry.marks}
    test, pattern = next((test, pattern) for test, pattern in tests.items() if pattern is not None)
    return AttestationRule(entry.evidence, test, pattern, entry.means, entry.source or source, entry.optional)


@cache
def _shipped() -> Mapping[str, tuple[AttestationRule, ...]]:
    data = read_yaml(files("netbench.inventory").joinpath(FILE).read_text(encoding="utf-8"), FILE)
    variable = Variable("netbench_attestation", data, Place(FILE))
    rules = validate(AllVariables, {variable.name: variable}, "netbench").netbench_attestation
    return {pattern: tuple(_rule(rule, FILE) for rule in entries) for pattern, entries in rules.items()}
