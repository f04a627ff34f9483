"""Login shells and rc files in the lab: it works, or one message says why not; no harm is done."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from netbench.lab.spec import LabSpec
from tests.e2e.campaign import Campaign, bench
from tests.faults.site import soon
from tests.lab.conftest import Lab, running_lab
from tests.surroundings.catalogue import ALL, Surrounding
from tests.surroundings.ground import NODES, Ground, shown

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
LATE = 45.0  # seconds until an endpoint's own deadline of any of check's commands is over, and five more
NAMES = [one.name for one in ALL]


@dataclass(frozen=True)
class Said:
    """How one netbench ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with running_lab(tmp_path_factory.mktemp("lab"), LabSpec(zones={"zone-a": NODES})) as state:
        yield Ground(state, ALL)


@pytest.fixture(scope="module")
def checks(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """`netbench check` over each, alone: both nodes are this account's."""
    directory = tmp_path_factory.mktemp("checks")
    paths = []
    for one in sorted(ground.surroundings, key=lambda one: one.works):  # those that wait come first
        inventory = ground.inventory(directory / f"{one.name}.hosts.json", [one])
        path = directory / f"{one.name}.json"
        path.write_text(json.dumps(["check", "--inventory", str(inventory), "--probes", "throughput"]))
        paths.append(path)
    lab = Lab(ground.state)
    done = lab.run(sys.executable, "-m", "tests.surroundings.walk", *map(str, paths), cwd=ROOT, timeout=200)
    assert done.returncode == 0, done.stderr.decode()
    return {
        path.stem: Said(
            int(path.with_suffix(".code").read_text()),
            path.with_suffix(".out").read_text(),
            path.with_suffix(".err").read_text(),
        )
        for path in paths
    }


@pytest.fixture(scope="module")
def measured(ground: Ground, checks: dict[str, Said], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Campaign]:
    """One bench over all accounts of a user that work, by the user's number: root's lease keeps others' runs out."""
    found = {}
    for user in sorted({one.uid for one in ground.surroundings}):
        directory = tmp_path_factory.mktemp("bench")
        working = [one for one in ground.surroundings if one.works and one.uid == user and checks[one.name].code == 0]
        inventory = ground.inventory(directory / "hosts.json", working)
        found[user] = bench(
            *("--inventory", str(inventory), "--probes", "throughput", "--rounds", "1", "--profile", "smoke"),
            *("--pairs", str(len(working)), "--keep-going"),
            reports=directory / "reports",
            lab=ground.state,
        )
    return found


def present(name: str, ground: Ground) -> Surrounding:
    """That one; skips where this machine has not its shell."""
    (one,) = (each for each in ALL if each.name == name)
    if one.missing:
        pytest.skip(f"{one.missing} is not installed here (CI installs it)")
    return one


def harmless(ground: Ground) -> None:
    """No canary changed; nothing of netbench's is there any more, as seen from outside."""
    for node in NODES:
        trees = ground.trees(node)
        assert not (changed := {name for name, _ in trees.items() ^ ground.canaries[node].items()}), (node, changed)
    assert soon(lambda: not any(ground.left(node) for node in NODES), LATE), [
        shown(ground.left(node)) for node in NODES
    ]
    for node in NODES:
        assert ground.look(node).files == ground.before[node].files


@pytest.mark.parametrize("name", NAMES)
def test_check_works_or_says_why_not(name: str, ground: Ground, checks: dict[str, Said]) -> None:
    one = present(name, ground)
    said = checks[name]
    assert "Traceback" not in said.out + said.err
    rows = [line for line in said.out.splitlines() if line.startswith(f"{name}-a")]
    if one.works:
        assert said.code == 0, said
        assert sum("Debian" in row or "kernel" in row for row in rows) == len(NODES), rows
        assert sum("iperf 3" in row or "iperf3 3" in row for row in rows) == len(NODES), rows
        return
    assert said.code == 3, said
    for node in NODES:
        why = [
            row.removeprefix(f"{name}-{node} ") for row in rows if row.startswith(f"{name}-{node} ") and "FAILED" in row
        ]
        assert re.search(one.says, why[0]), why
        assert len(why) == 1 or "missing" in one.says, why
        assert len(re.split(r" {2,}", why[0].strip())) == 4, why  # check, FAILED, what was found, remedy
    assert len([line for line in said.err.splitlines() if line.startswith("error: ")]) <= 1, said.err


@pytest.mark.parametrize("name", NAMES)
def test_bench_measures_over_what_works(name: str, ground: Ground, measured: dict[int, Campaign]) -> None:
    one = present(name, ground)
    if not one.works:
        pytest.skip("check has said why not")
    campaign = measured[one.uid]
    ends = {f"{name}-{node}" for node in NODES}
    (step,) = [step for step in campaign.plan["steps"] if step["source"] in ends]  # type: ignore[attr-defined]
    assert step["destination"] in ends
    (record,) = [record for record in campaign.records if record["step"] == step["id"]]
    assert record["outcome"]["failure"] is None, record  # type: ignore[index]
    values = {sample["metric"]: sample["value"] for sample in record["measurement"]["samples"]}  # type: ignore[index]
    assert 1e8 < values["throughput"] < 2.1e9, values  # the lab's link has 2 Gbit/s


def test_every_bench_ends_well(measured: dict[int, Campaign]) -> None:
    for campaign in measured.values():
        assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
        assert "Traceback" not in campaign.stdout + campaign.stderr


def test_nothing_is_sent_to_a_shell_that_has_not_greeted(ground: Ground, checks: dict[str, Said]) -> None:
    recorders = [one for one in ground.surroundings if one.records]
    assert {(one.name, node): ground.sent(node, one) for one in recorders for node in NODES} == {
        (one.name, node): b"" for one in recorders for node in NODES
    }
    assert checks


def test_no_harm_is_done(ground: Ground, checks: dict[str, Said], measured: dict[int, Campaign]) -> None:
    harmless(ground)
    assert checks
    assert measured


def test_clean_finds_nothing_over_tcsh(ground: Ground, tmp_path: Path) -> None:
    one = present("tcsh-variables", ground)
    inventory = ground.inventory(tmp_path / "hosts.json", [one])
    done = Lab(ground.state).run(
        *(sys.executable, "-m", "netbench", "clean", "--force", "--inventory", str(inventory)), cwd=ROOT, timeout=100
    )
    assert done.returncode == 0, done
    harmless(ground)
