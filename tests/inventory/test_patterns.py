from __future__ import annotations

from pathlib import Path

import pytest

from netbench.errors import UsageError
from netbench.inventory.files import read_tree
from netbench.inventory.lineage import Lineage
from netbench.inventory.patterns import select
from tests.inventory.written import write

FLEET = """
    lone
    2001:db8::7

    [zone_a]
    ecs-[01:04]

    [zone_b]
    ecs-[05:06]
    db1.example.com

    [fast]
    ecs-02
    ecs-05

    [empty]

    [zones:children]
    zone_a
    zone_b
"""
A = {"ecs-01", "ecs-02", "ecs-03", "ecs-04"}
B = {"ecs-05", "ecs-06", "db1.example.com"}


def chosen(pattern: str, tmp_path: Path) -> set[str]:
    tree = read_tree(write(tmp_path, {"hosts": FLEET}))
    return select(pattern, tree, Lineage(tree))


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", A | B | {"lone", "2001:db8::7"}),
        ("*", A | B | {"lone", "2001:db8::7"}),
        ("ungrouped", {"lone", "2001:db8::7"}),
        ("ecs-01", {"ecs-01"}),
        ("zone_a", A),
        ("zones", A | B),
        ("zone_a:zone_b", A | B),
        ("zone_a,lone", A | {"lone"}),
        (" zone_a , lone ", A | {"lone"}),
        ("zones:&fast", {"ecs-02", "ecs-05"}),
        ("zone_a:&fast", {"ecs-02"}),
        ("zones:!fast", (A | B) - {"ecs-02", "ecs-05"}),
        ("!fast:zones", (A | B) - {"ecs-02", "ecs-05"}),
        ("zones:&fast:!ecs-02", {"ecs-05"}),
        ("!zones", {"lone", "2001:db8::7"}),
        ("&fast", {"ecs-02", "ecs-05"}),
        ("zone_a:!empty", A),
        ("ecs-0*", A | {"ecs-05", "ecs-06"}),
        ("*.example.com", {"db1.example.com"}),
        ("zone_?", A | B),
        ("ecs-0[12]", {"ecs-01", "ecs-02"}),
        (r"~ecs-0[3-5]$", {"ecs-03", "ecs-04", "ecs-05"}),
        ("~db", {"db1.example.com"}),
        ("~.*1.*com", {"db1.example.com"}),
        ("zone_a[0]", {"ecs-01"}),
        ("zone_a[-1]", {"ecs-04"}),
        ("zone_a[0:2]", {"ecs-01", "ecs-02", "ecs-03"}),
        ("zone_a[1-2]", {"ecs-02", "ecs-03"}),
        ("zone_a[2:]", {"ecs-03", "ecs-04"}),
        ("zone_a[0:1]:zone_b[0]", {"ecs-01", "ecs-02", "ecs-05"}),
        ("ecs-*[0:1]", {"ecs-01", "ecs-02"}),
        ("ecs-[03:05]", {"ecs-03", "ecs-04", "ecs-05"}),
        ("ecs-0[1:3]", {"ecs-01", "ecs-02", "ecs-03"}),
        ("2001:db8::7", {"2001:db8::7"}),
        ("lone,2001:db8::7", {"lone", "2001:db8::7"}),
    ],
)
def test_patterns(pattern: str, hosts: set[str], tmp_path: Path) -> None:
    assert chosen(pattern, tmp_path) == hosts


@pytest.mark.parametrize(
    ("pattern", "message", "remedy"),
    [
        ("zone_c", "nothing is named 'zone_c'", "did you mean zone_"),
        ("zone_a:ecs-99", "nothing is named 'ecs-99'", "did you mean ecs-0"),
        ("zone_a:!ecs-99", "nothing is named 'ecs-99'", "did you mean"),
        ("zone_a:&zoneb", "nothing is named 'zoneb'", "did you mean zone_b"),
        ("web*", "nothing is named 'web*'", "there is"),
        ("ecs-[05:07]", "nothing is named 'ecs-[05:07]'", "did you mean"),
        ("~ecs-(", "is not a regular expression", "Python's re"),
        ("zone_a[4]", "'zone_a[4]' is out of range: it has 4 hosts", "begin with 0"),
        ("zone_a[7:9]", "is out of range", "begin with 0"),
        ("zone_a:&zone_b", "leaves no host", "widen"),
        ("zone_a:!zones", "leaves no host", "widen"),
        ("empty", "leaves no host", "widen"),
    ],
)
def test_patterns_that_match_nothing(pattern: str, message: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(pattern, tmp_path)
    assert str(caught.value).startswith(f"--limit {pattern!r}")
    assert message in str(caught.value)
    assert remedy in caught.value.remedy
