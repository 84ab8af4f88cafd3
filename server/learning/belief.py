# SPDX-License-Identifier: Apache-2.0
"""A Gaussian belief about named coefficients of a logistic regression."""

from collections.abc import Hashable, Sequence

import numpy as np

from kernels.sequential import learn_logistic, predict_logistic
from server.learning.batches import Floats, Integers

#: No coefficient in this place of a row.
NOTHING = -1
#: Standard deviation, in log-odds, of what moves all questions of one shock together. A market
#: that falls for a week, a month without news: e.g. 1.0 turns 50 % into 27 % or 73 %.
SHOCK_DEVIATION = 1.0


class Belief:
    """Coefficients by name, each with a Gaussian prior; new names come in as they are met."""

    def __init__(self, shock_deviation: float = SHOCK_DEVIATION) -> None:
        self._places: dict[Hashable, int] = {}
        self._mean = np.zeros(0)
        self._covariance = np.zeros((0, 0))
        self._shock_variance = shock_deviation**2

    def place(self, name: Hashable, mean: float, deviation: float) -> int:
        """Index of the coefficient; a new one begins at N(mean, deviation²)."""
        known = self._places.get(name)
        if known is not None:
            return known
        size = len(self._mean)
        self._places[name] = size
        self._mean = np.append(self._mean, mean)
        self._covariance = _bordered(self._covariance, np.array([deviation**2]))
        return size

    def coefficient(self, name: Hashable) -> tuple[float, float] | None:
        """Mean and standard deviation of a coefficient, None where it was never met."""
        place = self._places.get(name)
        if place is None:
            return None
        return float(self._mean[place]), float(np.sqrt(self._covariance[place, place]))

    def sums(self, places: Integers, values: Floats) -> tuple[Floats, Floats]:
        """Mean and variance (N,) of each row's sum; places and values are (N, K)."""
        totals, variances = np.empty(len(places)), np.empty(len(places))
        predict_logistic(places, values, self._mean, self._covariance, totals, variances)
        return totals, variances

    def means(self, places: Integers) -> Floats:
        """The coefficients' means at places (N, K); 0 where there is nothing."""
        if not len(self._mean):
            return np.zeros(places.shape)
        return np.asarray(np.where(places >= 0, self._mean[places], 0.0))

    def observe(
        self,
        places: Integers,
        values: Floats,
        outcomes: Floats,
        weights: Floats,
        shocks: Sequence[Hashable],
    ) -> None:
        """Learn from rows; each shock of two rows or more is integrated out.

        A shock is one more coefficient, N(0, shock_deviation²), that only its own
        rows have and that is forgotten afterwards.
        """
        size = len(self._mean)
        columns = _shock_columns(shocks, size)
        count = int(columns.max(initial=size - 1)) + 1 - size
        mean = np.append(self._mean, np.zeros(count))
        covariance = _bordered(self._covariance, np.full(count, self._shock_variance))
        learn_logistic(
            np.ascontiguousarray(np.column_stack([places, columns])),
            np.column_stack([values, np.ones(len(values))]),
            np.ascontiguousarray(outcomes),
            np.ascontiguousarray(weights),
            mean,
            covariance,
            np.empty(len(mean)),
        )
        self._mean = mean[:size].copy()
        self._covariance = covariance[:size, :size].copy()


def _bordered(covariance: Floats, variances: Floats) -> Floats:
    """The matrix with independent coefficients added at its end."""
    size, more = len(covariance), len(variances)
    wider = np.zeros((size + more, size + more))
    wider[:size, :size] = covariance
    wider[range(size, size + more), range(size, size + more)] = variances
    return wider


def _shock_columns(shocks: Sequence[Hashable], first: int) -> Integers:
    """(N,): the place of each row's shock, NOTHING for a row that shares it with nobody."""
    counts: dict[Hashable, int] = {}
    for shock in shocks:
        counts[shock] = counts.get(shock, 0) + 1
    shared = [shock for shock, count in counts.items() if count > 1 and shock is not None]
    place = {shock: first + index for index, shock in enumerate(shared)}
    return np.array([place.get(shock, NOTHING) for shock in shocks], dtype=np.int64)
