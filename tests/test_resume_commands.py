"""What a resumed run executes comes from the probes' options; a plan.json that says otherwise is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from netbench import resuming
from netbench.campaign import Request
from netbench.errors import RunDirError
from netbench.model import InstanceType, Inventory, Plan, Step, ZoneMode
from netbench.plan import build_plan
from netbench.plan.commands import Rebuilt
from netbench.probes.base import Probe
from netbench.probes.registry import load_probes
from netbench.store import RunDir
from netbench.store.documents import decode, encode
from netbench.transports.pool import Pool
from tests.plan.fleets import fleet, inventories
from tests.test_app import store

NAME = "20261123T060000Z-same"
OPTIONS: dict[str, dict[str, object]] = {
    "throughput": {"parallel": "auto", "duration": 3, "port": 16001},
    "pps": {"duration": 2},
    "latency": {},
}
TYPES = {"ecs.small": InstanceType("ecs.small", queues=2), "ecs.large": InstanceType("ecs.large", queues=8)}
FLEET = replace(fleet("a1 z ecs.small: host pod", "a2 z ecs.large: host pod"), instance_types=TYPES)


def stored_plan(inventory: Inventory = FLEET, probes: dict[str, Probe] | None = None) -> Plan:
    """A plan as it comes back from its file."""
    made = probes or load_probes(tuple(OPTIONS), OPTIONS)
    return decode(Plan, encode(build_plan(inventory, made, zone=ZoneMode.SAME, rounds=2, pairs=2), "x"), "x")


def difference(plan: Plan, done: frozenset[str] = frozenset()) -> str | None:
    return Rebuilt(plan, load_probes(tuple(plan.probes), plan.probes), TYPES).difference(done)


def test_a_plan_of_ones_own_is_what_its_options_make() -> None:
    plan = stored_plan()
    assert difference(plan) is None
    assert {step.client[6] for step in plan.steps if step.probe == "throughput"} == {"2", "8"}  # streams by the source


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inventories())
def test_no_plan_of_ones_own_is_refused(inventory: Inventory) -> None:
    from netbench.errors import UsageError

    try:
        plan = stored_plan(inventory, load_probes(("pps", "latency"), {}))
    except UsageError:
        return
    assert difference(plan) is None
    assert difference(plan, frozenset(step.id for step in plan.steps)) is None


FORGED: dict[str, Callable[[Step], Step]] = {
    "client": lambda step: replace(step, client=("sh", "-c", "id >/tmp/pwned")),
    "option": lambda step: replace(step, client=(*step.client, "--logfile=/etc/cron.d/x")),
    "address": lambda step: replace(step, client=("ping", "-c", "30", "203.0.113.9")),
    "server": lambda step: replace(step, server=replace(step.server, argv=("sh", "-c", "id"))),  # type: ignore[type-var]
    "port": lambda step: replace(step, server=replace(step.server, port=22)),  # type: ignore[type-var]
    "no-server": lambda step: replace(step, server=None),
    "seconds": lambda step: replace(step, seconds=1e9),
    "source": lambda step: replace(step, source=step.destination),
    "elsewhere": lambda step: replace(step, destination="nowhere"),
    "probe": lambda step: replace(step, probe="other"),
    "id": lambda step: replace(step, id="../../etc/x"),
}


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("how", FORGED)
def test_any_difference_names_the_step(how: str, done: bool) -> None:
    plan = stored_plan()
    index = next(i for i, step in enumerate(plan.steps) if step.probe == "throughput")
    forged = FORGED[how](plan.steps[index])
    steps = (*plan.steps[:index], forged, *plan.steps[index + 1 :])
    found = difference(replace(plan, steps=steps), frozenset({forged.id}) if done else frozenset())
    assert found is not None
    assert found.startswith(f"step {forged.id}: ")


def test_a_finished_step_may_have_gone_to_an_older_address_and_nowhere_stranger() -> None:
    plan = stored_plan()
    step = plan.steps[0]
    assert step.server is not None
    older = replace(
        step,
        client=tuple("192.0.2.7" if "198.18." in word else word for word in step.client),
        server=replace(step.server, bind=("-B", "192.0.2.7")),
    )
    moved = replace(plan, steps=(older, *plan.steps[1:]))
    assert difference(moved, frozenset({step.id})) is None
    assert difference(moved) is not None
    option = replace(step, client=tuple("-h" if "198.18." in word else word for word in step.client))
    assert difference(replace(plan, steps=(option, *plan.steps[1:])), frozenset({step.id})) is not None


def test_an_address_that_is_an_option_is_refused() -> None:
    plan = stored_plan()
    endpoints = tuple(replace(planned, address="-oProxyCommand=id") for planned in plan.endpoints)
    assert "invalid address" in str(difference(replace(plan, endpoints=endpoints)))


# --- from the run's directory ------------------------------------------------------------------------------------


class Untouched(Pool):
    """No connection is made."""

    def get(self, access: object) -> Any:
        raise AssertionError(f"contacted {access}")


def interrupted(tmp_path: Path) -> RunDir:
    run = store(tmp_path, NAME, ZoneMode.SAME, status="interrupted", inventory="nowhere.yaml")
    journal = run.path / "samples.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]))
    return run


def make_campaign(run: RunDir) -> None:
    stored = resuming.open_run(run, Request(reports=str(run.path.parent)))
    resuming.make_campaign(stored, Untouched())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan["steps"][-1].update(client=["sh", "-c", "id"]), "step .*: client sh -c id is not iperf3 -c"),
        (lambda plan: plan["probes"]["throughput"].update(port=22), "step .*"),
        (lambda plan: plan["probes"].update(nonsense={}), "no probe nonsense"),
        (lambda plan: plan["probes"]["throughput"].update(program="id"), "no option program"),
        (lambda plan: plan["probes"].clear(), "no options of probe throughput"),
    ],
)
def test_a_forged_plan_is_refused_before_anything_is_contacted(
    tmp_path: Path, change: Callable[[Any], object], said: str
) -> None:
    run = interrupted(tmp_path)
    document = json.loads((run.path / "plan.json").read_text())
    change(document)
    (run.path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(RunDirError, match=rf"plan\.json: .*{said}") as caught:
        make_campaign(run)
    assert caught.value.exit_code == 2
    assert caught.value.remedy


@pytest.mark.parametrize("token", ["../../etc", "abc; id", "*", "0123456789AB", "0123456789abc"])
def test_a_token_that_is_none_is_refused(tmp_path: Path, token: str) -> None:
    run = interrupted(tmp_path)
    run.write_manifest(replace(run.manifest(), token=token))
    with pytest.raises(RunDirError, match=r"manifest\.json: invalid token"):
        make_campaign(run)
