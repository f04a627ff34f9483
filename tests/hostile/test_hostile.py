"""Hostile values in the lab: none is executed, each gives a clean run or one clear error, nothing raw is shown."""

from __future__ import annotations

import json
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from netbench.lab import control
from netbench.lab.pods import load_pods
from tests.e2e.campaign import bench
from tests.e2e.test_lab import ENDPOINTS, on
from tests.fuzz.targets import UNSAFE
from tests.hostile.corpus import CANARY, corpus
from tests.lab.conftest import Lab, running_lab

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("hostile")) as state:
        yield Lab(state)


@pytest.fixture(scope="module")
def places(lab: Lab) -> str:
    """A shell line a place, which runs a command there: the bastion, every node, every pod."""
    return "\n".join(['"$@"', *(shlex.join(("nsenter", *on(lab, endpoint))) + ' "$@"' for endpoint in ENDPOINTS)])


@pytest.fixture
def canaries(lab: Lab, places: str) -> Iterator[None]:
    """What a value would make is nowhere: this machine, the bastion, nodes, pods. It would be seen in each of them."""

    def everywhere(*command: str) -> list[str]:
        return lab.output("sh", "-c", f"{places}\ntrue", "sh", *command).splitlines()

    look = ("sh", "-c", 'test -e "$0" && echo found', str(CANARY))
    assert not everywhere(*look)
    everywhere("touch", str(CANARY))
    assert everywhere(*look) == ["found"] * (1 + len(ENDPOINTS))
    everywhere("rm", "-f", str(CANARY))
    yield
    assert not everywhere(*look)
    assert not CANARY.exists()


def test_the_corpus_is_large_enough_and_its_names_are_unique() -> None:
    entries = json.loads(Path(__file__).with_name("corpus.json").read_text(encoding="utf-8"))
    assert len({entry["id"] for entry in entries}) == len(entries) >= 60
    assert len(set(corpus().values())) == len(entries)
    assert max(map(len, corpus().values())) >= 2**20


