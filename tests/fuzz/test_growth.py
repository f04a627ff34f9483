"""Four times the text costs about four times the work, whatever an endpoint says."""

from __future__ import annotations

import time

import pytest

from netbench.probes import iperf3_json
from netbench.probes.latency import Latency
from tests.fuzz.growth import OWN, families, text
from tests.fuzz.targets import TARGETS

SIZE = 8 * 1024
FLOOR = 0.02  # seconds of CPU below which a clock tells nothing
MOST = 8.0  # times; linear is 4, quadratic 16


@pytest.fixture(autouse=True)
def nothing_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers themselves are looked at, not the limits in front of them."""
    monkeypatch.setattr(iperf3_json, "REST", 2**22)
    monkeypatch.setattr(Latency, "output_limit", 2**22)


@pytest.mark.parametrize("target", OWN)
def test_work_grows_with_the_text_and_not_with_its_square(target: str) -> None:
    grown = [
        f"{beginning!r} + {piece!r} * n"
        for beginning, piece in families(target)
        if not any(_ratio(target, beginning, piece) <= MOST for _ in range(3))  # a busy machine is no fault
    ]
    assert not grown


def _ratio(target: str, beginning: str, piece: str) -> float:
    four = _cost(target, text(beginning, piece, SIZE * 4))
    if four <= MOST * FLOOR:
        return MOST
    return four / max(_cost(target, text(beginning, piece, SIZE)), FLOOR)


def _cost(target: str, data: bytes) -> float:
    begun = time.process_time()
    TARGETS[target](data)
    return time.process_time() - begun
