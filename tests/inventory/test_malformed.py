"""Every error names file, line where there is one, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from netbench.errors import InventoryError
from netbench.inventory import load
from netbench.inventory.files import LARGEST
from tests.inventory.malformed import CASES, Malformed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_malformed_inventories(case: Malformed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in case.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    first = next(iter(case.files), case.where)
    with pytest.raises(InventoryError) as caught:
        load("d" if first.startswith("d/") else first)
    message = str(caught.value)
    assert message.startswith(f"{case.where}: ")
    for part in case.parts:
        assert part in message
    assert caught.value.remedy
    assert case.remedy in caught.value.remedy
    assert "\n" not in message + caught.value.remedy
    assert caught.value.exit_code == 2


def test_names_of_cases_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(InventoryError, match="f: is larger than 4 MiB"):
        load(tmp_path / "f")


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "f.ini").write_bytes(b"[a]\nn\n# caf\xe9\n")
    with pytest.raises(InventoryError, match=r"f\.ini:3: is not UTF-8"):
        load(tmp_path / "f.ini")


def test_inventory_scripts_are_not_executed(tmp_path: Path) -> None:
    script = tmp_path / "inventory.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    with pytest.raises(InventoryError, match=r"inventory\.sh: is a program") as caught:
        load(script)
    assert "ansible-inventory" in caught.value.remedy
    assert not (tmp_path / "ran").exists()


def test_groups_nested_beyond_reason(tmp_path: Path) -> None:
    lines = [f"[g{n}:children]\ng{n + 1}\n" for n in range(70)]
    (tmp_path / "f").write_text("".join(lines) + "[g70]\nn\n")
    with pytest.raises(InventoryError, match=r"the group g64 is deeper than 64 levels"):
        load(tmp_path / "f")
