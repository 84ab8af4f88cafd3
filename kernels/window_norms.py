# SPDX-License-Identifier: Apache-2.0
"""Normalisations whose numbers come from the window itself, written for vectors.

A window is (100, 20, 4) float32 as ``windows`` makes it, C-contiguous: 100 rows
of 80 columns. ``out`` may be the input. Moments are taken about a value of
the window, never as E[x²] - E[x]² of the raw numbers, and every deviation is
held at 1e-4 at least.
"""

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import checked
from kernels._jit import REORDER, kernel, part
from kernels.book import LEVELS
from kernels.windows import CHANNELS, ROWS

COLUMNS = LEVELS * CHANNELS
VALUES = ROWS * COLUMNS
SMALLEST = np.float32(1e-4)
#: Rows that one pass reads together, so that column sums are loaded and stored less often.
TOGETHER = 5
FOUR = 4

ONE = np.float32(1.0)
ZERO = np.float32(0.0)
PER_ROW = np.float32(1.0 / COLUMNS)
PER_COLUMN = np.float32(1.0 / ROWS)
PER_KIND = np.float32(2.0 / COLUMNS)

Singles = NDArray[np.float32]


@part()
def at_least(deviation: np.float32) -> np.float32:
    """A deviation held from below."""
    return max(deviation, SMALLEST)


@part()
def column_means(window: Singles, mean: Singles, rest: Singles) -> None:
    """Mean of each of 80 columns as a sum of two numbers, mean + rest, exact beyond float32."""
    for c in range(COLUMNS):
        mean[c] = ZERO
    for k in range(0, VALUES, TOGETHER * COLUMNS):
        for c in range(COLUMNS):
            first, i = window[c], k + c
            mean[c] += (
                ((window[i] - first) + (window[i + COLUMNS] - first))
                + ((window[i + 2 * COLUMNS] - first) + (window[i + 3 * COLUMNS] - first))
            ) + (window[i + 4 * COLUMNS] - first)
    for c in range(COLUMNS):
        away = mean[c] * PER_COLUMN
        mean[c] = window[c] + away
        rest[c] = away - (mean[c] - window[c])


@part()
def column_inverses(window: Singles, mean: Singles, rest: Singles, inverse: Singles) -> None:
    """1 / deviation of each of 80 columns about its finished mean."""
    for c in range(COLUMNS):
        inverse[c] = ZERO
    for k in range(0, VALUES, TOGETHER * COLUMNS):
        for c in range(COLUMNS):
            i = k + c
            d0 = (window[i] - mean[c]) - rest[c]
            d1 = (window[i + COLUMNS] - mean[c]) - rest[c]
            d2 = (window[i + 2 * COLUMNS] - mean[c]) - rest[c]
            d3 = (window[i + 3 * COLUMNS] - mean[c]) - rest[c]
            d4 = (window[i + 4 * COLUMNS] - mean[c]) - rest[c]
            inverse[c] += ((d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)) + d4 * d4
    for c in range(COLUMNS):
        inverse[c] = ONE / at_least(np.sqrt(inverse[c] * PER_COLUMN))


@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def standardise_columns_kernel(x: Singles, scratch: Singles, out: Singles) -> None:
    """z-score of each of 80 columns over a window's own 100 rows.

    x, out (W, 8000); scratch (4, 100). Two passes: the deviation is taken about the finished mean.
    """
    mean, rest, inverse = scratch[0], scratch[1], scratch[2]
    for w in range(len(x)):
        window, result = x[w], out[w]
        column_means(window, mean, rest)
        column_inverses(window, mean, rest, inverse)
        for k in range(0, VALUES, COLUMNS):
            for c in range(COLUMNS):
                result[k + c] = ((window[k + c] - mean[c]) - rest[c]) * inverse[c]


