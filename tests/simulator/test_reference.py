"""What the reference report concluded, as worlds: the same conclusions come out, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netbench.analyse import Code, Confidence, Finding, OtherZone, interpret
from netbench.model import Cell, InstanceType, ZoneMode
from netbench.report import build_document, render
from netbench.report.sentences import sentence
from netbench.report.wording import wording
from netbench.simulator import World, simulate
from netbench.simulator.campaign import Simulated
from tests.simulator.claims import PROBES

SMALL = InstanceType("ecs.sn1ne.2xlarge", 2e9, 1e6, 4, "the reference report")
LARGE = InstanceType("ecs.sn1ne.8xlarge", 6e9, 2.5e6, 8, "the reference report")
PAYLOAD = 1460 / 1538  # of a frame at an MTU of 1500
KINDS = ("host", "terway-eni", "terway")

#: What pods cost where the line does not hide it: into terway-eni nothing, out of it a little; terway more, both ways.
COSTS = World(
    noise=0.006,
    into={"terway-eni": 1.03, "terway": 0.93},
    out_of={"terway-eni": 0.97, "terway": 0.88},
    base={"throughput": 3e9, "pps": 4e5, "latency": 2e-4},
    limit={"throughput": 2e9 * PAYLOAD},
)

#: Across zones hosts stay below their line, and terway-eni fills it.
ACROSS = replace(
    COSTS,
    into={"terway-eni": 1.5},
    out_of={"terway-eni": 0.97, "terway": 0.86},
    base={"throughput": 4.5e9, "pps": 3.6e5, "latency": 1.1e-3},
    limit={"throughput": 6e9 * PAYLOAD},
)


@pytest.fixture(scope="module")
def same() -> Simulated:
    return simulate(COSTS, PROBES, rounds=5, instance_type=SMALL, seed=1)


@pytest.fixture(scope="module")
def cross() -> Simulated:
    return simulate(ACROSS, PROBES, rounds=5, zone=ZoneMode.CROSS, instance_type=LARGE, seed=1)


def find(campaign: Simulated, code: Code, probe: str, kind: str = "", reference: str = "host") -> Finding:
    found = [f for f in campaign.findings() if f.code is code and f.params.get("probe") == probe]
    if kind:
        found = [f for f in found if (f.params["kind"], f.params["baseline"]) == (kind, reference)]
    (finding,) = found
    return finding


def ratio(finding: Finding) -> float:
    value = finding.params["ratio"]
    assert isinstance(value, float)
    return value


def test_within_a_zone_all_modes_fill_the_line(same: Simulated) -> None:
    finding = find(same, Code.LIMIT_ALL, "throughput")
    assert (finding.params["reached"], finding.params["limit"], finding.confidence) == (9, 2e9, Confidence.CLEAR)
    for finding in same.findings():
        if finding.code in (Code.INTO, Code.OUT_OF) and finding.params["probe"] == "throughput":
            assert finding.confidence is Confidence.NOISE


def test_into_terway_eni_is_equal_or_better(same: Simulated, cross: Simulated) -> None:
    finding = find(same, Code.INTO, "pps", "terway-eni")
    assert finding.confidence is Confidence.CLEAR
    assert ratio(finding) == pytest.approx(1.03, abs=0.01)
    assert ratio(find(cross, Code.INTO, "throughput", "terway-eni")) > 1.2


def test_out_of_terway_eni_is_a_little_under_host_and_clearly_over_terway(same: Simulated, cross: Simulated) -> None:
    for campaign, probe in ((same, "pps"), (cross, "pps"), (cross, "throughput")):
        little, clearly = (
            find(campaign, Code.OUT_OF, probe, "terway-eni"),
            find(campaign, Code.OUT_OF, probe, "terway", "terway-eni"),
        )
        assert (little.confidence, clearly.confidence) == (Confidence.CLEAR, Confidence.CLEAR)
        assert 0.95 < ratio(little) < 1
        assert ratio(clearly) < 0.95


def test_across_zones_hosts_stay_below_the_line_and_terway_eni_fills_it(cross: Simulated) -> None:
    finding = find(cross, Code.LIMIT_SOME, "throughput")
    assert finding.cells == tuple(Cell(kind, "terway-eni") for kind in KINDS)
    assert (finding.params["limit"], finding.confidence) == (6e9, Confidence.CLEAR)
    below = find(cross, Code.BASELINE_BELOW_LIMIT, "throughput")
    assert below.params["share"] == pytest.approx(4.5e9 / (6e9 * PAYLOAD), rel=0.01)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_says_so_in_both_languages(same: Simulated, cross: Simulated, lang: str) -> None:
    other = OtherZone("the run within a zone", ZoneMode.SAME, same.analysis())
    text = render(build_document(cross.manifest, cross.plan, cross.records, lang, other))
    words = wording(lang)
    findings = interpret(cross.analysis(), cross.plan, cross.manifest, other)
    told = [
        finding
        for finding in findings
        if finding.code in (Code.LIMIT_SOME, Code.BASELINE_BELOW_LIMIT, Code.ZONES, Code.OVERALL)
        or (finding.code in (Code.INTO, Code.OUT_OF) and finding.confidence is Confidence.CLEAR)
    ]
    assert len(told) > 10
    for finding in told:
        assert sentence(finding, words).replace("<", "&lt;") in text
    assert {"en": "a clear difference", "zh": "差异明确"}[lang] in text
    assert {"en": "3 of 9 cells reach the limit of 6 Gbit/s", "zh": "9 个单元格中有 3 个达到 6 Gbit/s"}[lang] in text
