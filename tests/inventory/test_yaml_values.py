from __future__ import annotations

import pytest

from netbench.errors import InventoryError
from netbench.inventory.yaml_values import DEEPEST, Block, Vault, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("# nothing", None),
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("010", "010"),
        ("0x10", "0x10"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.5", 1.5),
        ("2e9", 2e9),
        ("198.18.0.1", "198.18.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("16:00", "16:00"),
        ("2026-01-01", "2026-01-01"),
        ("'yes'", "yes"),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("! 12", "12"),
        ("!unsafe '{{ x }}'", "{{ x }}"),
        ("[1, a, {b: c}]", [1, "a", {"b": "c"}]),
        ('{"a": [true, null]}', {"a": [True, None]}),
        ("1: a\n2.50: b\nyes: c", {"1": "a", "2.50": "b", "yes": "c"}),
        ("a: &x {k: 1}\nb: *x", {"a": {"k": 1}, "b": {"k": 1}}),
        ("a: &x {k: 1, l: 1}\nb: {<<: *x, l: 2}", {"a": {"k": 1, "l": 1}, "b": {"k": 1, "l": 2}}),
        ("- &x {k: 1}\n- &y {k: 2, l: 2}\n- <<: [*x, *y]", [{"k": 1}, {"k": 2, "l": 2}, {"k": 1, "l": 2}]),
        ("'<<': 1", {"<<": 1}),
    ],
)
def test_values(text: str, value: object) -> None:
    found = read_yaml(text, "f")
    assert found == value
    assert type(found) is (Block if isinstance(value, dict) else type(value))


def test_every_key_knows_its_line() -> None:
    block = read_yaml("a: 1\nb:\n  c: 2\n\n  'd':\n    - e: 3\n", "f")
    assert isinstance(block, Block)
    assert block.lines == {"a": 1, "b": 2}
    inner = block["b"]
    assert isinstance(inner, Block)
    assert inner.lines == {"c": 3, "d": 5}
    assert isinstance(inner["d"], list)
    assert inner["d"][0].lines == {"e": 6}


def test_an_encrypted_value_is_not_text() -> None:
    block = read_yaml("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n", "f")
    assert isinstance(block, Block)
    assert isinstance(block["a"], Vault)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is here a second time; the first is in line 1"),
        ("a:\n\t- b\n", 2, "not YAML"),
        ("a: [1\n", 2, "not YAML"),
        ("a: 'b\n", 2, "not YAML"),
        ("a: b: c\n", 1, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "the tag"),
        ("a: !include x.yml\n", 1, "the tag '!include'"),
        ("!!set {a, b}\n", 1, "the tag"),
        ("a: *b\n", 1, "the alias '*b' is used before its anchor"),
        ("a: &a [*a]\n", 1, "the alias '*a' stands inside of what it repeats"),
        ("? [a, b]\n: c\n", 1, "a key is not plain text"),
        ("a: 1\n<<: 3\n", 2, "<< is not followed by a mapping"),
        ("a: 1\nb: \x07\n", 2, "not YAML"),
        ('a: "\\x"\n', 1, "not YAML"),
        ('a: 1\nb: "\\U99999999"\n', 2, "not YAML"),
        ("%YAML 1.122\n---\na: 1\n", 1, "not YAML"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), 1, f"nested deeper than {DEEPEST} levels"),
    ],
)
def test_what_is_refused(text: str, line: int, part: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read_yaml(text, "dir/f.yaml")
    assert str(caught.value).startswith(f"dir/f.yaml:{line}: ")
    assert part in str(caught.value)
    assert caught.value.remedy


def test_tabs_get_their_own_remedy() -> None:
    with pytest.raises(InventoryError) as caught:
        read_yaml("a:\n\tb: 1\n", "f")
    assert caught.value.remedy == "indent with blanks"


def test_aliases_of_aliases_are_bounded() -> None:
    """Ten levels of ten: ten thousand million values in a few hundred bytes."""
    lines = ["l0: &l0 [x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 11)]
    with pytest.raises(InventoryError, match="aliases repeat more than 100000 values"):
        read_yaml("\n".join(lines), "f")


def test_surrogate_pairs_of_json_are_one_character() -> None:
    assert read_yaml(r'{"\ud83d\ude00": "a\ud83d\ude00", "b": "\ud800"}', "f") == {"😀": "a😀", "b": "\ud800"}
