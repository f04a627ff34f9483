"""What make and a bastion install: every requirement of setup.cfg is pinned, fits, and has its hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "requirements"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PIN = re.compile(r"([\w.-]+==[\w.!+-]+)(?: ; ([^\\]+?))?((?: --hash=sha256:[0-9a-f]{64})+)")


def declared() -> Iterator[tuple[str, Requirement]]:
    """The files that must have it, and what setup.cfg and pyproject.toml ask for."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    extras = settings["options.extras_require"]
    build = re.findall(r'^requires = \["(.+)"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    for files, lines in (
        ("core dev", settings["options"]["install_requires"].split("\n")),
        ("core dev", build),
        ("dev", extras["lab"].split("\n") + extras["dev"].split("\n")),
        ("fuzz", extras["fuzz"].split("\n")),
    ):
        for line in lines:
            if line and not line.startswith("netbench["):
                yield from ((file, Requirement(line)) for file in files.split())


def lines(file: str) -> list[str]:
    """The logical lines of a file of ours."""
    text = (FOLDER / f"{file}.txt").read_text()
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if not line.startswith("#")]


def pins(file: str, python: str) -> dict[str, str]:
    """Name -> version, for that Python on Linux."""
    found: dict[str, str] = {}
    environment = {"python_version": python, "python_full_version": f"{python}.4", "sys_platform": "linux"}
    for line in lines(file):
        pinned = PIN.fullmatch(line)
        assert pinned is not None, line
        requirement = Requirement(f"{pinned[1]} ; {pinned[2]}" if pinned[2] else pinned[1])
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} twice for Python {python}"
            found[name] = pinned[1].partition("==")[2]
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_declared_is_pinned_within_its_bounds(python: str) -> None:
    pinned = {file: pins(file, python) for file in ("core", "dev", "fuzz")}
    for file, requirement in declared():
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            version = pinned[file].get(canonicalize_name(requirement.name))
            assert version is not None, f"{file}.txt lacks {requirement.name}: make requirements"
            assert requirement.specifier.contains(version), (
                f"{file}.txt: {requirement.name} {version}: make requirements"
            )


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_tested_is_what_a_bastion_gets(python: str) -> None:
    assert pins("core", python).items() <= pins("dev", python).items()


@pytest.mark.parametrize("file", ["core", "dev", "fuzz"])
def test_no_file_names_an_index_or_a_place(file: str) -> None:
    text = (FOLDER / f"{file}.txt").read_text()
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links| /", text)


def test_a_pin_without_a_hash_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "core.txt").write_text("h11==0.16.0\n")
    monkeypatch.setattr("tests.test_requirements.FOLDER", tmp_path)
    with pytest.raises(AssertionError, match="h11"):
        pins("core", "3.11")
