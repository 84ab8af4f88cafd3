# SPDX-License-Identifier: Apache-2.0
"""Direction labels and return targets from mid-prices: 0 down, 1 flat, 2 up.

Mids are integers, the sum of best bid and best ask in ticks (``mid2``, twice
the mid), so every window sum is exact. Pass one recording, or one part of a
split, at a time: no window ever reaches past the array that it is given, and
rows whose window would are undefined (NaN change, class -1).

A threshold belongs to the training part:

    alpha = half_mean_change(label_changes("decoupled", mid2[:train_stop], horizon=10))
    labels = classify(label_changes("decoupled", mid2[validation_start:], horizon=10), alpha)
"""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import as_integers, checked
from kernels._jit import kernel

DOWN = 0
FLAT = 1
UP = 2
UNDEFINED = -1

#: The fixed threshold of the FI-2010 paper, for every horizon.
FI2010_ALPHA = 0.002
#: Events in one block of FI-2010.
FI2010_BLOCK = 10
#: Longest window of the decoupled label.
DECOUPLED_ROWS = 10

Integers = NDArray[np.int64]
Classes = NDArray[np.int8]
Reals = NDArray[np.float64]


class LabelKind(StrEnum):
    """How the relative change behind a label is defined; m is the mid, h the horizon in rows.

    - ``DECOUPLED``: (w2 - w1) / w1 with s = min(10, h), w1 = mean(m[t-s+1..t]),
      w2 = mean(m[t+h-s+1..t+h]). Source: Berti & Kasneci 2025, arXiv 2502.15757.
    - ``FORWARD_MEAN``: (mean(m[t+1..t+h]) - m[t]) / m[t]. Source: Zhang, Zohren & Roberts 2019, eq. 3.
    - ``TWO_SIDED``: (mean(m[t+1..t+h]) - w) / w, w = mean(m[t-h+1..t]). Source: Tsantekidis et al. 2017.
    - ``FI2010``: (mean of m[t+10], m[t+20] .. m[t+h] - m[t]) / m[t]: the forward mean over blocks of
      10 events; h is a multiple of 10. Source: Ntakaris et al. 2018, arXiv 1705.03233.
    """

    DECOUPLED = "decoupled"
    FORWARD_MEAN = "forward_mean"
    TWO_SIDED = "two_sided"
    FI2010 = "fi2010"


@kernel("void(i8[::1], i8, i8, i8, i8, f8[::1])")
def relative_change(mid2: Integers, back: int, first: int, last: int, step: int, out: Reals) -> None:
    """Change from the mean of the last ``back`` mids to the mean of mids ahead.

    out[t] = (mean(m[t+first], m[t+first+step] .. m[t+last]) - w) / w, w = mean(m[t-back+1..t]).
    mid2 (N,): twice the mid, positive. out (N,): NaN where a window leaves the array.
    """
    rows = len(mid2)
    ahead = (last - first) // step + 1
    for t in range(rows):
        out[t] = np.nan
    if rows < back + last:
        return
    behind_sum = 0
    ahead_sum = 0
    for t in range(back - 1):
        behind_sum += mid2[t]
    for t in range(back - 1, rows - last):
        behind_sum += mid2[t]
        if step == 1 and t >= back:
            ahead_sum += mid2[t + last] - mid2[t + first - 1]
        else:
            ahead_sum = 0
            for place in range(t + first, t + last + 1, step):
                ahead_sum += mid2[place]
        out[t] = (ahead_sum * back - behind_sum * ahead) / (behind_sum * ahead)
        behind_sum -= mid2[t - back + 1]


@kernel("void(f8[::1], f8, i1[::1])")
def classify_kernel(changes: Reals, alpha: float, out: Classes) -> None:
    """0 below -alpha, 2 above alpha, 1 between (both ends included), -1 where the change is NaN."""
    for t in range(len(changes)):
        change = changes[t]
        if change != change:  # noqa: PLR0124 - the NaN test that compiles to one instruction
            out[t] = UNDEFINED
        elif change > alpha:
            out[t] = UP
        elif change < -alpha:
            out[t] = DOWN
        else:
            out[t] = FLAT


@kernel("void(i8[::1], i8[::1], i8, f8[::1], f8[::1])")
def net_return_kernel(ask: Integers, bid: Integers, horizon: int, long: Reals, short: Reals) -> None:
    """What a round trip at the touch would earn, relative to the mid at t; NaN in the last h rows.

    long[t] = (bid[t+h] - ask[t]) / m[t]; short[t] = (bid[t] - ask[t+h]) / m[t].
    Source: Zhang, Zohren & Roberts 2019, arXiv 1906.04404.
    """
    rows = len(ask)
    for t in range(rows):
        if t + horizon < rows:
            mid = 0.5 * (ask[t] + bid[t])
            long[t] = (bid[t + horizon] - ask[t]) / mid
            short[t] = (bid[t] - ask[t + horizon]) / mid
        else:
            long[t] = np.nan
            short[t] = np.nan


def doubled_mid(ask_px: Any, bid_px: Any) -> Integers:
    """``mid2`` from best prices in ticks: (N,), or (N, 20) tables whose first column is taken.

    Raises:
        ValueError: where prices are not integers, differ in length or are not positive.
    """
    ask = as_integers("ask_px", _best(ask_px), None)
    bid = as_integers("bid_px", _best(bid_px), len(ask))
    return checked_mid2(ask + bid)