@part()
def scale_row(
    row: Singles,
    price: np.float32,
    size: np.float32,
    price_mean: np.float32,
    size_mean: np.float32,
    price_inverse: np.float32,
    size_inverse: np.float32,
    out: Singles,
) -> None:
    """Out (80,) = ((row - near) - mean) * inverse, by kind; in this order, also where out is the row."""
    for k in range(COLUMNS):
        away = row[k] - (price if k & 1 == 0 else size)
        centred = away - (price_mean if k & 1 == 0 else size_mean)
        out[k] = centred * (price_inverse if k & 1 == 0 else size_inverse)


@kernel("void(f4[:,::1], f4[:,::1])", fastmath=REORDER)
def standardise_rows_kernel(x: Singles, out: Singles) -> None:
    """z-score of a row's 40 prices by their own mean and deviation, and of its 40 sizes by theirs.

    x, out (R, 80), prices in even places. Keeps the order of prices. One pass a row gives both
    moments, about the row's first price and size: of 40 values, one lies at most √40 deviations
    from the mean, so little cancels. No row waits for the one before.
    Source: the snapshot z-score of LOBench, Zhong, Lin & Yang 2025, arXiv 2505.02139.
    """
    for r in range(len(x)):
        row, result = x[r], out[r]
        price, size = row[0], row[1]
        prices = sizes = price_squares = size_squares = ZERO
        for k in range(COLUMNS):
            away = row[k] - (price if k & 1 == 0 else size)
            of_price = away if k & 1 == 0 else ZERO
            of_size = ZERO if k & 1 == 0 else away
            prices += of_price
            sizes += of_size
            price_squares += of_price * of_price
            size_squares += of_size * of_size
        price_mean = prices * PER_KIND
        size_mean = sizes * PER_KIND
        price_variance = max(price_squares * PER_KIND - price_mean * price_mean, ZERO)
        size_variance = max(size_squares * PER_KIND - size_mean * size_mean, ZERO)
        price_inverse = ONE / at_least(np.sqrt(price_variance))
        size_inverse = ONE / at_least(np.sqrt(size_variance))
        scale_row(row, price, size, price_mean, size_mean, price_inverse, size_inverse, result)


