# SPDX-License-Identifier: Apache-2.0
"""Scaling by column: (x - centre) / scale with numbers taken from the training part.

One kernel applies every rule; the rules differ in where the numbers come from:

| rule | centre | scale | source |
| --- | --- | --- | --- |
| z-score | mean | standard deviation | FI-2010; shared by all prices and by all sizes: TLOB |
| min-max | smallest | largest - smallest | FI-2010 |
| decimal precision | 0 | 10^k, k the smallest integer with every abs(x) / 10^k < 1 | FI-2010 |
| per level | 0 | root mean square of a level's two prices, of its two sizes | |
| robust | median | 1.4826 × median absolute deviation, clipped to ±8, NaN to 0 | |

FI-2010: Ntakaris et al. 2018, arXiv 1705.03233. TLOB: Berti & Kasneci 2025, arXiv 2502.15757.
A scale of 0 (a constant column) is taken as 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import checked
from kernels._jit import kernel

#: Makes the median absolute deviation of a normal sample its standard deviation.
NORMAL_MAD = 1.4826
ROBUST_CLIP = 8.0

Singles = NDArray[np.float32]
Reals = NDArray[np.float64]


@kernel("void(f4[:,::1], f8[::1], f8[::1], f8, f8, f4[:,::1])")
def scale_columns(
    x: Singles, centre: Reals, inverse: Reals, clip: float, nan_as: float, out: Singles
) -> None:
    """Scale R rows of C columns: out = (x - centre) * inverse within ±clip, ``nan_as`` where x is NaN.

    x, out (R, C) float32, which may be the same array; centre, inverse (C,). Computed in float64 and
    rounded once. clip inf clips nothing; nan_as NaN keeps NaN.
    """
    limit, fill = np.float32(clip), np.float32(nan_as)
    columns = x.shape[1]
    for r in range(x.shape[0]):
        for c in range(columns):
            value = np.float32((np.float64(x[r, c]) - centre[c]) * inverse[c])
            # Selects on finished values, so that the loop stays free of branches.
            value = limit if value > limit else value
            value = -limit if value < -limit else value
            out[r, c] = value if value == value else fill  # noqa: PLR0124 - the NaN test


@dataclass(frozen=True, slots=True, eq=False)
class ColumnScaling:
    """Fitted numbers: centre, scale (C,) float64, scale above 0; the clip, and what NaN becomes."""

    centre: Reals
    scale: Reals
    clip: float = math.inf
    nan_to_zero: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that cannot scale.

        Raises:
            ValueError: naming the field.
        """
        checked("centre", self.centre, np.float64, (None,))
        checked("scale", self.scale, np.float64, (len(self.centre),))
        if not np.all(np.isfinite(self.centre)):
            raise ValueError("centre: every column needs a finite number; fit on rows without gaps")
        if not np.all(np.isfinite(self.scale) & (self.scale > 0)):
            raise ValueError("scale: every column needs a finite number above 0; use 1 for a constant column")
        if not self.clip > 0:
            raise ValueError(f"clip: {self.clip} is not above 0; use inf for no clip")

    def apply(self, x: Singles, out: Singles | None = None) -> Singles:
        """Scale ``x``, float32 whose trailing axes hold the C columns, e.g. (W, 100, 20, 4) for C = 80.

        out: same shape, may be ``x`` itself; without it a new array is made.

        Raises:
            ValueError: where an array does not fit.
        """
        columns = len(self.centre)
        checked("x", x, np.float32, (None,) * np.ndim(x))
        if not _ends_with(x.shape, columns):
            raise ValueError(f"x: trailing axes of {x.shape} do not hold {columns} columns; reshape it")
        result = np.empty_like(x) if out is None else checked("out", out, np.float32, x.shape, writeable=True)
        fill = 0.0 if self.nan_to_zero else math.nan
        rows = x.reshape(-1, columns), result.reshape(-1, columns)
        scale_columns(rows[0], self.centre, 1.0 / self.scale, self.clip, fill, rows[1])
        return result

    @classmethod
    def z_score(cls, training: Any, *, shared: bool = False) -> "ColumnScaling":
        """Mean and population deviation of each column; ``shared``: of all prices, and of all sizes.

        training (N, C) or (N, …): prices at even columns, sizes at odd ones where shared.

        Raises:
            ValueError: where there are no rows, or values that are not finite.
        """
        rows = _rows(training)
        return cls(_over(rows, np.mean, shared), _nonzero(_over(rows, np.std, shared)))

    @classmethod
    def min_max(cls, training: Any, *, shared: bool = False) -> "ColumnScaling":
        """Range of each column onto 0..1; ``shared`` as in ``z_score``.

        Raises:
            ValueError: as ``z_score``.
        """
        rows = _rows(training)
        low = _over(rows, np.min, shared)
        return cls(low, _nonzero(_over(rows, np.max, shared) - low))

    @classmethod
    def decimal_precision(cls, training: Any, *, shared: bool = False) -> "ColumnScaling":
        """Power of ten that brings each column into -1..1, both ends excluded; ``shared`` as in ``z_score``.

        Raises:
            ValueError: as ``z_score``.
        """
        largest = _over(np.abs(_rows(training)), np.max, shared)
        return cls(np.zeros_like(largest), np.array([10.0 ** _digits(value) for value in largest]))

    @classmethod
    def per_level(cls, training: Any) -> "ColumnScaling":
        """Root mean square of each level's prices and of its sizes, from windows or rows (…, 20, 4).

        Nothing is centred: encoded prices keep their sign, and the mid stays 0.

        Raises:
            ValueError: as ``z_score``; where the last axis is not 4.
        """
        table = np.asarray(training)
        if table.ndim < 2 or table.shape[-1] != 4:
            raise ValueError(f"training: shape is {table.shape}; expected (…, levels, 4)")
        rows = _rows(table.reshape(-1, table.shape[-2] * 4)).reshape(-1, table.shape[-2], 2, 2)
        # Axes: row, level, side, price or size.
        size = np.sqrt((rows**2).mean(axis=(0, 2)))
        scale = _nonzero(np.tile(size, 2).ravel())
        return cls(np.zeros_like(scale), scale)

    @classmethod
    def robust(cls, training: Any) -> "ColumnScaling":
        """Median and 1.4826 × median absolute deviation of each column, NaN ignored; clips to ±8, NaN to 0.

        Raises:
            ValueError: where a column has no number at all.
        """
        rows = np.asarray(training, np.float64).reshape(len(training), -1)
        if not len(rows) or np.isnan(rows).all(0).any():
            raise ValueError(
                "training: a column holds no number; pass rows in which every feature is defined"
            )
        centre = np.nanmedian(rows, axis=0)
        spread = NORMAL_MAD * np.nanmedian(np.abs(rows - centre), axis=0)
        return cls(centre, _nonzero(spread), ROBUST_CLIP, nan_to_zero=True)


