# SPDX-License-Identifier: Apache-2.0
"""Performance tables against plain recomputation from the list of outcomes."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from server.learning.context import Context
from server.learning.rolling import WINDOWS
from server.learning.scorecard import BILLION, Sum, scorecard
from server.learning.standing import PRIOR_ANSWERS, Standings, parent_of

DAY = 86_400.0
MEMBERS = tuple(f"m{i}" for i in range(4))
CONTEXTS = [
    Context(category="Macro / money", horizon_days=5, regime="calm"),
    Context(category="Macro / money", horizon_days=50, regime="wild"),
    Context(category="Sports"),
    Context(),
]


def history(count=300, days=60.0, seed=0):
    chance = np.random.default_rng(seed)
    made = []
    for t in np.sort(chance.uniform(0, days * DAY, size=count)):
        p = chance.uniform(0.01, 0.99, size=4)
        matrix = np.column_stack([p, 1 - p])
        matrix[chance.random(4) < 0.2] = np.nan
        y = float(chance.random() < np.nanmean(matrix[:, 0])) if not np.isnan(matrix[:, 0]).all() else 0.0
        made.append((float(t), matrix, np.array([y, 1 - y]), CONTEXTS[int(chance.integers(0, 4))]))
    return made


def table(past, standings=None):
    standings = standings or Standings()
    for t, matrix, outcome, context in past:
        standings.add(t, MEMBERS, matrix, outcome, np.ones(4), context)
    return standings


def chosen(past, now, window, member, category="", horizon="", regime=""):
    place = MEMBERS.index(member)
    rows = [
        (matrix[place, 0], outcome[0])
        for t, matrix, outcome, context in past
        if t > now - WINDOWS[window]
        and not np.isnan(matrix[place, 0])
        and category in ("", context.category)
        and horizon in ("", context.horizon)
        and regime in ("", context.regime)
    ]
    return np.array(rows).T


@pytest.mark.parametrize("now_days", [60.0, 75.0, 200.0])
def test_every_row_is_that_of_its_outcomes(now_days):
    past, now = history(), now_days * DAY
    rows = list(table(past).rows(now))
    assert {row.window for row in rows} >= {"all"}
    for row in rows:
        p, y = chosen(past, now, row.window, row.member, row.category, row.horizon, row.regime)
        assert row.answers == len(p)
        assert row.bias == pytest.approx(p.mean() - y.mean(), abs=1e-8)
        if row.slope is not None and len(p) > 2:
            assert row.slope == pytest.approx(np.polyfit(p, y, 1)[0], rel=1e-5, abs=1e-6)
        bins = np.minimum((p * 10).astype(int), 9)
        gaps = sum(abs((p - y)[bins == b].sum()) for b in range(10))
        assert row.calibration_error == pytest.approx(gaps / len(p), abs=1e-7)


def test_scores_are_those_of_scikit_learn():
    past = history()
    sums = sum(scorecard(matrix, outcome, np.ones(4)) for _, matrix, outcome, _ in past) / BILLION
    for place, member in enumerate(MEMBERS):
        p, y = chosen(past, 0.0, "all", member)
        answers = sums[place, Sum.ANSWERS]
        assert sums[place, Sum.BRIER] / answers == pytest.approx(brier_score_loss(y, p))
        assert sums[place, Sum.LOG] / answers == pytest.approx(log_loss(y, p))
        assert sums[place, Sum.CORRECT] / answers == pytest.approx(accuracy_score(y, p > 0.5))


def test_windows_are_exact_however_much_has_come_and_gone():
    past = history(400, days=400)
    now = past[-1][0]
    long, short = table(past), table([one for one in past if one[0] > now - WINDOWS["30d"]])
    one, other = ({_key(row): row for row in rows.rows(now, ("24h", "7d", "30d"))} for rows in (long, short))
    assert one.keys() == other.keys()
    for key, row in one.items():
        assert (row.answers, row.bias, row.slope, row.calibration_error, row.contribution) == (
            other[key].answers,
            other[key].bias,
            other[key].slope,
            other[key].calibration_error,
            other[key].contribution,
        )
        assert row.brier == pytest.approx(other[key].brier, rel=1e-12)


def _key(row):
    return row.member, row.category, row.horizon, row.regime, row.window


def test_a_thin_cell_leans_on_the_wider_one():
    past = history(600)
    rows = {(r.member, r.category, r.horizon, r.regime): r for r in table(past).rows(60 * DAY, ("all",))}
    for row in rows.values():
        if row.category and not row.horizon and not row.regime:
            p, y = chosen(past, 0.0, "all", row.member, row.category)
            wider = rows[row.member, "", "", ""]
            wanted = (((p - y) ** 2).sum() + PRIOR_ANSWERS * wider.brier) / (len(p) + PRIOR_ANSWERS)
            assert row.brier == pytest.approx(wanted, abs=1e-7)


def test_a_restart_changes_nothing():
    past = history()
    whole = table(past)
    resumed = table(past[150:], Standings(table(past[:150]).state()))
    now = past[-1][0] + 5
    assert list(whole.rows(now)) == list(resumed.rows(now))


def test_contribution_is_the_loss_of_the_pool_without_the_member():
    p = np.array([0.9, 0.5, np.nan])
    card = scorecard(np.column_stack([p, 1 - p]), np.array([1.0, 0.0]), np.array([1.0, 1.0, 1.0]))
    pool = 1 / (1 + np.exp(-np.log(9) / 2))
    np.testing.assert_allclose(
        card[:, Sum.WITHOUT] / BILLION, [(0.5**2 - (1 - pool) ** 2), (0.1**2 - (1 - pool) ** 2), 0], atol=1e-8
    )


def test_many_outcomes_are_scored_by_the_member_s_own_choice():
    p = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]])
    card = scorecard(p, np.array([0.0, 1.0, 0.0]), np.ones(2)) / BILLION
    np.testing.assert_allclose(card[:, Sum.CORRECT], [1, 0])
    np.testing.assert_allclose(card[:, Sum.BRIER], 0.5 * ((p - [0, 1, 0]) ** 2).sum(1))
    np.testing.assert_allclose(card[:, Sum.SAID], [0.5, 0.4])
    np.testing.assert_allclose(card[:, Sum.HAPPENED], [1, 0])


def test_a_bet_pays_by_the_price():
    p = np.array([0.8, 0.1, 0.4])
    card = scorecard(np.column_stack([p, 1 - p]), np.array([1.0, 0.0]), np.ones(3), price=0.4) / BILLION
    np.testing.assert_allclose(card[:, Sum.GAINS], [1.5, 0, 0])
    np.testing.assert_allclose(card[:, Sum.LOSSES], [0, 1, 0])
    np.testing.assert_allclose(card[:, Sum.BETS], [1, 1, 0])


def test_latency_and_cost_count_only_where_they_are_known():
    standings = Standings()
    p = np.array([[0.6, 0.4], [0.7, 0.3]])
    for seconds, usd in ((1.0, 0.02), (3.0, np.nan)):
        standings.add(
            0.0,
            ("a", "b"),
            p,
            np.array([1.0, 0.0]),
            np.ones(2),
            Context(),
            seconds=np.array([seconds, np.nan]),
            usd=np.array([usd, np.nan]),
        )
    a, b = standings.rows(1.0, ("all",))
    assert (a.mean_latency_s, a.mean_cost_usd) == (2.0, 0.02)
    assert (b.mean_latency_s, b.mean_cost_usd) == (None, None)
    assert a.profit_factor is None


def test_an_outcome_counts_in_every_combination_of_its_parts():
    """A regime alone, or a horizon in a regime whatever the category, is a cell, too."""
    past = history(200)
    rows = {(r.member, r.category, r.horizon, r.regime): r for r in table(past).rows(60 * DAY, ("all",))}
    for cell in (("", "", "wild"), ("", "<=60d", "wild"), ("Macro / money", "", "calm"), ("", "<=10d", "")):
        for member in MEMBERS:
            p, y = chosen(past, 0.0, "all", member, *cell)
            row = rows[(member, *cell)]
            assert row.answers == len(p)
            assert row.bias == pytest.approx((p - y).mean(), abs=1e-8)


def test_parents_of_cells():
    cell = "\x1f".join(("c", "h", "r"))
    chain = []
    while cell is not None:
        chain.append(cell.split("\x1f"))
        cell = parent_of(cell)
    assert chain == [["c", "h", "r"], ["c", "h", ""], ["c", "", ""], ["", "", ""]]
    assert parent_of("\x1f".join(("", "", "r"))) == "\x1f".join(("", "", ""))
    assert parent_of("\x1f".join(("c", "", "r"))) == "\x1f".join(("c", "", ""))
