# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from server.learning.greedy import costs_of, in_order

SIZES = st.integers(1, 6)


def moments_of(count: int, seed: int) -> np.ndarray:
    errors = np.random.default_rng(seed).normal(size=(8, count))
    return errors.T @ errors / 8


def mean_loss(moments: np.ndarray, chosen: list[int]) -> float:
    """Expected squared error of the plain mean, straight from its definition."""
    return sum(moments[i, j] for i, j in itertools.product(chosen, chosen)) / len(chosen) ** 2


@given(SIZES, st.integers(0, 1000))
def test_each_is_the_best_beside_those_before_it(count: int, seed: int) -> None:
    moments = moments_of(count, seed)
    order = in_order(moments, np.ones(count))
    assert sorted(order) == list(range(count))
    for place in range(count):
        losses = [mean_loss(moments, [*order[:place], other]) for other in order[place:]]
        assert losses[0] == pytest.approx(min(losses))


@given(SIZES, st.integers(0, 1000))
def test_with_a_least_gain_of_zero_every_answer_does_good(count: int, seed: int) -> None:
    moments = moments_of(count, seed)
    order = in_order(moments, np.ones(count), least_gain=0.0)
    losses = [mean_loss(moments, order[: place + 1]) for place in range(len(order))]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    others = [mean_loss(moments, [*order, other]) for other in range(count) if other not in order]
    assert all(other >= losses[-1] - 1e-12 for other in others)


@given(SIZES, st.integers(1, 6), arrays(np.float64, 6, elements=st.floats(0.0, 10.0)))
def test_never_more_than_most_whatever_they_cost(count: int, most: int, costs: np.ndarray) -> None:
    names = [f"m{i}" for i in range(count)]
    prices = costs_of(names, dict(zip(names, costs.tolist(), strict=False)))
    order = in_order(moments_of(count, 3), prices, most)
    assert len(order) == len(set(order)) == min(count, most)


def test_a_copy_does_no_good() -> None:
    moments = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.1]])
    assert in_order(moments, np.ones(3), least_gain=0.0) == [0, 2]


def test_whoever_harms_one_may_help_two() -> None:
    """The third makes the first alone worse, and makes up for the errors of the second."""
    moments = np.array([[1.0, 0.0, 0.0], [0.0, 1.5, -1.0], [0.0, -1.0, 3.2]])
    assert mean_loss(moments, [0, 2]) > mean_loss(moments, [0])
    assert in_order(moments, np.ones(3), least_gain=0.0) == [0, 1, 2]


def test_harm_is_not_made_small_by_a_high_price() -> None:
    """Both of those left do the same harm; the dearer one comes last."""
    moments = np.diag([1.0, 10.0, 10.0])
    assert in_order(moments, np.array([1.0, 50.0, 1.0])) == [0, 2, 1]


def test_nobody_has_no_order() -> None:
    assert in_order(np.zeros((0, 0)), np.zeros(0)) == []