def _rows(training: Any) -> Reals:
    rows = np.asarray(training, np.float64)
    if not rows.size:
        raise ValueError("training: no rows; pass the training part")
    if not np.all(np.isfinite(rows)):
        raise ValueError("training: values must be finite; drop rows with gaps")
    return rows.reshape(len(rows), -1)


def _over(rows: Reals, measure: Callable[..., Any], shared: bool) -> Reals:
    """``measure`` of each column, or of all even and of all odd ones."""
    if not shared:
        return np.ascontiguousarray(measure(rows, axis=0), np.float64)
    if rows.shape[1] % 2:
        raise ValueError(
            f"training: {rows.shape[1]} columns cannot alternate price and size; use shared=False"
        )
    pair = np.array([measure(rows[:, ::2]), measure(rows[:, 1::2])], np.float64)
    return np.tile(pair, rows.shape[1] // 2)


def _nonzero(scale: Reals) -> Reals:
    return np.where(scale > 0, scale, 1.0)


def _digits(largest: float) -> int:
    """The smallest integer k with largest / 10^k < 1; 0 for 0."""
    return math.floor(math.log10(largest)) + 1 if largest > 0 else 0


def _ends_with(shape: tuple[int, ...], columns: int) -> bool:
    held = 1
    for extent in reversed(shape):
        held *= extent
        if held >= columns:
            break
    return held == columns
