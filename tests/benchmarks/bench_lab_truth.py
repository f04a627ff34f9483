"""Planted truths in the lab, with real sshd, kubectl, iperf3 and ping: what is there is found, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from netbench.analyse import Code, Confidence, Finding, aggregate, interpret
from netbench.lab.spec import LabSpec
from netbench.model import Cell
from netbench.store import RunDir
from tests.e2e.campaign import KINDS, Campaign, bench
from tests.lab.conftest import Lab, running_lab

pytestmark = pytest.mark.timeout(3600)
RATE = 1e9  # bit/s; half of what this machine's cores can move, so that the shaping is what bounds
PAYLOAD = 1448 / 1514  # of a frame as tbf counts it: MTU 1500, TCP timestamps


@contextmanager
def lab_of(spec: LabSpec, tmp_path: Path) -> Iterator[Lab]:
    with running_lab(tmp_path, spec) as state:
        yield Lab(state)


def findings(campaign: Campaign) -> tuple[Finding, ...]:
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    assert campaign.directory is not None
    run = RunDir.open(campaign.directory.parent, campaign.directory)
    plan = run.plan()
    return interpret(aggregate(plan, run.records()), plan, run.manifest())


def of(found: tuple[Finding, ...], code: Code, **params: object) -> Finding:
    (finding,) = (f for f in found if f.code is code and all(f.params[key] == value for key, value in params.items()))
    return finding


def means(campaign: Campaign, probe: str, metric: str) -> dict[Cell, float]:
    assert campaign.directory is not None
    run = RunDir.open(campaign.directory.parent, campaign.directory)
    (summary,) = (p for p in aggregate(run.plan(), run.records()).probes if p.probe == probe)
    (wanted,) = (m for m in summary.metrics if m.metric == metric)
    return {cell.cell: cell.estimate.mean for cell in wanted.cells if cell.estimate}


def test_shaped_links_are_found(tmp_path: Path) -> None:
    shaped = {"a2-terway-eni": 0.5, "a1-terway": 0.9}
    with lab_of(LabSpec(bandwidth=RATE, rate_fractions=shaped), tmp_path) as lab:
        campaign = bench(
            *("--profile", "smoke", "--probes", "throughput", "--duration", "4", "--rounds", "4"),
            reports=tmp_path / "reports",
            lab=lab.state,
        )
    found = findings(campaign)
    print()
    for cell, mean in means(campaign, "throughput", "throughput").items():
        truth = (
            RATE * PAYLOAD * min(0.9 if cell.source == "terway" else 1, 0.5 if cell.destination == "terway-eni" else 1)
        )
        print(f"{cell}: {mean / 1e6:.0f} Mbit/s, the shaping leaves {truth / 1e6:.0f} ({mean / truth - 1:+.1%})")
        assert mean == pytest.approx(truth, rel=0.03)
    into = of(found, Code.INTO, kind="terway-eni", baseline="host")
    assert into.confidence is Confidence.CLEAR
    assert into.params["ratio"] == pytest.approx(0.5 * (1 / 0.9) ** (1 / 3), rel=0.03)
    out = of(found, Code.OUT_OF, kind="terway", baseline="host")
    assert out.confidence is Confidence.CLEAR
    assert out.params["ratio"] == pytest.approx(0.9 ** (2 / 3), rel=0.03)


def test_loss_on_one_path_is_found(tmp_path: Path) -> None:
    if shutil.which("iptables") is None:
        pytest.skip("iptables is not there to lose packets")
    with lab_of(LabSpec(bandwidth=RATE), tmp_path) as lab:
        source = next(e.address for e in LabSpec().endpoints if e.name == "a1")
        loses = f"-s {source} -m statistic --mode random --probability 0.03 -j DROP".split()
        lab.output("kubectl", "exec", "a2-terway", "-c", "netbench", "--", "iptables", "-A", "INPUT", *loses)
        campaign = bench(
            *("--profile", "smoke", "--duration", "3", "--rounds", "3", "--option", "pps.bitrate=2m"),
            *("--option", "latency.count=100", "--option", "latency.interval=0.02"),
            reports=tmp_path / "reports",
            lab=lab.state,
        )
    lossy, found = Cell("host", "terway"), findings(campaign)
    shares = means(campaign, "pps", "loss")
    lost, others = shares.pop(lossy), max(shares.values())
    print(f"\n3 % of loss planted on {lossy}: {lost:.2%} of its datagrams, {others:.2%} at most of the others'")
    assert lossy in of(found, Code.RETRANSMITS).cells
    told = of(found, Code.FLAGGED, probe="latency", flag="packet-loss")
    assert told.cells == (lossy,)
    assert lost == pytest.approx(0.03, abs=0.01)
    assert others < 0.01


def test_where_all_kinds_are_built_alike_no_difference_is_claimed(tmp_path: Path) -> None:
    claimed: list[dict[str, Any]] = []
    with lab_of(LabSpec(bandwidth=RATE, alike=True), tmp_path) as lab:
        for number in range(5):
            campaign = bench(
                *("--profile", "smoke", "--rounds", "3", "--seed", str(number)),
                reports=tmp_path / "reports",
                lab=lab.state,
            )
            found = findings(campaign)
            assert {f.params["kind"] for f in found if f.code is Code.INTO} == set(KINDS) - {"host"}
            claimed += [
                {"run": number, "code": f.code.value, **f.params}
                for f in found
                if f.code in (Code.INTO, Code.OUT_OF, Code.CELL_ODD) and f.confidence is Confidence.CLEAR
            ]
    print(f"\nfive runs with all kinds alike: {len(claimed)} claims of difference")
    assert claimed == [], json.dumps(claimed, indent=1)
