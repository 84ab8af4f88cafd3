# SPDX-License-Identifier: Apache-2.0
"""An account that opens positions on one day and settles them on another; and how it fared."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.research.backtest.kelly import Positions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAYS_PER_WEEK = 7
WEEKS_PER_YEAR = 365.25 / DAYS_PER_WEEK


@dataclass(frozen=True, slots=True)
class Bets:
    """N questions: the days on which they are asked and settled, whether YES happened, their clusters."""

    opened: Integers
    settled: Integers
    happened: Floats
    cluster: Integers

    def rows(self, which: Integers) -> "Bets":
        """Some of them, in that order, perhaps more than once."""
        return Bets(self.opened[which], self.settled[which], self.happened[which], self.cluster[which])


@dataclass(frozen=True, slots=True)
class Fared:
    """How an account fared, from an equity of 1.

    ``total_return``: profit over the whole period. ``sharpe``, ``sortino``: of weekly
    returns, annualised, against doing nothing; None where nothing moved. ``drawdown``: largest
    fall from a peak, a share of it. ``win_rate``: share of positions that paid.
    ``turnover``: sum of stakes over the first equity.
    """

    positions: int
    total_return: float
    sharpe: float | None
    sortino: float | None
    drawdown: float
    win_rate: float | None
    turnover: float

    def as_json(self) -> dict[str, Any]:
        """Rounded, as a JSON object."""
        return {k: round(v, 6) + 0.0 if isinstance(v, float) else v for k, v in asdict(self).items()}


def fare(bets: Bets, taken: Positions) -> Fared:
    """Run the account through the days.

    On each day first what is due is settled, then positions are opened as shares of
    the equity, open positions at cost; all of a day are scaled down together where
    they need more than there is. There are no prices in between, so the
    equity moves only when a question is settled.
    """
    stakes = np.zeros(len(bets.opened))
    equity, cash = 1.0, 1.0
    marks = [(int(bets.opened.min()), 1.0)]
    for day in np.unique(np.concatenate([bets.opened, bets.settled])).tolist():
        due = np.flatnonzero((bets.settled == day) & (stakes > 0.0))
        if len(due):
            paid = _paid(bets, taken, due) * stakes[due]
            cash += float(paid.sum())
            equity += float((paid - stakes[due]).sum())
            marks.append((day, equity))
        new = np.flatnonzero((bets.opened == day) & (taken.share > 0.0))
        wanted = taken.share[new] * max(equity, 0.0)
        scale = min(1.0, max(cash, 0.0) / wanted.sum()) if wanted.sum() > 0.0 else 0.0
        stakes[new] = wanted * scale
        cash -= float(stakes[new].sum())
    held = np.flatnonzero(stakes > 0.0)
    return _fared(bets, taken, stakes, held, marks)


def _paid(bets: Bets, taken: Positions, which: Integers) -> Floats:
    """What a staked dollar comes back as."""
    won = np.where(taken.side[which] > 0.0, bets.happened[which], 1.0 - bets.happened[which])
    return np.asarray(won / taken.cost[which])


def _fared(
    bets: Bets, taken: Positions, stakes: Floats, held: Integers, marks: list[tuple[int, float]]
) -> Fared:
    curve = np.array([equity for _, equity in marks])
    weekly = weekly_returns(marks, int(bets.settled.max()))
    paid = _paid(bets, taken, held)
    return Fared(
        positions=len(held),
        total_return=float(curve[-1] - 1.0),
        sharpe=_ratio(weekly, float(np.std(weekly, ddof=1)) if len(weekly) > 1 else 0.0),
        sortino=_ratio(weekly, float(np.sqrt(np.mean(np.minimum(weekly, 0.0) ** 2))) if len(weekly) else 0.0),
        drawdown=float((1.0 - curve / np.maximum.accumulate(curve)).max()),
        win_rate=float((paid > 1.0).mean()) if len(held) else None,
        turnover=float(stakes.sum()),
    )


def weekly_returns(marks: list[tuple[int, float]], last: int) -> Floats:
    """Returns of whole weeks from the first mark on; a week in which nothing is settled returns 0."""
    first = marks[0][0]
    weeks = max(1, math.ceil((last - first) / DAYS_PER_WEEK))
    ends = np.ones(weeks + 1)
    for day, equity in marks[1:]:
        ends[max(1, math.ceil((day - first) / DAYS_PER_WEEK)) :] = equity
    return np.asarray(np.diff(ends) / np.maximum(ends[:-1], 1e-12))


def _ratio(weekly: Floats, risk: float) -> float | None:
    return float(weekly.mean() / risk * math.sqrt(WEEKS_PER_YEAR)) if risk > 1e-12 else None
