# SPDX-License-Identifier: Apache-2.0
"""The value of asking on, against simulation and arithmetic."""

import math

import numpy as np
import pytest

from server.engine.worth import PRIOR_VARIANCE, Scatter, Worth

NAN = math.nan


def asks_on(p: list[float], waiting: int, price: float, loss: float = 1.0) -> bool:
    rows = np.array([[x, 1 - x] for x in p] + [[NAN, NAN]] * waiting)
    out = np.array([False] * len(p) + [True] * waiting)
    pooled = np.array(p).mean()
    worth = Worth(loss, [price] * len(rows), range(len(rows)), Scatter())
    return worth.asks_on(rows, (pooled, 1 - pooled), out, np.ones(len(rows)))


def test_the_saving_is_that_of_the_formula() -> None:
    # One answer: s² is the prior; the next one halves the variance of the mean.
    saving = (0.25**2) * PRIOR_VARIANCE * (1 - 1 / 2)
    assert asks_on([0.5], 1, saving * 0.99)
    assert not asks_on([0.5], 1, saving * 1.01)
    assert asks_on([0.5], 1, saving * 99, loss=100.0)


def test_certainty_and_agreement_end_the_asking() -> None:
    price = 0.004
    assert asks_on([0.5, 0.6], 3, price)
    assert not asks_on([0.98, 0.985], 3, price)
    assert asks_on([0.2, 0.8, 0.5], 3, price)
    assert not asks_on([0.5] * 12, 3, price)


def test_nobody_left_is_nothing_to_wait_for() -> None:
    assert not asks_on([0.5, 0.5], 0, 0.0)


def test_a_dear_next_one_does_not_hide_a_cheap_pair_behind_it() -> None:
    rows = np.array([[0.5, 0.5], *[[NAN, NAN]] * 20])
    out = np.array([False] + [True] * 20)
    prices = [0.0, 0.02, *[0.0] * 19]
    worth = Worth(1.0, prices, range(21), Scatter())
    assert worth.asks_on(rows, (0.5, 0.5), out, np.ones(21))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scatter_finds_the_variance_of_the_members(seed: int) -> None:
    source = np.random.default_rng(seed)
    scatter = Scatter()
    for _ in range(400):
        logs = source.normal(source.normal(), 0.4, size=(6, 1))
        yes = 1 / (1 + np.exp(-logs))
        scatter.add(np.hstack([yes, 1 - yes]))
    assert scatter.variance == pytest.approx(0.16, rel=0.15)


def test_the_variance_of_the_move_is_the_fall_in_brier() -> None:
    """By simulation: members around truths; the mean of n + 1 beats that of n by the formula."""
    source = np.random.default_rng(1)
    n, s, draws = 3, 0.3, 400_000
    # A flat prior around zero in log-odds: the mean of the answers is the posterior's mean.
    truth = source.uniform(-0.4, 0.4, draws)
    answers = truth[:, None] + source.normal(0.0, s, (draws, n + 1))
    p = 1 / (1 + np.exp(-truth))
    few, more = (1 / (1 + np.exp(-answers[:, :k].mean(axis=1))) for k in (n, n + 1))
    saved = ((few - p) ** 2 - (more - p) ** 2).mean()
    formula = 0.25**2 * s**2 * (1 / n - 1 / (n + 1))
    assert saved == pytest.approx(formula, rel=0.1)
