from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbench.errors import InventoryError
from netbench.inventory.place import Place
from netbench.inventory.ranges import MOST_HOSTS, expand, hosts_of
from tests.inventory.written import attempt

HERE = Place("hosts.ini", 3)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ecs", ["ecs"]),
        ("ecs-[01:03]", ["ecs-01", "ecs-02", "ecs-03"]),
        ("ecs-[8:11]", ["ecs-8", "ecs-9", "ecs-10", "ecs-11"]),
        ("ecs-[08:11]", ["ecs-08", "ecs-09", "ecs-10", "ecs-11"]),
        ("n[:2]", ["n0", "n1", "n2"]),
        ("[a:c]x", ["ax", "bx", "cx"]),
        ("n[1:9:4]", ["n1", "n5", "n9"]),
        ("n[1:8:4]", ["n1", "n5"]),
        ("[a:e:2]", ["a", "c", "e"]),
        ("n[5:5]", ["n5"]),
        ("r[a:b]-[1:2].x", ["ra-1.x", "ra-2.x", "rb-1.x", "rb-2.x"]),
    ],
)
def test_ranges_as_ansible_documents_them(pattern: str, names: list[str]) -> None:
    assert expand(pattern, HERE) == names


@given(
    st.integers(0, 999),
    st.integers(0, 300),
    st.integers(1, 50),
    st.booleans(),
    st.sampled_from(["", "-x", ".example.com"]),
)
def test_numeric_ranges(start: int, span: int, step: int, zeros: bool, tail: str) -> None:
    end = start + span
    width = len(str(end)) + 1 if zeros else 0
    names = expand(f"n[{str(start).zfill(width)}:{str(end).zfill(width)}:{step}]{tail}", HERE)
    assert names == [f"n{str(number).zfill(width)}{tail}" for number in range(start, end + 1, step)]
    assert len(set(names)) == len(names) == span // step + 1


@given(st.text(alphabet="a1:[]-.", max_size=30))
def test_any_pattern_gives_names_or_an_inventory_error(pattern: str) -> None:
    found = attempt(hosts_of, pattern, HERE)
    if isinstance(found, InventoryError):
        assert str(found).startswith("hosts.ini:3: ")
        assert found.remedy
    else:
        names, port = found
        assert 0 < len(names) <= MOST_HOSTS
        assert port is None or port >= 0


@pytest.mark.parametrize(
    ("pattern", "names", "port"),
    [
        ("ecs-1:2222", ["ecs-1"], 2222),
        ("ecs-[1:2]:2222", ["ecs-1", "ecs-2"], 2222),
        ("198.18.0.1:22", ["198.18.0.1"], 22),
        ("2001:db8::1", ["2001:db8::1"], None),
        ("[2001:db8::1]:2222", ["2001:db8::1"], 2222),
        ("[2001:db8::1]", ["2001:db8::1"], None),
    ],
)
def test_ports(pattern: str, names: list[str], port: int | None) -> None:
    assert hosts_of(pattern, HERE) == (names, port)


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("n[1:2", "no partner"),
        ("n1:2]", "no partner"),
        ("n[]", "is not a range"),
        ("n[1]", "is not a range"),
        ("n[1:b]", "is not a range"),
        ("n[1:2:3:4]", "is not a range"),
        ("n[-1:2]", "is not a range"),
        ("n[1:2:0]", "the step is 0"),
        ("n[3:1]", "ends before it begins"),
        ("n[b:a]", "ends before it begins"),
        ("n[01:100]", "ends differ in length"),
        ("n[0:99999999]", f"more than {MOST_HOSTS} hosts"),
        ("n[0:999][0:999]", f"more than {MOST_HOSTS} hosts"),
        ("-oProxyCommand=x", "cannot be the name of a host"),
    ],
)
def test_ranges_that_cannot_be(pattern: str, part: str) -> None:
    with pytest.raises(InventoryError, match=r"^hosts\.ini:3: ") as caught:
        hosts_of(pattern, HERE)
    assert part in str(caught.value)
    assert caught.value.remedy
