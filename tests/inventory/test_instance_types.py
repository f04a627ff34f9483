from __future__ import annotations

from pathlib import Path

from netbench.model import InstanceType
from tests.inventory.written import load_text

HOSTS = "  hosts: {n: {netbench_zone: z}}\n"


def load_types(tmp_path: Path, types: str) -> dict[str, InstanceType]:
    text = f"all:\n  vars:\n    netbench_instance_types: {types}\n{HOSTS}"
    return dict(load_text(tmp_path, text).instance_types)


def test_shipped_types_are_in_si_units_and_name_their_source(tmp_path: Path) -> None:
    types = load_text(tmp_path, f"all:\n{HOSTS}").instance_types
    small, large = types["ecs.sn1ne.2xlarge"], types["ecs.sn1ne.8xlarge"]
    assert (small.bandwidth, small.pps, small.queues) == (2e9, 1e6, 4)
    assert (large.bandwidth, large.pps, large.queues) == (6e9, 2.5e6, 8)
    assert all("not re-checked" in each.source for each in types.values())
    assert "stated by the reference report" in large.source


def test_an_inventory_overrides_part_of_a_type(tmp_path: Path) -> None:
    found = load_types(tmp_path, "{ecs.sn1ne.2xlarge: {bandwidth: 2.5e9, source: measured}}")["ecs.sn1ne.2xlarge"]
    assert (found.bandwidth, found.pps, found.queues) == (2.5e9, 1e6, 4)
    assert found.source.startswith("measured; pps, queues: the vendor's table")


def test_an_inventory_overrides_a_whole_type(tmp_path: Path) -> None:
    found = load_types(tmp_path, "{ecs.sn1ne.2xlarge: {bandwidth: 1, pps: 2, queues: 3}}")["ecs.sn1ne.2xlarge"]
    assert found == InstanceType("ecs.sn1ne.2xlarge", 1.0, 2.0, 3, str(tmp_path / "hosts.yaml"))


def test_an_inventory_adds_a_type(tmp_path: Path) -> None:
    types = load_types(tmp_path, "{mine: {queues: 2, source: me}}")
    assert types["mine"] == InstanceType("mine", queues=2, source="me")
    assert set(types) == {"mine", "ecs.sn1ne.2xlarge", "ecs.sn1ne.8xlarge"}
