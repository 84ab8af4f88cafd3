# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forecasting.answers import numeric_result
from server.forecasting.covering import doubt, label_set, number_interval
from server.forecasting.question import Numeric
from server.learning.coverage import ENOUGH, LEAST, LEVEL, WINDOW, Coverage, strangeness

OUTCOMES = ("A", "B", "C", "D")


def one_hot(place: int, size: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.eye(size)[place]


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_label_sets_cover_as_often_as_they_say_whatever_the_calibration(sharpness: float) -> None:
    chance, coverage = np.random.default_rng(3), Coverage()
    covered, sizes = [], []
    for _ in range(3000):
        true = chance.dirichlet(np.ones(4))
        said = true**sharpness / (true**sharpness).sum()
        happened = int(chance.choice(4, p=true))
        threshold = coverage.threshold(numeric=False, kind="k")
        if threshold:
            kept = label_set(OUTCOMES, said.tolist(), threshold, LEVEL).outcomes
            covered.append(OUTCOMES[happened] in kept)
            sizes.append(len(kept))
        coverage.learn(False, "k", said, one_hot(happened, 4))
    assert np.mean(covered) == pytest.approx(LEVEL, abs=0.02)
    assert 1.0 < np.mean(sizes) < 4.0


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_intervals_of_numbers_cover_as_often_as_they_say(spread: float) -> None:
    grid = tuple(np.linspace(-4, 4, 65).tolist())
    chance, coverage, covered = np.random.default_rng(4), Coverage(), []
    cumulative = np.array([0.5 * (1 + math.erf(x / spread / math.sqrt(2))) for x in grid])
    masses = np.diff(np.concatenate([[0.0], cumulative, [1.0]]))
    numeric = numeric_result(Numeric(grid), masses.tolist())
    for _ in range(3000):
        value = float(chance.normal())
        threshold = coverage.threshold(numeric=True, kind="k")
        if threshold:
            found = number_interval(numeric, threshold, LEVEL)
            covered.append(found.low <= value <= found.high)
        coverage.learn(True, "k", masses, one_hot(int(np.searchsorted(grid, value)), len(masses)))
    assert np.mean(covered) == pytest.approx(LEVEL, abs=0.025)


def test_nothing_is_said_before_enough_is_known() -> None:
    coverage = Coverage()
    for _ in range(LEAST - 1):
        coverage.learn(False, "k", np.array([0.8, 0.2]), np.array([1.0, 0.0]))
    assert coverage.threshold(numeric=False, kind="k") == 0.0
    coverage.learn(False, "k", np.array([0.8, 0.2]), np.array([1.0, 0.0]))
    assert coverage.threshold(numeric=False, kind="k") == pytest.approx(0.2)
    assert coverage.threshold(numeric=True, kind="k") == 0.0


def test_a_kind_speaks_for_itself_once_it_has_enough() -> None:
    coverage = Coverage()
    for _ in range(ENOUGH):
        coverage.learn(False, "easy", np.array([0.99, 0.01]), np.array([1.0, 0.0]))
        coverage.learn(False, "hard", np.array([0.3, 0.7]), np.array([1.0, 0.0]))
    assert coverage.threshold(numeric=False, kind="easy") < 0.1
    assert coverage.threshold(numeric=False, kind="hard") == pytest.approx(0.7)
    assert coverage.threshold(numeric=False, kind="new") == pytest.approx(0.7)


def test_drift_is_followed() -> None:
    chance, coverage, covered = np.random.default_rng(5), Coverage(), []
    for step in range(4000):
        p = 0.95 if step < 2000 else 0.6
        said, happened = np.array([0.9, 0.1]), int(chance.random() > p)
        threshold = coverage.threshold(numeric=False, kind="k")
        if step >= 2500:
            kept = label_set(("A", "B"), said.tolist(), threshold, LEVEL).outcomes
            covered.append("AB"[happened] in kept)
        coverage.learn(False, "k", said, one_hot(happened, 2))
    assert np.mean(covered) >= LEVEL - 0.03


def test_the_level_rises_where_too_much_is_missed_and_never_falls_below_the_wanted_one() -> None:
    """Of late every second outcome is strange, which 3,000 easy ones hide from the quantile for long."""
    said, coverage = np.array([0.8, 0.2]), Coverage()
    for _ in range(3000):
        coverage.learn(False, "k", said, one_hot(0, 2))
    assert coverage.threshold(numeric=False, kind="k") == pytest.approx(0.2)
    for step in range(200):
        coverage.learn(False, "k", said, one_hot(step % 2, 2))
    assert coverage.threshold(numeric=False, kind="k") == pytest.approx(0.8)


def test_outcomes_of_one_shock_promise_less_than_independent_ones() -> None:
    """The same 60 outcomes: of 60 days they allow a tighter set than of one day."""
    chance = np.random.default_rng(8)
    alone, together = Coverage(), Coverage()
    for p in chance.uniform(0.5, 1.0, 60):
        said = np.array([p, 1.0 - p])
        alone.learn(False, "k", said, one_hot(0, 2))
        together.learn(False, "k", said, one_hot(0, 2), ("market", 7))
    threshold, careful = (each.threshold(numeric=False, kind="k") for each in (alone, together))
    assert 0.4 < threshold < careful


def test_a_day_that_is_forgotten_counts_no_more() -> None:
    coverage = Coverage()
    for step in range(WINDOW + 100):
        coverage.learn(False, "k", np.array([0.9, 0.1]), one_hot(0, 2), ("market", step // 10))
    group = coverage._groups["labels", "k"]
    assert len(group.scores) == len(group.shocks) == sum(group.sizes.values()) == WINDOW
    assert ("market", 0) not in group.sizes


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6), st.floats(0.0, 1.0))
def test_sets_are_never_empty_and_hold_the_most_probable(weights: list[float], threshold: float) -> None:
    p = np.array(weights) / sum(weights)
    names = [f"o{i}" for i in range(len(p))]
    kept = label_set(names, p.tolist(), threshold, 0.9).outcomes
    assert kept[0] == names[int(p.argmax())]
    assert 0.0 <= doubt(p.tolist()) <= 0.5
    assert 0.0 <= strangeness(False, p, one_hot(0, len(p))) <= 1.0


def test_doubt_is_the_expected_brier_score() -> None:
    assert doubt((0.7, 0.3)) == pytest.approx(0.7 * 0.3)


def test_an_interval_that_reaches_into_a_tail_is_open() -> None:
    numeric = numeric_result(Numeric((0.0, 1.0)), (0.2, 0.6, 0.2))
    found = number_interval(numeric, 0.9, LEVEL)
    assert (found.low, found.high) == (-math.inf, math.inf)
    inner = number_interval(numeric, 0.3, LEVEL)
    assert (inner.low, inner.high) == pytest.approx((0.25, 0.75))
