"""Probes by name, through real entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from netbench.errors import UsageError
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.registry import load_probes, profile
from netbench.probes.throughput import Throughput

GOOD = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True)
class Good:
    name: ClassVar[str] = "good"
    metrics: ClassVar = ()
    source_tools: ClassVar = ()
    destination_tools: ClassVar = ()
    verbose: bool = False
    ratio: float = 0.5
    limit: "int | None" = None
    seconds: ClassVar[float] = 1.0

    def client(self, address): return ("true",)
    def server(self, address): return None
    def parse(self, client): raise NotImplementedError
"""


class Packages:
    """Installs packages that register probes, for one test."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def install(self, package: str, source: str, **probes: str) -> None:
        (self._path / f"{package}.py").write_text(source, encoding="utf-8")
        info = self._path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        lines = [f"{name} = {package}:{attribute}" for name, attribute in probes.items()]
        (info / "entry_points.txt").write_text("\n".join(["[netbench.probes]", *lines, ""]), encoding="utf-8")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    return Packages(path)


def test_all_in_the_documented_order() -> None:
    assert load_probes() == {"throughput": Throughput(), "pps": Pps(), "latency": Latency()}
    assert list(load_probes()) == ["throughput", "pps", "latency"]


def test_chosen_in_the_order_asked_for() -> None:
    assert list(load_probes(["latency", "throughput", "latency"])) == ["latency", "throughput"]


def test_options_from_a_command_line_and_from_code() -> None:
    text: dict[str, dict[str, object]] = {
        "throughput": {"duration": "3"},
        "pps": {"cpu": "none", "interval": "0.5", "bitrate": "1g"},
        "latency": {"interval": "0.2"},
    }
    values: dict[str, dict[str, object]] = {
        "throughput": {"duration": 3.0},
        "pps": {"cpu": None, "interval": 0.5, "bitrate": "1g"},
        "latency": {"interval": 0.2},
    }
    made = {
        "throughput": Throughput(duration=3),
        "pps": Pps(cpu=None, interval=0.5, bitrate="1g"),
        "latency": Latency(interval=0.2),
    }
    assert load_probes(None, text) == made
    assert load_probes(None, values) == made
    assert load_probes(None, values)["throughput"].client("198.18.0.2")[4] == "3"


def test_options_of_a_probe_that_is_not_asked_for_are_not_used() -> None:
    assert load_probes(["latency"], profile("quick").probes) == {"latency": Latency(count=10, interval=0.2)}


@pytest.mark.parametrize(
    ("names", "options", "message", "remedy"),
    [
        (["ping"], {}, "there is no probe ping", "throughput, pps, latency"),
        (None, {"ping": {}}, "there is no probe ping", "throughput, pps, latency"),
        (["latency"], {"latency": {"size": 3}}, "the probe latency has no option size", "count, interval"),
        (["latency"], {"latency": {"count": "many"}}, "latency: count=many", "a whole number"),
        (["latency"], {"latency": {"count": 1.5}}, "latency: count=1.5", "a whole number"),
        (["latency"], {"latency": {"count": True}}, "latency: count=True", "a whole number"),
        (["latency"], {"latency": {"count": None}}, "latency: count=None", "a whole number"),
        (["latency"], {"latency": {"interval": "inf"}}, "latency: interval=inf", "a number"),
        (["pps"], {"pps": {"bitrate": ["1g"]}}, "pps: bitrate=", "text"),
        (["pps"], {"pps": {"length": "15"}}, "pps: length=15", "from 16 to 65507"),
    ],
)
def test_what_cannot_be(
    names: list[str] | None, options: dict[str, dict[str, object]], message: str, remedy: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_probes(names, options)
    assert remedy in caught.value.remedy


def test_plugins_come_after_the_built_in_ones_by_name(packages: Packages) -> None:
    packages.install("zebra", GOOD.replace('"good"', '"zebra"'), zebra="Good")
    packages.install("badger", GOOD, good="Good")
    assert list(load_probes()) == ["throughput", "pps", "latency", "good", "zebra"]


def test_options_of_a_plugin_are_read_by_their_types(packages: Packages) -> None:
    packages.install("otter", GOOD, good="Good")
    made = load_probes(["good"], {"good": {"verbose": "yes", "ratio": "2", "limit": "7"}})["good"]
    assert repr(made) == "Good(verbose=True, ratio=2.0, limit=7)"
    assert repr(load_probes(["good"], {"good": {"limit": ""}})["good"]) == "Good(verbose=False, ratio=0.5, limit=None)"
    with pytest.raises(UsageError, match="good: verbose=perhaps"):
        load_probes(["good"], {"good": {"verbose": "perhaps"}})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("x = 1 +", "invalid syntax"),
        ("Other = 1", "no attribute 'Good'"),
        ("class Good: pass", "it lacks name, metrics"),
        (GOOD.replace("@dataclass(frozen=True)", ""), "it is not a dataclass"),
        (GOOD.replace('"good"', '"better"'), "it is named better"),
        (GOOD.replace("int | None", "Nothing"), "name 'Nothing' is not defined"),
        (GOOD + "    def __post_init__(self): raise KeyError('oops')\n", "oops"),
    ],
)
def test_a_broken_plugin_is_named(packages: Packages, tmp_path: Path, source: str, reason: str) -> None:
    package = f"plugin_{tmp_path.name}"  # Python remembers what it imported
    packages.install(package, source, good="Good")
    with pytest.raises(UsageError, match=f"the probe good \\({package}:Good\\) cannot be used") as caught:
        load_probes(["good"])
    assert reason in str(caught.value)
    assert "--probes" in caught.value.remedy
    assert load_probes(["latency"]) == {"latency": Latency()}


def test_a_name_registered_twice(packages: Packages) -> None:
    packages.install("shadow", GOOD, pps="Good")
    with pytest.raises(UsageError, match="the probe pps is registered twice") as caught:
        load_probes(["latency"])
    assert "shadow:Good" in str(caught.value)


def test_profiles() -> None:
    documented, quick, smoke = (profile(name) for name in ("documented", "quick", "smoke"))
    assert (documented.rounds, documented.probes) == (3, {})
    assert load_probes(None, documented.probes) == load_probes()
    assert load_probes(None, quick.probes) == {
        "throughput": Throughput(duration=3),
        "pps": Pps(duration=3),
        "latency": Latency(count=10, interval=0.2),
    }
    assert load_probes(None, smoke.probes) == {
        "throughput": Throughput(duration=1),
        "pps": Pps(duration=1),
        "latency": Latency(count=3, interval=0.2),
    }
    assert quick.rounds >= 1
    assert smoke.rounds == 1


def test_an_unknown_profile() -> None:
    with pytest.raises(UsageError, match="there is no profile fast") as caught:
        profile("fast")
    assert caught.value.remedy == "choose from documented, quick, smoke"