@kernel("void(f4[:,::1], f4[::1], f4[:,::1], f4[:,::1])", fastmath=REORDER)
def bilinear_kernel(x: Singles, weights: Singles, scratch: Singles, out: Singles) -> None:
    """BiN: y1 (l1 Z_feature + b1) + y2 (l2 Z_time + b2) of each window.

    Z_feature is the z-score of each column over the rows, with l1, b1 (80,); Z_time that of each
    row over the columns, with l2, b2 (100,). x, out (W, 8000); weights (362,): l1, b1, l2, b2,
    y1, y2; scratch (4, 100). Both parts are lines in x, so one pass applies their sum.
    Source: Tran et al. 2021, arXiv 2003.00598.
    """
    slope, level, row_slope, row_level = scratch[0], scratch[1], scratch[2], scratch[3]
    l1, b1 = weights[:COLUMNS], weights[COLUMNS : 2 * COLUMNS]
    l2, b2 = weights[2 * COLUMNS : 2 * COLUMNS + ROWS], weights[2 * COLUMNS + ROWS : 2 * COLUMNS + 2 * ROWS]
    y1, y2 = weights[2 * COLUMNS + 2 * ROWS], weights[2 * COLUMNS + 2 * ROWS + 1]
    for w in range(len(x)):
        window, result = x[w], out[w]
        for c in range(COLUMNS):
            slope[c] = ZERO
            level[c] = ZERO
        for r in range(0, ROWS, FOUR):
            k = r * COLUMNS
            g0, g1 = window[k], window[k + COLUMNS]
            g2, g3 = window[k + 2 * COLUMNS], window[k + 3 * COLUMNS]
            s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = ZERO
            for c in range(COLUMNS):
                first = window[c]
                v0, v1 = window[k + c], window[k + COLUMNS + c]
                v2, v3 = window[k + 2 * COLUMNS + c], window[k + 3 * COLUMNS + c]
                d0, d1, d2, d3 = v0 - first, v1 - first, v2 - first, v3 - first
                slope[c] += (d0 + d1) + (d2 + d3)
                level[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
                e0, e1, e2, e3 = v0 - g0, v1 - g1, v2 - g2, v3 - g3
                s0 += e0
                s1 += e1
                s2 += e2
                s3 += e3
                q0 += e0 * e0
                q1 += e1 * e1
                q2 += e2 * e2
                q3 += e3 * e3
            row_slope[r], row_level[r] = s0, q0
            row_slope[r + 1], row_level[r + 1] = s1, q1
            row_slope[r + 2], row_level[r + 2] = s2, q2
            row_slope[r + 3], row_level[r + 3] = s3, q3
        for c in range(COLUMNS):
            away = slope[c] * PER_COLUMN
            variance = max(level[c] * PER_COLUMN - away * away, ZERO)
            slope[c] = y1 * l1[c] / at_least(np.sqrt(variance))
            level[c] = y1 * b1[c] - slope[c] * (away + window[c])
        for r in range(ROWS):
            away = row_slope[r] * PER_ROW
            variance = max(row_level[r] * PER_ROW - away * away, ZERO)
            row_slope[r] = y2 * l2[r] / at_least(np.sqrt(variance))
            row_level[r] = y2 * b2[r] - row_slope[r] * (away + window[r * COLUMNS])
        for r in range(ROWS):
            k = r * COLUMNS
            a, b = row_slope[r], row_level[r]
            for c in range(COLUMNS):
                result[k + c] = window[k + c] * (slope[c] + a) + (level[c] + b)


class WindowNormaliser:
    """The three normalisations behind one set of scratch arrays; not for two threads at once."""

    __slots__ = ("_scratch", "_weights")

    def __init__(self) -> None:
        self._scratch = np.empty((4, ROWS), np.float32)
        self._weights = np.empty(2 * COLUMNS + 2 * ROWS + 2, np.float32)

    def standardise_columns(self, x: Singles, out: Singles) -> None:
        """z-score of every level and channel over each window's own 100 rows.

        x, out (100, 20, 4) or (W, 100, 20, 4) float32; out may be x.

        Raises:
            ValueError: naming the array that does not fit.
        """
        source, target = _pair(x, out)
        standardise_columns_kernel(source, self._scratch, target)

    def standardise_rows(self, x: Singles, out: Singles) -> None:
        """Snapshot z-score: each row's prices, and its sizes, by their own mean and deviation.

        x, out as above.

        Raises:
            ValueError: naming the array that does not fit.
        """
        source, target = _pair(x, out)
        standardise_rows_kernel(source.reshape(-1, COLUMNS), target.reshape(-1, COLUMNS))

    def bilinear(
        self,
        x: Singles,
        out: Singles,
        *,
        l1: Singles,
        b1: Singles,
        l2: Singles,
        b2: Singles,
        y1: float,
        y2: float,
    ) -> None:
        """BiN with its learned weights: l1, b1 (80,) by column, l2, b2 (100,) by row, y1, y2 at least 0.

        x, out as above.

        Raises:
            ValueError: naming the argument that does not fit.
        """
        source, target = _pair(x, out)
        if not (y1 >= 0 and y2 >= 0):
            raise ValueError(f"y1, y2: {y1}, {y2}; both weights must be at least 0")
        sized = ((l1, "l1", COLUMNS), (b1, "b1", COLUMNS), (l2, "l2", ROWS), (b2, "b2", ROWS))
        vectors = [checked(name, vector, np.float32, (length,)) for vector, name, length in sized]
        np.concatenate([*vectors, np.array([y1, y2], np.float32)], out=self._weights)
        bilinear_kernel(source, self._weights, self._scratch, target)


def _pair(x: Singles, out: Singles) -> tuple[Singles, Singles]:
    """Both arrays as (W, 8000)."""
    shape = (ROWS, LEVELS, CHANNELS)
    wanted = shape if np.ndim(x) == len(shape) else (None, *shape)
    source = checked("x", x, np.float32, wanted)
    target = checked("out", out, np.float32, source.shape, writeable=True)
    return source.reshape(-1, VALUES), target.reshape(-1, VALUES)