def label_changes(kind: LabelKind | str, mid2: Any, *, horizon: int, out: Reals | None = None) -> Reals:
    """The relative change behind each row's label: (N,) float64, NaN where undefined.

    ``horizon`` is in rows. Without ``out`` a new array is made.

    Raises:
        ValueError: unknown kind, horizon below 1 (or no multiple of 10 for FI-2010), prices not positive.
    """
    mids = checked_mid2(mid2)
    changes = (
        np.empty(len(mids)) if out is None else checked("out", out, np.float64, (len(mids),), writeable=True)
    )
    relative_change(mids, *_span(LabelKind(kind), horizon), changes)
    return changes


def half_mean_change(changes: Reals) -> float:
    """The usual threshold: half the mean absolute change over the defined rows.

    Raises:
        ValueError: where no row is defined.
    """
    defined = np.abs(changes[~np.isnan(changes)])
    if not len(defined):
        raise ValueError("changes: no row is defined; the part is shorter than the label's window")
    return float(defined.mean()) / 2


def spread_threshold(ask_px: Any, bid_px: Any) -> float:
    """Mean spread over mean mid, so that a move must pay the spread. Source: arXiv 2502.15757, 7.5."""
    mid2 = doubled_mid(ask_px, bid_px)
    spread = 2 * as_integers("ask_px", _best(ask_px), None) - mid2
    return float(spread.mean() / (0.5 * mid2.mean()))


def classify(changes: Reals, alpha: float, out: Classes | None = None) -> Classes:
    """Classes (N,) int8 from changes: 0 down, 1 flat, 2 up, -1 undefined.

    Raises:
        ValueError: where ``alpha`` is negative or not a number, or an array does not fit.
    """
    if not alpha >= 0:
        raise ValueError(f"alpha: {alpha} is not a threshold; give a number of at least 0")
    values = checked("changes", changes, np.float64, (None,))
    classes = (
        np.empty(len(values), np.int8)
        if out is None
        else checked("out", out, np.int8, values.shape, writeable=True)
    )
    classify_kernel(values, alpha, classes)
    return classes


def net_returns(ask_px: Any, bid_px: Any, *, horizon: int) -> tuple[Reals, Reals]:
    """Net return of a long and of a short round trip over ``horizon`` rows: two (N,) float64 arrays.

    Raises:
        ValueError: as ``doubled_mid``; horizon below 1.
    """
    _check_horizon(horizon)
    rows = len(doubled_mid(ask_px, bid_px))
    ask, bid = (as_integers("prices", _best(side), rows) for side in (ask_px, bid_px))
    long, short = np.empty(rows), np.empty(rows)
    net_return_kernel(ask, bid, horizon, long, short)
    return long, short


def persistence(labels: Classes, *, horizon: int) -> Classes:
    """The baseline that repeats the last label whose window has ended: label t - h at row t, else -1."""
    _check_horizon(horizon)
    repeated = np.full(len(labels), UNDEFINED, np.int8)
    repeated[horizon:] = labels[:-horizon]
    return repeated


def fi2010_classes(codes: Any, mids: Any) -> Classes:
    """Classes from an FI-2010 label row: which of codes 1 and 3 means up is read off the data.

    codes (N,): 1, 2 or 3. mids (N,): the mid or best price of each row, in any affine scale that rises
    with the price. The code whose rows are followed by the higher next price is up; public readers
    of the file disagree.

    Raises:
        ValueError: where a code is not 1, 2 or 3, or the data does not tell (a code is absent or both
            are followed by the same move).
    """
    labels = as_integers("codes", np.rint(np.asarray(codes, np.float64)).astype(np.int64), None)
    prices = np.asarray(mids, np.float64)
    if not np.isin(labels, (1, 2, 3)).all():
        raise ValueError("codes: values must be 1, 2 or 3; pass one of rows 144-148 of the file")
    if prices.shape != labels.shape:
        raise ValueError(f"mids: shape is {prices.shape}; expected one price per code, ({len(labels)},)")
    moves = np.diff(prices)
    after = [moves[labels[:-1] == code] for code in (1, 3)]
    if not len(after[0]) or not len(after[1]) or after[0].mean() == after[1].mean():
        raise ValueError("codes: the data does not tell which code is up; pass more rows")
    return (labels - 1 if after[1].mean() > after[0].mean() else 3 - labels).astype(np.int8)


def checked_mid2(mid2: Any) -> Integers:
    """``mid2`` as an int64 vector; ValueError where it is not integers above 0."""
    mids = as_integers("mid2", mid2, None)
    if len(mids) and mids.min() <= 0:
        raise ValueError("mid2: every doubled mid must be above 0 ticks; drop rows with an empty side")
    return mids


def _span(kind: LabelKind, horizon: int) -> tuple[int, int, int, int]:
    """(back, first, last, step) of ``relative_change``."""
    _check_horizon(horizon)
    if kind is LabelKind.DECOUPLED:
        window = min(DECOUPLED_ROWS, horizon)
        return window, horizon - window + 1, horizon, 1
    if kind is LabelKind.TWO_SIDED:
        return horizon, 1, horizon, 1
    if kind is LabelKind.FORWARD_MEAN:
        return 1, 1, horizon, 1
    if horizon % FI2010_BLOCK:
        raise ValueError(
            f"horizon: {horizon} is no multiple of {FI2010_BLOCK} events; FI-2010 counts blocks of them"
        )
    return 1, FI2010_BLOCK, horizon, FI2010_BLOCK


def _check_horizon(horizon: int) -> None:
    if horizon < 1:
        raise ValueError(f"horizon: {horizon} rows; give at least 1")


def _best(prices: Any) -> Any:
    table = np.asarray(prices)
    return table[:, 0] if table.ndim == 2 else table
