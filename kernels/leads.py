# SPDX-License-Identifier: Apache-2.0
"""How far one outcome leads another at the least, when some members may still say anything.

Shapes: M members, C outcomes. ``gaps`` (C, C): the least that the score of
outcome a can lead that of b by, in the method's own scale (probability, votes
or log probability). ``low`` and ``high`` (C,): limits of the probabilities.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.methods import LOG_HIGH, LOG_LOW, TIE
from kernels.pools import fill

#: The most that two log probabilities can differ by.
SPAN = LOG_HIGH - LOG_LOW


@part()
def add_rows(rows: Matrix, w: Vector, sums: Vector) -> float:
    """Sums (C,) = Σ w rows over those heard; returns Σ w. rows (M, C), w (M,)."""
    fill(sums, 0.0)
    heard = 0.0
    for i in range(w.shape[0]):
        if w[i] > 0.0:
            heard += w[i]
            for c in range(sums.shape[0]):
                sums[c] += w[i] * rows[i, c]
    return heard


@part()
def gaps_of_mean(sums: Vector, heard: float, still: float, span: float, gaps: Matrix) -> None:
    """Least leads of the weighted mean sums / heard when weight ``still`` may say anything.

    Somebody still out does the most harm by giving one outcome all and the
    other nothing, ``span`` apart. That lies below any mean, so it is the worse
    the more of them do so: all of them is the worst.
    """
    for a in range(gaps.shape[0]):
        for b in range(gaps.shape[0]):
            gaps[a, b] = (sums[a] - sums[b] - still * span) / (heard + still) if a != b else 0.0


@part()
def limits_of_mean(sums: Vector, heard: float, still: float, low: Vector, high: Vector) -> None:
    """Least and greatest mean of each column when weight ``still`` may say 0 or 1."""
    for c in range(low.shape[0]):
        low[c] = sums[c] / (heard + still)
        high[c] = (sums[c] + still) / (heard + still)


@part()
def limits_of_softmax(gaps: Matrix, low: Vector, high: Vector) -> None:
    """Least and greatest probability of each outcome from least leads of log probabilities."""
    for c in range(low.shape[0]):
        least = 1.0
        most = 1.0
        for k in range(low.shape[0]):
            if k != c:
                least += math.exp(min(-gaps[c, k], 700.0))
                most += math.exp(min(gaps[k, c], 700.0))
        low[c] = 1.0 / least
        high[c] = 1.0 / most


@part()
def limits_of_shares(low: Vector, high: Vector) -> None:
    """Turn limits of outcomes that are normalised afterwards into limits of their shares, in place."""
    outcomes = low.shape[0]
    if outcomes == 2:
        return  # binary medians, trimmed means and beta transforms sum to 1 by themselves
    all_low = 0.0
    all_high = 0.0
    for c in range(outcomes):
        all_low += low[c]
        all_high += high[c]
    for c in range(outcomes):
        own_low, own_high = low[c], high[c]
        most_others = all_high - own_high
        least_others = all_low - own_low
        low[c] = own_low / (own_low + most_others) if own_low > 0.0 else 0.0
        high[c] = own_high / (own_high + least_others) if own_high > 0.0 else 0.0


@part()
def gaps_of_limits(low: Vector, high: Vector, gaps: Matrix) -> None:
    """Least leads from limits alone."""
    for a in range(low.shape[0]):
        for b in range(low.shape[0]):
            gaps[a, b] = low[a] - high[b] if a != b else 0.0


@part()
def anything(gaps: Matrix, low: Vector, high: Vector) -> None:
    """Nothing is known: every probability, every choice."""
    fill(low, 0.0)
    fill(high, 1.0)
    gaps[:, :] = -math.inf


@part()
def stretch(gaps: Matrix, factor: float) -> None:
    """Multiply every lead, in place."""
    for a in range(gaps.shape[0]):
        for b in range(gaps.shape[0]):
            gaps[a, b] *= factor


@part()
def can_lose(gaps: Matrix, chosen: int) -> bool:
    """Whether another outcome may still be chosen; a tie that the chosen one wins is no loss."""
    outcomes = gaps.shape[0]
    for b in range(outcomes):
        wins_ties = chosen == 1 if outcomes == 2 else chosen < b
        least = -0.5 * TIE if wins_ties else 16.0 * outcomes * TIE
        if b != chosen and not gaps[chosen, b] > least:
            return True
    return False


@part()
def must_lead(gaps: Matrix) -> bool:
    """Whether some outcome leads all others whatever is still said."""
    for a in range(gaps.shape[0]):
        least = math.inf
        for b in range(gaps.shape[0]):
            if b != a:
                least = min(least, gaps[a, b])
        if least > 16.0 * TIE:
            return True
    return False
