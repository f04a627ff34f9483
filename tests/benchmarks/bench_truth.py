"""A thousand campaigns each: what netbench claims, against what is true. NETBENCH_CAMPAIGNS makes it fewer or more."""

from __future__ import annotations

import os

import pytest

from tests.simulator.claims import (
    Verdict,
    drifting,
    drifting_without_interleaving,
    nothing_differs,
    one_kind_differs,
    one_process_a_core,
)

CAMPAIGNS = int(os.environ.get("NETBENCH_CAMPAIGNS", "1000"))
pytestmark = pytest.mark.timeout(3600)


def _share(values: list[bool]) -> float:
    return sum(values) / len(values)


def _coverage(found: list[Verdict]) -> float:
    return sum(verdict.covered for verdict in found) / sum(verdict.compared for verdict in found)


def test_where_nothing_differs_nothing_is_claimed() -> None:
    found = one_process_a_core(nothing_differs, range(CAMPAIGNS))
    wrong = _share([bool(verdict.false) for verdict in found])
    print(f"\nno true difference, {len(found)} campaigns: {wrong:.1%} make a false claim (at most 5 %); 95 % intervals")
    print(f"cover the truth in {_coverage(found):.1%} of {sum(v.compared for v in found)} comparisons")
    assert wrong <= 0.05


def test_a_difference_of_5_percent_is_found() -> None:
    found = one_process_a_core(one_kind_differs, range(CAMPAIGNS))
    hits = _share([verdict.found for verdict in found])
    covered = sum(verdict.planted_covered for verdict in found) / sum(verdict.planted for verdict in found)
    wrong = _share([bool(verdict.false) for verdict in found])
    print(f"\n5 % planted, {len(found)} campaigns: found with the right sign in {hits:.1%} (at least 90 %);")
    print(f"its 95 % interval covers the truth in {covered:.1%} (93 to 97 %); {wrong:.1%} claim what is not so besides")
    assert hits >= 0.9
    assert 0.93 <= covered <= 0.97


def test_without_interleaving_drift_is_taken_for_a_difference() -> None:
    count = max(20, CAMPAIGNS // 10)
    wrong = _share([bool(verdict.false) for verdict in one_process_a_core(drifting_without_interleaving, range(count))])
    right = _share([bool(verdict.false) for verdict in one_process_a_core(drifting, range(count))])
    print(
        f"\na drift of 20 %, {count} campaigns: {wrong:.0%} make false claims without interleaving, {right:.0%} with it"
    )
    assert wrong >= 0.9
    assert right <= 0.1
