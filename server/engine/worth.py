# SPDX-License-Identifier: Apache-2.0
"""Whether asking on is worth its price: what it saves in expectation against what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Variance of members' log-odds on one question before any was seen, and how many answers that is worth.
PRIOR_VARIANCE, PRIOR_ANSWERS = 0.5, 20.0
#: Answers that the ensemble's usual scatter is worth on one question.
USUAL_ANSWERS = 3.0
#: Probabilities are held this far from 0 and 1.
CLAMP = 1e-3


@dataclass(slots=True)
class Scatter:
    """How far an ensemble's members are apart on one question: learned from answers, needs no outcome."""

    _squares: float = PRIOR_VARIANCE * PRIOR_ANSWERS
    _answers: float = PRIOR_ANSWERS

    def add(self, probabilities: Floats) -> None:
        """Take note of one question's answers (M, C), NaN rows absent; fewer than two teach nothing."""
        squares, present = _squares(probabilities)
        if present > 1:
            self._squares += float(squares.mean())
            self._answers += present - 1

    @property
    def variance(self) -> float:
        """Usual variance of the members' log-odds around their mean."""
        return self._squares / self._answers


@dataclass(frozen=True, slots=True)
class Worth:
    """The price and the expected saving of asking on, for one question.

    The members' log-odds scatter around their common mean with the variance s²,
    the ensemble's usual one drawn towards that of the answers in hand. Asking
    more moves the pooled log-odds by a variance of s² (Σw²/(Σw)² now − the same
    then), the probability p by (p(1 − p))² times that; and the expected Brier
    score of a pool that uses its answers well falls by exactly the variance of
    its move. With more than two outcomes the outcomes' savings are added up and
    halved, so that two outcomes are the binary case.

    ``loss_usd`` is what a Brier score of 1 costs. ``prices_usd`` (M,) of one call
    each; ``order``: who would be asked next.
    Source: the law of total variance; Howard (1966), Information value theory.
    """

    loss_usd: float
    prices_usd: Sequence[float]
    order: Sequence[int]
    scatter: Scatter

    def asks_on(
        self, probabilities: Floats, pooled: Sequence[float], waiting: NDArray[np.bool_], weights: Floats
    ) -> bool:
        """Whether some number of those still out, next first, saves more than it costs.

        ``probabilities`` (M, C) with NaN rows for the absent, ``pooled`` (C,).
        """
        heard = ~np.isnan(probabilities[:, 0])
        total, square = float(weights[heard].sum()), float((weights[heard] ** 2).sum())
        if total <= 0.0:
            return True
        saving = self._saving_of_a_variance(probabilities, pooled)
        now, price = square / total**2, 0.0
        for index in self.order:
            if not waiting[index]:
                continue
            total, square = total + weights[index], square + weights[index] ** 2
            price += self.prices_usd[index]
            if saving * max(now - square / total**2, 0.0) > price:
                return True
        return False

    def _saving_of_a_variance(self, probabilities: Floats, pooled: Sequence[float]) -> float:
        """USD saved when the pool's variance falls by one s², summed over the outcomes."""
        squares, present = _squares(probabilities)
        variance = (USUAL_ANSWERS * self.scatter.variance + squares) / (USUAL_ANSWERS + max(present - 1, 0))
        p = np.array(pooled)
        return self.loss_usd * 0.5 * float(((p * (1.0 - p)) ** 2 * variance).sum())


def _squares(probabilities: Floats) -> tuple[Floats, int]:
    """(C,) squared distances of the present rows' log-odds from their mean, and how many there are."""
    rows = probabilities[~np.isnan(probabilities[:, 0])]
    if not len(rows):
        return np.zeros(probabilities.shape[1]), 0
    held = np.clip(rows, CLAMP, 1.0 - CLAMP)
    logs = np.log(held) - np.log1p(-held)
    return np.asarray(((logs - logs.mean(axis=0)) ** 2).sum(axis=0)), len(rows)
