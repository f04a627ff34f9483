"""The fuzzers' targets without atheris: over the kept corpus, and over what hypothesis makes of the seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.targets import CORPUS, LARGEST, TARGETS, attempt, kept, seeds


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_and_the_corpus(name: str) -> None:
    """What once was a fault is in the corpus, and must not be one again."""
    for data in (*seeds(name), *kept(name)):
        attempt(name, data)


def test_an_input_that_costs_too_much_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []
    monkeypatch.setitem(TARGETS, "ping", calls.append)
    monkeypatch.setattr(targets, "SECONDS", -1.0)
    with pytest.raises(AssertionError, match="ping: 3 bytes cost"):
        attempt("ping", b"abc")
    assert calls == [b"abc"] * 3
    attempt("ping", bytes(LARGEST + 1))


def test_every_corpus_belongs_to_a_target() -> None:
    assert {path.stem for path in Path(CORPUS).glob("*")} <= set(TARGETS)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_spliced_seeds_and_any_bytes(name: str, data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([*seeds(name), b""]))
    start = data.draw(st.integers(0, len(base)))
    put = data.draw(st.one_of(st.binary(max_size=40), st.text(max_size=20).map(lambda text: text.encode("utf-8"))))
    attempt(name, base[:start] + put + base[start + data.draw(st.integers(0, 60)) :])
