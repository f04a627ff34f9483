from __future__ import annotations

import pytest

from netbench.errors import InventoryError
from netbench.inventory.literals import LONGEST_PYTHON, literal
from netbench.inventory.place import Place

HERE = Place("hosts.ini", 7)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("text", "text"),
        ("True", True),
        ("None", None),
        ("true", "true"),  # as in Ansible: no Python literal
        ("22", 22),
        ("-1.5", -1.5),
        ("2e9", 2e9),
        ("5 # five", 5),
        ("010", "010"),
        ("198.18.0.1", "198.18.0.1"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("'22'", "22"),
        ("'a' 'b'", "ab"),
        ('"unclosed', '"unclosed'),
        ("['a', 'b']", ["a", "b"]),
        ('["a", true, null]', ["a", True, None]),
        ("{'a': True}", {"a": True}),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ("{{ template }}", "{{ template }}"),
        ("{{1}}", "{{1}}"),
        ("[a, b]", "[a, b]"),
        ("[unclosed", "[unclosed"),
        ("(1, 2)", (1, 2)),
        (r"'\d'", r"\d"),
        ("__import__('os')", "__import__('os')"),
        ("[__import__('os')]", "[__import__('os')]"),
        ("[" * 5000, "[" * 5000),
        ("['" + "a" * LONGEST_PYTHON + "']", "['" + "a" * LONGEST_PYTHON + "']"),
        ("[" + "+".join("1" * 8000) + "]", "[" + "+".join("1" * 8000) + "]"),
        ("'\x00'", "'\x00'"),
    ],
)
def test_values(text: str, value: object) -> None:
    found = literal(text, HERE)
    assert found == value
    assert type(found) is type(value)


def test_a_key_written_twice_is_refused() -> None:
    with pytest.raises(InventoryError, match=r"^hosts\.ini:7: the key 'a' is there twice"):
        literal('{"a": 1, "a": 2}', HERE)
