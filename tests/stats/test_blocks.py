"""The model of a run: against what can be worked out by hand, and by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import numpy as np
import pytest

from netbench.plan.schedule import balanced_orders
from netbench.stats import BlockModel, Contrast, Observation, holm, t_quantile

KINDS = ("host", "eni", "terway")
CELLS = [(source, destination) for source in KINDS for destination in KINDS]
INTO: Mapping[Hashable, float] = {
    **{(s, "eni"): 1 / 3 for s in KINDS},
    **{(s, "host"): -1 / 3 for s in KINDS},
}
Truth = Callable[[tuple[str, str], float, int], float]  # cell, when in the run (0..1), round -> log of the value


def campaign(
    truth: Truth, noise: Callable[[tuple[str, str]], float], rounds: int, seed: int, orders: Iterable[Sequence[object]]
) -> BlockModel:
    generator = np.random.default_rng(seed)
    observations = []
    total, count = rounds * len(CELLS), 0
    for number, order in enumerate(orders):
        for index, cell in enumerate(order):
            assert isinstance(cell, tuple)
            value = math.exp(truth(cell, count / (total - 1), number) + generator.normal(0, noise(cell)))
            observations.append(Observation(cell, number, index / (len(CELLS) - 1) - 0.5, value))
            count += 1
    return BlockModel(observations)


def interleaved(truth: Truth, noise: Callable[[tuple[str, str]], float], rounds: int, seed: int) -> BlockModel:
    return campaign(truth, noise, rounds, seed, balanced_orders(CELLS, rounds, str(seed)))


def contrast(model: BlockModel, weights: Mapping[Hashable, float]) -> Contrast:
    found = model.contrast(weights)
    assert found is not None
    return found


def test_two_units_are_a_paired_t_test() -> None:
    ours, theirs = [1.8, 1.1, 3.3, 2.0], [2.0, 1.0, 4.0, 2.1]
    model = BlockModel(
        [Observation(unit, r, 0, v) for unit, vs in (("a", ours), ("b", theirs)) for r, v in enumerate(vs)]
    )
    found = model.contrast({"a": 1, "b": -1})
    assert found is not None
    differences = np.log(ours) - np.log(theirs)
    error = differences.std(ddof=1) / 2
    assert found.ratio == pytest.approx(math.exp(differences.mean()))
    assert (found.error, found.df) == (pytest.approx(error), pytest.approx(3))
    interval = found.interval(0.95)
    assert interval is not None
    assert interval.high == pytest.approx(math.exp(differences.mean() + t_quantile(0.975, 3) * error))
    opposite = model.contrast({"a": -1, "b": 1})
    assert opposite is not None
    assert (opposite.ratio, opposite.p_value) == (pytest.approx(1 / found.ratio), pytest.approx(found.p_value))


def test_what_a_round_has_in_common_drops_out() -> None:
    model = interleaved(lambda cell, when, number: 0.4 * number + math.log(2) * (cell[1] == "eni"), lambda _: 0, 3, 1)
    found = contrast(model, INTO)
    assert (found.ratio, found.error) == (pytest.approx(2), pytest.approx(0, abs=1e-9))


@pytest.mark.parametrize("rounds", [3, 4, 5])
def test_what_drifts_on_while_a_round_lasts_drops_out(rounds: int) -> None:
    model = interleaved(lambda cell, when, number: -0.3 * when, lambda _: 1e-4, rounds, 2)
    assert contrast(model, INTO).ratio == pytest.approx(1, abs=5e-4)


def test_without_interleaving_a_drift_looks_like_a_difference() -> None:
    """All rounds of one cell, then the next: what the reference report did first."""
    generator = np.random.default_rng(5)
    observations = [
        Observation(
            cell, number, index / 8 - 0.5, math.exp(-0.2 * (index * 5 + number) / 44 + generator.normal(0, 0.01))
        )
        for index, cell in enumerate(CELLS)
        for number in range(5)
    ]
    found = contrast(BlockModel(observations), {("terway", "terway"): 1, ("host", "host"): -1})
    assert found.ratio < 0.87
    assert found.p_value is not None
    assert found.p_value < 1e-6
    same = interleaved(lambda cell, when, number: -0.2 * when, lambda _: 0.01, 5, 5)
    found = contrast(same, {("terway", "terway"): 1, ("host", "host"): -1})
    assert found.ratio == pytest.approx(1, abs=0.03)


def test_one_value_a_unit_tells_no_spread() -> None:
    model = BlockModel([Observation("a", 1, 0, 3.0), Observation("b", 1, 0, 2.0)])
    found = model.contrast({"a": 1, "b": -1})
    assert found is not None
    assert (found.ratio, found.interval(), found.p_value) == (pytest.approx(1.5), None, None)
    assert model.drift() is None
    assert model.outliers(0.01) == ()


def test_units_that_share_no_round_cannot_be_compared() -> None:
    observations = [Observation(unit, number, 0, 1.0 + number) for unit in "ab" for number in range(3)]
    observations += [Observation(unit, number, 0, 2.0) for unit in "cd" for number in range(3, 6)]
    model = BlockModel(observations)
    assert model.contrast({"a": 1, "b": -1}) is not None
    assert model.contrast({"a": 1, "c": -1}) is None
    assert model.contrast({"a": 1, "unheard of": -1}) is None


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [-1.0]])
def test_what_has_no_ratio(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no values|above zero"):
        BlockModel([Observation("a", number, 0, value) for number, value in enumerate(values)])


def flat(cell: tuple[str, str], when: float, number: int) -> float:
    return 0.05 * math.sin(number) - 0.2 * when


NOISES: dict[str, Callable[[tuple[str, str]], float]] = {
    "alike": lambda cell: 0.02,
    "one kind varies more": lambda cell: 0.04 if cell[0] == "terway" else 0.02,
    "full lines hardly vary": lambda cell: 0.02 if cell[1] == "terway" else 0.001,
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("rounds", [3, 5])
def test_intervals_cover_as_often_as_they_say_whoever_varies(name: str, rounds: int) -> None:
    runs = 600
    hits = 0
    for seed in range(runs):
        interval = contrast(interleaved(flat, NOISES[name], rounds, seed), INTO).interval(0.95)
        assert interval is not None
        hits += interval.contains(1)
    assert hits / runs >= 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / runs)


def test_a_family_of_comparisons_is_wrong_as_seldom_as_it_says() -> None:
    runs, wrong = 600, 0
    views = [
        weights
        for a, b in (("eni", "host"), ("terway", "host"), ("terway", "eni"))
        for weights in (
            {**{(s, a): 1 / 3 for s in KINDS}, **{(s, b): -1 / 3 for s in KINDS}},
            {**{(a, d): 1 / 3 for d in KINDS}, **{(b, d): -1 / 3 for d in KINDS}},
        )
    ]
    for seed in range(runs):
        model = interleaved(flat, NOISES["alike"], 5, seed)
        wrong += min(holm([contrast(model, view).p_value or 0.0 for view in views])) <= 0.05
    assert wrong / runs <= 0.05 + 3.5 * math.sqrt(0.05 * 0.95 / runs)


def test_a_round_that_differs_is_a_drift_and_noise_is_none() -> None:
    still = interleaved(lambda cell, when, number: 0.0, lambda _: 0.02, 5, 9).drift()
    assert still is not None
    assert still.p_value > 0.01
    moved = interleaved(lambda cell, when, number: 0.1 * (number == 3), lambda _: 0.02, 5, 9).drift()
    assert moved is not None
    assert moved.p_value < 1e-6
    assert max(moved.factors, key=lambda number: moved.factors[number]) == 3
    assert moved.factors[3] / moved.factors[0] == pytest.approx(math.exp(0.1), rel=0.03)


def test_a_value_far_from_the_others_is_an_outlier_and_stays_in() -> None:
    odd = ("host", "eni")
    model = interleaved(lambda cell, when, number: -0.3 * (cell == odd and number == 2), lambda _: 0.01, 5, 4)
    (outlier,) = model.outliers(0.01)
    assert (outlier.observation.unit, outlier.observation.round) == (odd, 2)
    assert outlier.factor == pytest.approx(math.exp(-0.3), rel=0.05)
    assert contrast(model, {odd: 1, ("host", "host"): -1}).ratio < 0.97
    quiet = [interleaved(flat, NOISES["alike"], 5, seed).outliers(0.01) for seed in range(200)]
    assert sum(map(bool, quiet)) <= 8  # 2 are expected
