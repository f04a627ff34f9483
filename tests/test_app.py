"""What the composition root adds of its own: reports from run directories, and who uses a node."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netbench import app
from netbench.model import Cluster, Endpoint, FailureClass, Inventory, LocalAccess, PodAccess, ZoneMode
from netbench.simulator import World, simulate
from netbench.store import RunDir
from netbench.transports.fake import FakeTransport, Reply
from netbench.transports.pool import Pool
from tests.run.test_runner import make_plan
from tests.simulator.claims import PROBES

THROUGHPUT = {"throughput": PROBES["throughput"]}
BUSY = b"lease live 60 100 0 abc /run alice@bastion-2, pid 7, run 20260101T000000Z-same\n"
WORLD = World(noise=0.005, across={"host->host": 0.5})


def store(reports: Path, name: str, zone: ZoneMode, **changes: Any) -> RunDir:
    """A simulated run as a directory."""
    campaign = simulate(WORLD, THROUGHPUT, rounds=4, zone=zone)
    directory = RunDir.create(reports, name)
    finished = "2026-11-23T06:00:00+00:00"
    manifest = replace(campaign.manifest, run=name, created=finished, finished=finished, status="complete")
    directory.write_manifest(replace(manifest, **changes))
    directory.write_plan(campaign.plan)
    for record in campaign.records:
        directory.append(record)
    return directory


def findings(directory: RunDir) -> list[dict[str, Any]]:
    app.report(directory.path)
    loaded: list[dict[str, Any]] = json.loads((directory.path / "findings.json").read_text())
    return loaded


def test_findings_are_kept_as_json_beside_the_report(tmp_path: Path) -> None:
    run = store(tmp_path, "20261123T060000Z-same", ZoneMode.SAME)
    found = findings(run)
    assert {"into", "out-of", "overall"} <= {finding["code"] for finding in found}
    into = next(finding for finding in found if finding["code"] == "into")
    assert into["confidence"] == "within noise"
    assert into["params"]["low"] < into["params"]["ratio"] < into["params"]["high"]
    assert {"source": "host", "destination": "host"} in into["cells"]
    assert (run.path / "findings.json").stat().st_mode & 0o777 == 0o600


def test_a_run_is_compared_with_the_newest_one_of_the_other_mode(tmp_path: Path) -> None:
    store(tmp_path, "20261121T060000Z-same", ZoneMode.SAME)
    store(tmp_path, "20261122T060000Z-same", ZoneMode.SAME)
    run = store(tmp_path, "20261123T060000Z-cross", ZoneMode.CROSS)
    (zones,) = (finding for finding in findings(run) if finding["code"] == "zones")
    assert zones["params"]["run"] == "20261122T060000Z-same"
    (lower,) = zones["params"]["lower"]
    assert (lower["source"], lower["destination"]) == ("host", "host")
    assert lower["ratio"] == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("changes", [{"lab": True}, {"inventory": "another fleet"}, {"finished": None}])
def test_what_is_not_alike_is_not_compared(tmp_path: Path, changes: dict[str, Any]) -> None:
    store(tmp_path, "20261122T060000Z-same", ZoneMode.SAME, **changes)
    store(tmp_path, "20261122T060001Z-cross", ZoneMode.CROSS)
    run = store(tmp_path, "20261123T060000Z-cross", ZoneMode.CROSS)
    assert [finding for finding in findings(run) if finding["code"] == "zones"] == []


def test_a_broken_neighbour_is_passed_over(tmp_path: Path) -> None:
    broken = store(tmp_path, "20261122T060000Z-same", ZoneMode.SAME)
    (broken.path / "plan.json").write_text("{")
    run = store(tmp_path, "20261123T060000Z-cross", ZoneMode.CROSS)
    assert [finding for finding in findings(run) if finding["code"] == "zones"] == []


def test_the_check_table_shows_who_uses_a_node_and_what_guards_it() -> None:
    """Nodes a and b are in the plan, c is not; b is known by its pod only, and somebody measures there."""
    pod = PodAccess(Cluster(), "default", "b-pod", "main")
    endpoints = (
        Endpoint("a", "host", "a", "198.18.0.9", LocalAccess()),
        Endpoint("a-pod", "terway", "a", "198.18.0.10", LocalAccess(), not_ready="Pending"),
        Endpoint("b-pod", "terway", "b", "198.18.0.11", pod),
        Endpoint("c", "host", "c", "198.18.0.12", LocalAccess()),
    )
    inventory = Inventory("hosts.yaml", (), endpoints)
    campaign = app.Campaign(app.Request(), inventory, {}, make_plan(), 1.0, ())
    ask = ("netbench-lease", "list")
    free_one = Reply(b"me 0\nplace /run\n")
    ways = {LocalAccess(): FakeTransport({ask: free_one}), pod: FakeTransport({ask: Reply(BUSY)})}

    class Fakes(Pool):
        get = staticmethod(ways.__getitem__)  # type: ignore[assignment]

    free, busy, guarded = app.lease_checks(campaign, Fakes())
    assert (free.endpoint, free.detail, free.failure) == ("a", "free", None)
    assert (busy.endpoint, busy.failure) == ("b-pod", FailureClass.BUSY)
    assert "held by alice@bastion-2, pid 7, run 20260101T000000Z-same, since " in busy.detail
    assert "(60 s ago); expires in 100 s" in busy.detail
    assert (guarded.endpoint, guarded.failure) == ("b", None)
    assert "in these pods only" in guarded.detail
