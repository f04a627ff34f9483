"""What bounds a cell: every cause from what speaks for it, and unknown wherever something is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from netbench.analyse import Bound, Cause, Why, aggregate, bounds
from netbench.analyse.causes import EVIDENCE
from netbench.model import Cell, FailureClass, Flag, InstanceType, Measurement, Step
from netbench.report.wording import LANGUAGES
from tests.analyse.runs import TYPE, failed, make_manifest, make_plan, make_records, measurement

HOST = Cell("host", "host")
TYPES = {TYPE: InstanceType(TYPE, 6e9, 1e6, 8, "a table")}
LINE = 6e9 * 1460 / 1538  # what Ethernet, IP and TCP leave of it for payload


def bound(
    value: float,
    flags: Sequence[Sequence[str]] = ((), (), ()),
    *,
    watched: Sequence[bool] = (True, True, True),
    types: Mapping[str, InstanceType] = TYPES,
    metric: tuple[str, str, str] = ("throughput", "throughput", "bit/s"),
) -> Bound:
    """Of a single cell with three rounds, each with its flags."""
    probe, name, unit = metric
    plan = make_plan(("host",), (probe,))

    def make(step: Step) -> Measurement:
        index = step.round - 1
        raised = [Flag(code, "detail") for code in flags[index]]
        return measurement((name, value, unit), flags=raised, watched=watched[index])

    analysis = aggregate(plan, make_records(plan, make))
    (found,) = bounds(analysis.probes[0].primary, plan, make_manifest(plan, types=types))
    assert found.cell == HOST
    return found


PPS = ("pps", "pps_received", "packets/s")
ALL = 3


@pytest.mark.parametrize(
    ("value", "cause", "why"),
    [
        (LINE, Cause.LINE_RATE, None),
        (0.96 * LINE, Cause.LINE_RATE, None),
        (0.94 * LINE, Cause.PATH, None),
        (1.06 * LINE, Cause.UNKNOWN, Why.ABOVE_LIMIT),
    ],
)
def test_the_line(value: float, cause: Cause, why: Why | None) -> None:
    found = bound(value)
    assert (found.cause, found.why) == (cause, why)
    assert found.share == pytest.approx(value / LINE)
    assert found.limit == 6e9


def test_the_packet_limit() -> None:
    found = bound(0.97e6, metric=PPS)
    assert (found.cause, found.share, found.limit) == (Cause.PPS_LIMIT, pytest.approx(0.97), 1e6)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("generator-ceiling", Cause.GENERATOR),
        ("sender-limited", Cause.GENERATOR),
        ("cpu-bound", Cause.CPU),
        ("cpu-one-core", Cause.CPU),
        ("cpu-full", Cause.CPU),
        ("throttled", Cause.CPU),
        ("cpu-steal", Cause.PATH),
        ("packet-loss", Cause.PATH),
    ],
)
def test_a_flag_of_most_steps_speaks_for_the_cell(code: str, cause: Cause) -> None:
    found = bound(5e5, ((code, code), (code,), ()), metric=PPS)
    assert found.cause is cause
    assert found.flags == ({code: 2} if code in EVIDENCE else {})
    assert found.steps == ALL


def test_a_flag_of_few_steps_does_not_but_is_told() -> None:
    found = bound(5e5, (("cpu-full",), (), ()), metric=PPS)
    assert (found.cause, found.flags) == (Cause.PATH, {"cpu-full": 1})


def test_unlike_flags_of_one_sort_speak_together() -> None:
    assert bound(5e5, (("cpu-full",), ("throttled",), ()), metric=PPS).cause is Cause.CPU


def test_at_line_rate_a_full_cpu_costs_nothing() -> None:
    found = bound(LINE, (("cpu-full",),) * 3)
    assert (found.cause, found.flags) == (Cause.LINE_RATE, {"cpu-full": 3})


def test_a_full_core_explains_a_sender_that_makes_no_more() -> None:
    assert bound(5e5, (("sender-limited", "cpu-one-core"),) * 3, metric=PPS).cause is Cause.CPU


def test_without_a_known_limit_the_path_is_not_guessed() -> None:
    found = bound(5e5, types={}, metric=PPS)
    assert (found.cause, found.why, found.share, found.limit) == (Cause.UNKNOWN, Why.NO_LIMIT, None, None)
    assert bound(5e5, (("cpu-full",),) * 3, types={}, metric=PPS).cause is Cause.CPU


def test_without_a_look_at_the_ends_the_path_is_not_guessed() -> None:
    found = bound(5e9, watched=(True, False, True))
    assert (found.cause, found.why) == (Cause.UNKNOWN, Why.UNWATCHED)


def test_what_others_left_is_not_known() -> None:
    found = bound(4e9, ((), ("other-traffic",), ()))
    assert (found.cause, found.why) == (Cause.UNKNOWN, Why.OTHERS)


def test_a_time_has_no_limit_and_a_cell_without_a_value_no_cause() -> None:
    plan = make_plan(("host", "pod"), ("throughput", "latency"))
    records = make_records(plan, lambda step: measurement(("latency_avg", 1e-4, "s")))
    for index, step in enumerate(plan.steps):
        if step.probe == "throughput":
            good = measurement(("throughput", LINE, "bit/s"), watched=True)
            records[index] = replace(records[index], measurement=good)
        if step.probe == "throughput" and step.cell == HOST:
            records[index] = failed(records[index], FailureClass.BUSY, "busy")
    throughput, latency = (probe.primary for probe in aggregate(plan, records).probes)
    manifest = make_manifest(plan, types=TYPES)
    assert bounds(latency, plan, manifest) == ()
    assert [found.cell for found in bounds(throughput, plan, manifest)] == [c for c in plan.cells if c != HOST]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_cause_has_words(lang: str) -> None:
    wanted = [f"cause.{cause.value}" for cause in Cause] + [f"why.{why.value}" for why in Why]
    wanted += [f"{prefix}.{code}" for code in EVIDENCE for prefix in ("evidence", "flag")]
    assert [key for key in wanted if key not in LANGUAGES[lang]] == []
