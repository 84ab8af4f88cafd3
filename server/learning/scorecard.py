# SPDX-License-Identifier: Apache-2.0
"""One outcome as numbers that can be added up and taken away again without a rest.

All sums are 64-bit integers in billionths: adding an outcome to a window and
taking it out a month later leaves exactly what was there before.
Shapes: M members, C outcomes, S sums.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import Floats, log_odds, normalised

BILLION = 1_000_000_000
BINS = 10


class Sum(IntEnum):
    """Places in a row of sums; behind them, BINS times (answers, said, happened)."""

    ANSWERS = 0
    CORRECT = 1
    BRIER = 2
    LOG = 3
    SAID = 4
    HAPPENED = 5
    SAID_SQUARED = 6
    SAID_AND_HAPPENED = 7
    EXCESS = 8
    WITHOUT = 9
    POOLS = 10
    GAINS = 11
    LOSSES = 12
    BETS = 13
    SECONDS = 14
    TIMED = 15
    USD = 16
    PRICED = 17


FIRST_BIN = len(Sum)
SUMS = FIRST_BIN + 3 * BINS
Sums = NDArray[np.int64]


def scorecard(
    probabilities: Floats,
    outcome: Floats,
    weights: Floats,
    *,
    price: float | None = None,
    seconds: Floats | None = None,
    usd: Floats | None = None,
) -> Sums:
    """(M, S): what one outcome adds to each member's sums; a row of zeros for the absent.

    ``probabilities`` (M, C), NaN rows absent; ``outcome`` (C,) sums to 1; ``weights`` (M,)
    those of the pool. Accuracy counts half where two outcomes tie. Calibration is
    that of the first of two outcomes, else of the member's own choice. ``price``: of
    the first outcome, for gains and losses of one unit bet on whichever side the
    member thought too cheap. ``seconds``, ``usd`` (M,): NaN where unknown.
    """
    present = ~np.isnan(probabilities[:, 0])
    p = np.where(present[:, None], probabilities, 1.0 / probabilities.shape[1])
    sums = np.zeros((len(p), SUMS))
    _score(sums, p, outcome, present)
    _calibrate(sums, p, outcome)
    sums[:, Sum.WITHOUT], sums[:, Sum.POOLS] = _without(p, outcome, weights, present)
    if price is not None and 0.0 < price < 1.0:
        _bet(sums, p[:, 0], float(outcome[0]), price)
    _spend(sums, Sum.SECONDS, Sum.TIMED, seconds)
    _spend(sums, Sum.USD, Sum.PRICED, usd)
    return np.asarray(np.rint(np.where(present[:, None], sums, 0.0) * BILLION), dtype=np.int64)


def _score(sums: Floats, p: Floats, outcome: Floats, present: NDArray[np.bool_]) -> None:
    brier = 0.5 * ((p - outcome) ** 2).sum(axis=1)
    chosen = p >= p.max(axis=1, keepdims=True)
    sums[:, Sum.ANSWERS] = 1.0
    sums[:, Sum.CORRECT] = (chosen * outcome).sum(axis=1) / chosen.sum(axis=1)
    sums[:, Sum.BRIER] = brier
    sums[:, Sum.LOG] = -(outcome * np.log(np.clip(p, 1e-6, 1.0))).sum(axis=1)
    if present.sum() > 1:
        sums[:, Sum.EXCESS] = brier - brier[present].mean()


def _calibrate(sums: Floats, p: Floats, outcome: Floats) -> None:
    if p.shape[1] == 2:
        said, happened = p[:, 0], np.full(len(p), outcome[0])
    else:
        said, happened = p.max(axis=1), outcome[p.argmax(axis=1)]
    sums[:, Sum.SAID], sums[:, Sum.HAPPENED] = said, happened
    sums[:, Sum.SAID_SQUARED], sums[:, Sum.SAID_AND_HAPPENED] = said * said, said * happened
    bins = FIRST_BIN + 3 * np.minimum((said * BINS).astype(int), BINS - 1)
    members = np.arange(len(p))
    sums[members, bins] = 1.0
    sums[members, bins + 1], sums[members, bins + 2] = said, happened


def _without(
    p: Floats, outcome: Floats, weights: Floats, present: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """(M,): how much higher the Brier score of the log-odds pool is without each member; and 1 if known."""
    if present.sum() < 2:
        return np.zeros(len(p)), np.zeros(len(p))
    shares = normalised(weights, present[None, :])[0]
    logs = log_odds(p) if p.shape[1] == 2 else np.log(np.clip(p, 1e-6, 1.0))
    pool = shares @ logs
    others = (pool - shares[:, None] * logs) / np.maximum(1.0 - shares, 1e-9)[:, None]
    scale = 0.5 if p.shape[1] == 2 else 1.0  # both columns of log-odds hold the same thing
    with_all, without = (0.5 * ((_softmax(scale * x) - outcome) ** 2).sum(axis=-1) for x in (pool, others))
    return without - with_all, np.ones(len(p))


def _softmax(logs: Floats) -> Floats:
    raised = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _bet(sums: Floats, said: Floats, happened: float, price: float) -> None:
    """One unit of money on YES at the price or on NO at one minus it, whichever seems too cheap."""
    yes = happened / price - 1.0
    no = (1.0 - happened) / (1.0 - price) - 1.0
    profit = np.where(said > price, yes, np.where(said < price, no, 0.0))
    sums[:, Sum.GAINS], sums[:, Sum.LOSSES] = np.maximum(profit, 0.0), np.maximum(-profit, 0.0)
    sums[:, Sum.BETS] = said != price


def _spend(sums: Floats, total: Sum, count: Sum, values: Floats | None) -> None:
    if values is not None:
        known = ~np.isnan(values)
        sums[:, total], sums[:, count] = np.where(known, values, 0.0), known
