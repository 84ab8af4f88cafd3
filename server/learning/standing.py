# SPDX-License-Identifier: Apache-2.0
"""How each member has done: by category, horizon and regime, over 24 h, 7 d, 30 d and all time."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from server.learning.batches import Floats
from server.learning.context import Context
from server.learning.rolling import WINDOWS, Event, RollingState, RollingSums
from server.learning.scorecard import BILLION, BINS, FIRST_BIN, Sum, Sums, scorecard

#: A cell with this many answers is believed half; the rest comes from its parent.
PRIOR_ANSWERS = 20.0
#: Between the parts of a cell's name.
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Standing:
    """One member in one cell over one window. Empty parts of the cell's name mean "all".

    ``accuracy``, ``brier``, ``log_score`` and ``excess`` (Brier score above the mean of those
    who answered the same questions) are shrunk towards the wider cell, and there
    towards the field; the others are plain, None where they mean nothing.
    ``slope`` is that of outcomes on probabilities, 1 is calibrated; ``bias`` is what was
    said minus what happened. ``contribution`` is how much worse the pool's Brier score
    is without the member.
    """

    member: str
    category: str
    horizon: str
    regime: str
    window: str
    answers: float
    accuracy: float
    brier: float
    log_score: float
    excess: float
    bias: float | None
    slope: float | None
    calibration_error: float | None
    contribution: float | None
    profit_factor: float | None
    mean_latency_s: float | None
    mean_cost_usd: float | None


class Standings:
    """The tables of all members, updated by each outcome in well under a millisecond."""

    def __init__(self, state: RollingState | None = None) -> None:
        self._sums = RollingSums(state)

    def state(self) -> RollingState:
        """All that is needed to go on after a restart."""
        return self._sums.state()

    def add(
        self,
        time_s: float,
        members: tuple[str, ...],
        probabilities: Floats,
        outcome: Floats,
        weights: Floats,
        context: Context,
        *,
        price: float | None = None,
        seconds: Floats | None = None,
        usd: Floats | None = None,
    ) -> None:
        """Score one question's answers, once its outcome has become known; see ``scorecard``.

        ``time_s``: when it became known, seconds since 1970, never falling.
        """
        card = scorecard(probabilities, outcome, weights, price=price, seconds=seconds, usd=usd)
        told = np.flatnonzero(card[:, Sum.ANSWERS])
        names = tuple(members[i] for i in told)
        self._sums.add(Event(time_s, names, cells_of(context), card[told]))

    def rows(self, now_s: float, windows: tuple[str, ...] = tuple(WINDOWS)) -> Iterator[Standing]:
        """Every member in every cell in which it has answered, as of now."""
        self._sums.forget(now_s)
        for window in windows:
            yield from self._window(window)

    def _window(self, window: str) -> Iterator[Standing]:
        totals = self._sums.totals(window)
        shrunk = _shrunk(totals, self._sums.cells)
        for m, member in enumerate(self._sums.members):
            for k, cell in enumerate(self._sums.cells):
                if totals[m, k, Sum.ANSWERS]:
                    yield _standing(member, cell, window, totals[m, k], shrunk[m, k])


def cells_of(context: Context) -> tuple[str, ...]:
    """Names of the cells that an outcome counts in: every combination of its category, horizon and regime."""
    parts = itertools.product(*(("", part) for part in (context.category, context.horizon, context.regime)))
    return tuple(dict.fromkeys(SEPARATOR.join(each) for each in parts))


def parent_of(cell: str) -> str | None:
    """The next wider cell, without the last of its parts; None for the widest."""
    parts = cell.split(SEPARATOR)
    for place in (2, 1, 0):
        if parts[place]:
            return SEPARATOR.join((*parts[:place], *("",) * (3 - place)))
    return None


_SHRUNK = (Sum.CORRECT, Sum.BRIER, Sum.LOG, Sum.EXCESS)


def _shrunk(totals: Sums, cells: tuple[str, ...]) -> Floats:
    """(M, K, 4): means of accuracy, Brier, log score and excess, each cell drawn towards its parent."""
    sums = totals[:, :, _SHRUNK] / BILLION
    answers = totals[:, :, Sum.ANSWERS] / BILLION
    place = {cell: k for k, cell in enumerate(cells)}
    means = np.zeros(sums.shape)
    for cell in sorted(cells, key=_depth):
        k = place[cell]
        parent = parent_of(cell)
        wider = place.get(parent) if parent is not None else None
        prior = means[:, wider] if wider is not None else _field(sums[:, k], answers[:, k])
        means[:, k] = (sums[:, k] + PRIOR_ANSWERS * prior) / (answers[:, k, None] + PRIOR_ANSWERS)
    return means


def _depth(cell: str) -> int:
    parent = parent_of(cell)
    return 0 if parent is None else 1 + _depth(parent)


def _field(sums: Floats, answers: Floats) -> Floats:
    """(4,): mean over all members' answers; nobody is in excess of the field."""
    mean = sums.sum(axis=0) / max(float(answers.sum()), 1.0)
    mean[_SHRUNK.index(Sum.EXCESS)] = 0.0
    return np.asarray(mean)


def _standing(member: str, cell: str, window: str, sums: Sums, shrunk: Floats) -> Standing:
    category, horizon, regime = cell.split(SEPARATOR)
    plain = (sums / BILLION).tolist()
    accuracy, brier, log_score, excess = shrunk.tolist()
    answers = plain[Sum.ANSWERS]
    return Standing(
        member=member,
        category=category,
        horizon=horizon,
        regime=regime,
        window=window,
        answers=answers,
        accuracy=accuracy,
        brier=brier,
        log_score=log_score,
        excess=excess,
        bias=(plain[Sum.SAID] - plain[Sum.HAPPENED]) / answers,
        slope=_slope(plain),
        calibration_error=_calibration_error(plain),
        contribution=_ratio(plain[Sum.WITHOUT], plain[Sum.POOLS]),
        profit_factor=_profit_factor(plain),
        mean_latency_s=_ratio(plain[Sum.SECONDS], plain[Sum.TIMED]),
        mean_cost_usd=_ratio(plain[Sum.USD], plain[Sum.PRICED]),
    )


def _ratio(total: float, count: float) -> float | None:
    return total / count if count else None


def _slope(sums: list[float]) -> float | None:
    """Least squares of outcomes on probabilities; None where all said the same."""
    count = sums[Sum.ANSWERS]
    spread = sums[Sum.SAID_SQUARED] - sums[Sum.SAID] ** 2 / count
    shared = sums[Sum.SAID_AND_HAPPENED] - sums[Sum.SAID] * sums[Sum.HAPPENED] / count
    return shared / spread if spread > 1e-6 else None


def _calibration_error(sums: list[float]) -> float:
    gaps = [abs(sums[FIRST_BIN + 3 * b + 1] - sums[FIRST_BIN + 3 * b + 2]) for b in range(BINS)]
    return math.fsum(gaps) / sums[Sum.ANSWERS]


def _profit_factor(sums: list[float]) -> float | None:
    """Gains over losses; None without a bet, infinite without a loss."""
    if not sums[Sum.BETS]:
        return None
    return sums[Sum.GAINS] / sums[Sum.LOSSES] if sums[Sum.LOSSES] else math.inf
