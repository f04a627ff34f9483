"""Taking a run up again, as far as its directory alone decides it; ``tests/e2e/test_resume.py`` does it in the lab."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netbench import resuming
from netbench.campaign import Request
from netbench.errors import UsageError
from netbench.model import FailureClass, Precision, StepRecord, ZoneMode
from netbench.store import RunDir
from tests.test_app import store

NAME = "20261123T060000Z-same"
RUNNING: dict[str, Any] = {"status": "running", "finished": None}


def stored(directory: RunDir, **request: Any) -> resuming.Stored:
    return resuming.open_run(directory, Request(reports=str(directory.path.parent), **request))


def cut_short(directory: RunDir, keep: int) -> tuple[StepRecord, ...]:
    """Leave so many records, as a death would have; returns them."""
    journal = directory.path / "samples.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:keep]))
    return directory.records()


@pytest.mark.parametrize(
    ("option", "request_"),
    [
        ("--rounds", Request(rounds=9)),
        ("--zone", Request(zone="cross")),
        ("--kinds", Request(kinds=("host",))),
        ("--limit", Request(limit="a*")),
        ("--option", Request(options={"throughput": {"parallel": "8"}})),
        ("--precision", Request(precision=0.02)),
        ("--max-time", Request(max_time=60.0)),
        ("--seed", Request(seed=4)),
    ],
)
def test_what_the_plan_decides_cannot_be_asked_for(option: str, request_: Request, tmp_path: Path) -> None:
    store(tmp_path, NAME, ZoneMode.SAME)
    with pytest.raises(UsageError, match=f"^{option} does not go together with --resume") as caught:
        resuming.find(NAME, replace(request_, reports=str(tmp_path)))
    assert f"leave {option} out" in caught.value.remedy


def test_a_run_that_died_after_its_last_step_only_lacks_its_end(tmp_path: Path) -> None:
    run = store(tmp_path, NAME, ZoneMode.SAME, **RUNNING)
    whole = stored(run)
    assert whole.whole
    journal = (run.path / "samples.jsonl").read_bytes()
    result = resuming.finish(whole)
    assert (result.manifest.status, result.report.name) == ("complete", "report.md")
    assert run.manifest().finished is not None
    assert (run.path / "samples.jsonl").read_bytes() == journal
    assert resuming.finish(stored(run)).manifest.finished == run.manifest().finished  # a second time changes nothing


def test_a_report_in_another_language_is_written_of_a_finished_run(tmp_path: Path) -> None:
    run = store(tmp_path, NAME, ZoneMode.SAME)
    assert resuming.finish(stored(run, lang="zh")).report.name == "report.zh.md"


def test_a_precision_run_that_died_between_rounds_is_not_whole(tmp_path: Path) -> None:
    """Every step it had gave a result; whether it wants more rounds was not yet said."""
    run = store(tmp_path, NAME, ZoneMode.SAME, **RUNNING)
    run.write_plan(replace(run.plan(), precision=Precision(0.02, 30)))
    assert not stored(run).whole
    run.write_manifest(replace(run.manifest(), status="complete"))
    assert stored(run).whole


def test_an_attempt_that_was_cut_short_is_kept_with_its_reason(tmp_path: Path) -> None:
    """What lies in raw/ without a record gets one, once; its step is to do."""
    run = store(tmp_path, NAME, ZoneMode.SAME, **RUNNING)
    kept = cut_short(run, 5)
    step = run.plan().steps[5].id
    run.write_raw(step, 1, "client.out", b'{"start":')
    taken = stored(run)
    assert not taken.whole
    assert taken.done == {record.step for record in kept}
    (*before, died) = run.records()
    assert tuple(before) == kept
    assert (died.step, died.attempt, died.outcome.failure) == (step, 1, FailureClass.CANCELLED)
    assert "netbench ended in the middle of this attempt" in died.outcome.reason
    assert stored(run).done == taken.done
    assert len(run.records()) == 6


def test_the_stored_inventory_is_taken_where_it_is_still_there(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yaml"
    run = store(tmp_path / "reports", NAME, ZoneMode.CROSS, inventory=str(inventory))
    assert stored(run).request.inventory is None
    inventory.touch()
    assert stored(run).request.inventory == str(inventory)
    assert stored(run).request.zone == "cross"  # the manifest says it, whatever the directory is called
    assert stored(run, inventory="other.yaml").request.inventory == "other.yaml"


@pytest.mark.parametrize("reports", ["reports", "/srv/it's here/$(reports)"])
@pytest.mark.parametrize("inventory", [None, "my hosts.ini"])
def test_the_hint_can_be_typed_as_it_is(reports: str, inventory: str | None) -> None:
    hint = resuming.hint(Path(reports) / NAME, Request(reports=reports, inventory=inventory), "invoke")
    words = shlex.split(hint)
    assert words[:4] == ["invoke", "bench", "--resume", NAME]
    given = dict(zip(words[4::2], words[5::2], strict=True))
    assert given.get("--reports", "reports") == reports
    assert given.get("--inventory") == inventory
