# SPDX-License-Identifier: Apache-2.0
"""Positions, accounts and weights against plain computations."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from server.research.backtest.account import Bets, fare, weekly_returns
from server.research.backtest.backtest import BUY_ALL, DO_NOTHING, ENSEMBLE, IN_SAMPLE, OPTIMISED, backtest
from server.research.backtest.kelly import Positions, Rules, positions
from server.research.backtest.optimise import best_weights
from server.research.errors import ResearchError
from server.research.grid.cell import Cell
from server.research.grid.recorded_data import read_panels_data
from tests.research.grid.samples import write_folder
from tests.research.samples import BEGIN

FREE = Rules(kelly_share=1.0, most_share=1.0, half_spread=0.0, least_price=0.0)
unit = st.floats(0.03, 0.97)


def array(*values):
    return np.array(values, dtype=np.float64)


@given(unit, unit)
def test_full_kelly_grows_fastest(probability, price):
    taken = positions(array(probability), array(price), array(1.0), FREE)
    cost, win = (price, probability) if probability > price else (1 - price, 1 - probability)

    def loss(share):
        return -(win * math.log1p(share * (1 / cost - 1)) + (1 - win) * math.log1p(-share))

    best = minimize_scalar(loss, bounds=(0.0, 1 - 1e-9), method="bounded", options={"xatol": 1e-9}).x
    assert taken.share[0] == pytest.approx(best, abs=1e-4)


@given(unit, unit, st.floats(0.0, 0.1), st.floats(0.0, 1.0))
def test_costs_and_doubt_only_make_positions_smaller(probability, price, half_spread, size):
    free = positions(array(probability), array(price), array(1.0), FREE).share[0]
    dear = Rules(kelly_share=1.0, most_share=1.0, half_spread=half_spread, least_price=0.0)
    assert positions(array(probability), array(price), array(size), dear).share[0] <= free + 1e-12


def test_nothing_is_staked_without_an_edge_a_price_or_a_decision():
    taken = positions(
        array(0.5, 0.505, np.nan, 0.9, 0.9, 0.9),
        array(0.5, 0.5, 0.5, np.nan, 0.5, 0.01),
        array(1, 1, 1, 1, 0, 1),
        Rules(),
    )
    assert taken.share.tolist() == [0.0] * 6
    assert taken.side.tolist() == [0.0] * 6


def bets(opened, settled, happened):
    return Bets(np.array(opened), np.array(settled), array(*happened), np.arange(len(opened)))


def test_an_account_by_hand():
    """20 % on YES at .5 wins; then 50 % of 1.2 on NO at .25 loses."""
    taken = Positions(array(1, -1), array(0.5, 0.25), array(0.2, 0.5))
    fared = fare(bets([0, 7], [7, 14], [1, 1]), taken)
    assert fared.total_return == pytest.approx(1.2 - 0.6 - 1.0)
    assert fared.drawdown == pytest.approx(0.5)
    assert fared.win_rate == 0.5
    assert fared.turnover == pytest.approx(0.8)
    weekly = array(0.2, -0.5)
    assert fared.sharpe == pytest.approx(weekly.mean() / weekly.std(ddof=1) * math.sqrt(365.25 / 7))
    assert fared.sortino == pytest.approx(weekly.mean() / math.sqrt(0.25 / 2) * math.sqrt(365.25 / 7))


def test_money_that_is_not_there_is_not_staked():
    taken = Positions(array(1, 1, 1), array(0.5, 0.5, 0.5), array(0.8, 0.8, 0.5))
    fared = fare(bets([0, 0, 3], [9, 9, 9], [0, 0, 1]), taken)
    assert fared.turnover == pytest.approx(1.0)
    assert fared.total_return == pytest.approx(-1.0)


@given(st.lists(st.floats(0.5, 1.5), min_size=1, max_size=20))
def test_weeks_compound_to_the_whole(levels):
    marks = [(0, 1.0), *((3 * (i + 1), level) for i, level in enumerate(levels))]
    weekly = weekly_returns(marks, marks[-1][0])
    assert float(np.prod(1.0 + weekly)) == pytest.approx(levels[-1])


def test_weights_are_those_of_a_general_optimiser():
    chance = np.random.default_rng(3)
    truth = chance.normal(0, 1.5, 200)
    happened = (chance.random(200) < 1 / (1 + np.exp(-truth))).astype(float)
    noise = chance.normal(0, [0.3, 1.0, 3.0], (200, 3))
    answers = 1 / (1 + np.exp(-(truth[:, None] + noise)))
    x = np.log(answers) - np.log1p(-answers)

    def loss(z):
        w = np.exp(z - z.max())
        w /= w.sum()
        p = 1 / (1 + np.exp(-(x @ w)))
        log_loss = -(happened * np.log(p) + (1 - happened) * np.log1p(-p)).mean()
        return log_loss + 0.05 * float((w * np.log(w * 3)).sum())

    z = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x
    want = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert best_weights(answers, happened) == pytest.approx(want, abs=2e-3)


def test_no_questions_teach_equal_weights_and_absent_members_break_nothing():
    assert best_weights(np.zeros((0, 4)), array()).tolist() == [0.25] * 4
    answers = np.array([[0.9, np.nan], [np.nan, 0.2], [np.nan, np.nan]])
    assert best_weights(answers, array(1, 0, 1)).sum() == pytest.approx(1.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_panels_data(write_folder(tmp_path_factory.mktemp("data") / "sample"))


@pytest.mark.parametrize(
    "split", [None, datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC) + timedelta(days=10)]
)
def test_every_strategy_is_tested_and_comes_out_again(data, split):
    first, second = (backtest(data, Cell(weighting="agreement"), Rules(), split) for _ in range(2))
    assert [one.as_json() for one in first] == [one.as_json() for one in second]
    by_name = {one.name: one for one in first}
    assert {ENSEMBLE, OPTIMISED, IN_SAMPLE, BUY_ALL, DO_NOTHING, "model-a"} <= by_name.keys()
    assert by_name[DO_NOTHING].fared.total_return == 0.0
    assert by_name[ENSEMBLE].minus_ensemble_interval == (0.0, 0.0)


def test_a_split_with_nothing_on_one_side_is_refused(data):
    with pytest.raises(ResearchError, match="nothing on one of its sides"):
        backtest(data, Cell(), Rules(), datetime(1990, 1, 1, tzinfo=UTC))
