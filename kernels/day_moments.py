# SPDX-License-Identifier: Apache-2.0
"""Rolling z-score: mean and deviation of each column over the previous days.

Rows of the present day never enter the numbers that scale them, so a stream
and a replay agree and nothing leaks. Source: Lucchese, Pakkanen & Veraart
2024, Int. J. Forecasting 40(4), arXiv 2211.13777 (five days).
"""

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import checked
from kernels._jit import kernel
from kernels.scaling import ColumnScaling

DAYS = 5

Singles = NDArray[np.float32]
Reals = NDArray[np.float64]


@kernel("void(f4[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], i8)")
def add_rows(x: Singles, count: Reals, mean: Reals, squares: Reals, day: int) -> None:
    """Enter R rows (R, C) into one day's moments, by Welford's recurrence; NaN is skipped by column.

    count, mean, squares (days, C) in slot ``day``: values, their mean, squared distances from it.
    Source: Welford 1962, Technometrics 4(3).
    """
    columns = x.shape[1]
    for r in range(x.shape[0]):
        for c in range(columns):
            value = np.float64(x[r, c])
            if value == value:  # noqa: PLR0124 - the NaN test
                count[day, c] += 1.0
                away = value - mean[day, c]
                mean[day, c] += away / count[day, c]
                squares[day, c] += away * (value - mean[day, c])


class RollingMoments:
    """Moments of C columns over the last ``days`` complete days; feed rows in time order."""

    __slots__ = ("_count", "_day", "_mean", "_slots", "_squares")

    def __init__(self, columns: int, *, days: int = DAYS) -> None:
        """Raises ValueError where either number is below 1."""
        if columns < 1 or days < 1:
            raise ValueError(f"columns, days: {columns}, {days}; both must be at least 1")
        self._slots = days + 1
        self._count, self._mean, self._squares = (np.zeros((self._slots, columns)) for _ in range(3))
        self._day: int | None = None

    def add(self, x: Singles, *, day: int) -> None:
        """Enter rows (R, C) float32 of one day, a whole number such as days since the epoch.

        NaN is skipped by column. Days may be missing, not go back.

        Raises:
            ValueError: where ``x`` does not fit or ``day`` is earlier than the last.
        """
        checked("x", x, np.float32, (None, self._mean.shape[1]))
        if self._day is not None and day < self._day:
            raise ValueError(f"day: {day} is before {self._day}; feed rows in time order")
        self._open(day)
        add_rows(x, self._count, self._mean, self._squares, day % self._slots)

    def scaling(self, *, day: int) -> ColumnScaling:
        """Mean and population deviation of the ``days`` days before ``day``.

        A column without a value, or that is constant, has scale 1 (and centre 0 without a value).

        Raises:
            ValueError: where ``day`` is neither the last day fed nor the one after.
        """
        if self._day is None or day not in (self._day, self._day + 1):
            raise ValueError(f"day: {day}; ask for the day being fed or the next one ({self._day})")
        used = [d % self._slots for d in range(day - self._slots + 1, day)]
        count = self._count[used]
        total = count.sum(0)
        some = np.maximum(total, 1.0)
        centre = (count * self._mean[used]).sum(0) / some
        squares = (self._squares[used] + count * (self._mean[used] - centre) ** 2).sum(0)
        deviation = np.sqrt(squares / some)
        return ColumnScaling(centre, np.where(deviation > 0, deviation, 1.0))

    def _open(self, day: int) -> None:
        """Clear the slots of the days that begin."""
        if self._day is None:
            self._day = day
        for begun in range(max(self._day + 1, day - self._slots + 1), day + 1):
            slot = begun % self._slots
            for moments in (self._count, self._mean, self._squares):
                moments[slot] = 0.0
        self._day = day