def test_every_value_is_a_clean_run_or_one_clear_error(lab: Lab, canaries: None, tmp_path: Path) -> None:
    began = time.monotonic()
    attack = (sys.executable, "-m", "tests.hostile.attack", str(tmp_path), str(lab.state.inventory))
    done = lab.run(*attack, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    codes = {code: sum(result["code"] == code for result in results) for code in (0, 2, 3)}
    print(f"{len(results)} attempts in {time.monotonic() - began:.0f} s, by exit code {codes}")  # noqa: T201
    assert {result["value"] for result in results} >= set(corpus()) - {"megabyte-of-wide"}
    for result in results:
        said = {key: result[key] for key in ("place", "value", "code", "err")}
        assert not result["fault"], (said, result["fault"])
        assert result["code"] in (0, 2, 3), said
        assert UNSAFE.search(result["out"] + result["err"]) is None, said
        assert result["err_length"] < 5000, said
        errors = [line for line in result["err"].splitlines() if line.startswith("error: ")]
        remedies = [line for line in result["err"].splitlines() if line.startswith("remedy: ")]
        if result["code"] == 2:
            assert (len(errors), len(remedies)) == (1, 1), said
        assert len(errors) <= 1, said
    assert codes[0] > 50
    assert codes[2] > 300


HOSTILE_KINDS = (
    "command-substitution",
    "markdown-pipe",
    "html-script",
    "rich-markup",
    "semicolon",
    "cyrillic-look-alike",
)


def test_a_campaign_with_hostile_names(lab: Lab, canaries: None, tmp_path: Path) -> None:
    """Kinds, zones, types, sources, notes, labels and annotations at once; measured, reported, and kept private."""
    values = corpus()
    inventory = _plain(lab.state.inventory)
    printable = [value for value in values.values() if value.isprintable() and len(value) < 200 and "{" not in value]
    everywhere = inventory["all"]["vars"]
    everywhere["netbench_lab_notes"] = printable
    everywhere["netbench_instance_types"] = {"<b>": {"bandwidth": 2e9, "source": values["markdown-link"]}}
    group = inventory["all"]["children"]["hosts"]
    group["vars"]["netbench_instance_type"] = "<b>"
    group["vars"]["ansible_password"] = "hunter2"
    del group["hosts"]["b1"]
    for host, kind in zip(group["hosts"].values(), HOSTILE_KINDS, strict=False):
        host |= {
            "netbench_zone": values["markdown-image"],
            "netbench_kind": values[kind],
            "ansible_become_pass": "hunter2",
        }
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps(inventory))
    pods = [pod for pod in ENDPOINTS if "-" in pod and not pod.startswith("b1")]
    before = {name: pod.labels for name, pod in _pods(lab).items()}
    try:
        for name, kind in zip(pods, HOSTILE_KINDS[2:], strict=True):
            labels = {**before[name], "netbench/kind": values[kind], "other": values["percent-format"]}
            control.change_pod(name, lab.state, labels=labels, annotations=values)
        campaign = bench(
            *("--inventory", str(path), "--limit", "all", "--profile", "smoke", "--probes", "latency", "--rounds", "1"),
            reports=tmp_path / "reports",
            lab=lab.state,
        )
    finally:
        for name in pods:
            control.change_pod(name, lab.state, labels=before[name], annotations={})
    # partial: a kind that is on one node only has no cell with itself. What can be measured was
    assert campaign.exit_code == 1, campaign.stdout + campaign.stderr
    assert {record["outcome"]["failure"] for record in campaign.records} == {None}  # type: ignore[index]
    assert len(campaign.records) == len(HOSTILE_KINDS) ** 2 // 2
    assert set(campaign.plan["kinds"]) == {values[kind] for kind in HOSTILE_KINDS}  # type: ignore[attr-defined]
    for text in (campaign.stdout, campaign.stderr, campaign.report):
        assert UNSAFE.search(text) is None
    assert "<script>" not in campaign.report
    assert campaign.directory is not None
    for file in (campaign.directory, *campaign.directory.rglob("*")):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file
        assert file.is_dir() or b"hunter2" not in file.read_bytes(), file
    assert "hunter2" not in campaign.stdout + campaign.stderr


def test_an_endpoint_that_says_hostile_things(lab: Lab, canaries: None, tmp_path: Path) -> None:
    """A node whose ping and system description are somebody else's: its step fails, and nothing is obeyed."""
    words = r"\033[2J\033]0;t\007\342\200\256frame 0 1 1 0\n<b>|$(touch /tmp/netbench-canary)"
    texts = {
        "evil": f"#!/bin/sh\n[ \"$2\" != 1 ] || exit 0\nprintf '{words}'\nexit 1\n",
        "release": 'PRETTY_NAME="$(touch /tmp/netbench-canary)|<script>`x`[a](b)\033[31m"\n',
    }
    ping = lab.output("sh", "-c", "command -v ping").strip()
    nodes = [("nsenter", *on(lab, node)) for node in ("a1", "a2")]
    put = 'printf %s "$1" >"/run/$0" && chmod 755 "/run/$0" && mount -n --bind "/run/$0" "$2"'
    try:
        for inside in nodes:
            for (name, text), place in zip(texts.items(), (ping, "/etc/os-release"), strict=True):
                lab.output(*inside, "sh", "-c", put, name, text, place)
        campaign = bench(
            *("--profile", "smoke", "--kinds", "host", "--probes", "latency", "--rounds", "1", "--keep-going"),
            reports=tmp_path / "reports",
            lab=lab.state,
        )
    finally:
        for inside in nodes:
            lab.run(*inside, "umount", "-n", ping, "/etc/os-release")
    assert campaign.exit_code == 1, campaign.stdout + campaign.stderr
    assert {record["outcome"]["failure"] for record in campaign.records} == {"parse"}  # type: ignore[index]
    for text in (campaign.stdout, campaign.stderr, campaign.report):
        assert UNSAFE.search(text) is None
    assert "<b>" not in campaign.report


def _plain(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def _pods(lab: Lab) -> dict[str, Any]:
    return {pod.name: pod for pod in load_pods(lab.state.pods)}
