"""Whatever is done to a real output, it is a measurement of finite numbers that are not negative, or an error."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netbench.errors import ParseError
from netbench.model import Completed
from netbench.probes.base import Probe
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput

from .casefile import CASES, Case

IPERF3 = [case for case in CASES if case.ok and not case.name.startswith("latency/") and "text-around" not in case.name]

numbers = st.floats() | st.integers() | st.sampled_from([0, -1, 10**400, 1e308, 5e-324, 1e-9])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def holds(probe: Probe, completed: Completed) -> None:
    try:
        measurement = probe.parse(completed)
    except ParseError:
        return
    assert measurement.samples[0].metric == probe.metrics[0].name
    assert measurement.samples[0].value > 0
    for sample in measurement.samples:
        assert math.isfinite(sample.value)
        assert sample.value >= 0


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside but the interim reports, which nothing reads."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for key, item in inner:
        if key != "intervals":
            found += places(item, (*path, key))
    return found


@settings(deadline=None, max_examples=100)
@given(
    case=st.sampled_from(CASES),
    at=st.floats(0, 1),
    length=st.integers(0, 200),
    put=st.binary(max_size=40),
    exit_code=st.integers(-70, 300),
)
def test_spliced_bytes(case: Case, at: float, length: int, put: bytes, exit_code: int) -> None:
    stdout = case.completed.stdout
    start = int(at * len(stdout))
    holds(
        case.probe, replace(case.completed, stdout=stdout[:start] + put + stdout[start + length :], exit_code=exit_code)
    )


@settings(deadline=None, max_examples=200)
@given(data=st.data(), case=st.sampled_from(IPERF3))
def test_changed_json(data: st.DataObject, case: Case) -> None:
    document = copy.deepcopy(json.loads(case.completed.stdout))
    for _ in range(data.draw(st.integers(1, 3))):
        if not document:  # all of it was deleted
            break
        *way, last = data.draw(st.sampled_from(places(document)))
        inside = document
        for key in way:
            inside = inside[key]
        if data.draw(st.booleans()) and isinstance(inside, dict):
            del inside[last]
        else:
            inside[last] = data.draw(values)
    holds(case.probe, replace(case.completed, stdout=json.dumps(document).encode()))


@settings(deadline=None, max_examples=100)
@given(
    probe=st.sampled_from([Throughput(), Pps(), Latency()]),
    stdout=st.binary(),
    stderr=st.binary(),
    exit_code=st.integers(-70, 300),
)
def test_anything(probe: Probe, stdout: bytes, stderr: bytes, exit_code: int) -> None:
    with pytest.raises(ParseError):
        probe.parse(Completed(exit_code, stdout, stderr))


@settings(deadline=None, max_examples=100)
@given(
    counts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    times=st.lists(st.floats(0, 1e6).map(lambda time: f"{time:.3f}"), min_size=3, max_size=4),
    rest=st.sampled_from(["", " +3 errors,", " +2 duplicates,", " 4 duplicates,"]),
)
def test_ping_summaries(counts: tuple[int, int], times: list[str], rest: str) -> None:
    names = "rtt min/avg/max/mdev" if len(times) == 4 else "round-trip min/avg/max"
    summary = (
        f"{counts[0]} packets transmitted, {counts[1]} received,{rest} 7% packet loss\n{names} = {'/'.join(times)} ms\n"
    )
    holds(Latency(count=30), Completed(0, summary.encode(), b""))


def test_deep_nesting_is_an_error() -> None:
    with pytest.raises(ParseError, match="no JSON"):
        Throughput().parse(Completed(0, b'{"start":' + b"[" * 100_000, b""))
