# SPDX-License-Identifier: Apache-2.0
"""Sums over the last day, week and month, at the same small cost for every new value.

Time is cut into buckets, and each window is a ring of them. A window always
holds everything of its length, and at most one bucket more.

Shapes: W windows, B buckets (one more than a window's length takes), K measures.
``rings`` (W, B, K, 2) and ``totals`` (W, K, 2): sum and count of the values
that are not NaN. ``newest`` (W,): number of each ring's newest bucket.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernels._arrays import checked
from kernels._jit import kernel, part
from kernels._types import Cube, Indices, Vector
from kernels.checks import as_array, require_shape

HOUR_NS: Final = 3_600_000_000_000
DAY_NS: Final = 24 * HOUR_NS
#: 24 hours, 7 days, 30 days.
WINDOWS_NS: Final = (DAY_NS, 7 * DAY_NS, 30 * DAY_NS)
NEVER: Final = -(2**62)

Rings = NDArray[np.float64]


@part()
def add_up(ring: Rings, total: Rings) -> None:
    """Total (K, 2) of a ring (B, K, 2), anew."""
    for k in range(total.shape[0]):
        for j in range(2):
            total[k, j] = 0.0
            for b in range(ring.shape[0]):
                total[k, j] += ring[b, k, j]


@part()
def advance(ring: Rings, total: Rings, newest: int, bucket: int) -> None:
    """Drop from a ring what lies more than its length before the bucket.

    Once a turn the total is summed anew, so rounding does not pile up.
    """
    size = ring.shape[0]
    steps = min(bucket - newest, size)
    turned = False
    for step in range(steps):
        b = (bucket - step) % size
        turned = turned or b == 0
        for k in range(total.shape[0]):
            for j in range(2):
                total[k, j] -= ring[b, k, j]
                ring[b, k, j] = 0.0
    if turned:
        add_up(ring, total)


@kernel("void(i8[::1],i8[::1],f8[:,:,:,::1],f8[:,:,::1],i8)")
def roll_to(widths: Indices, newest: Indices, rings: Rings, totals: Cube, time_ns: int) -> None:
    """Move every window's end to a time, dropping what has become too old.

    widths (W,): length of a bucket, ns. A time before a window's end changes nothing.
    """
    for w in range(widths.shape[0]):
        bucket = time_ns // widths[w]
        if bucket > newest[w]:
            advance(rings[w], totals[w], newest[w], bucket)
            newest[w] = bucket


@kernel("void(i8[::1],i8[::1],f8[:,:,:,::1],f8[:,:,::1],i8,f8[::1])")
def roll_in(
    widths: Indices, newest: Indices, rings: Rings, totals: Cube, time_ns: int, values: Vector
) -> None:
    """Add values (K,) that became known at a time; NaN is no value.

    A time before a window's end counts where it still lies inside, else not.
    """
    for w in range(widths.shape[0]):
        bucket = time_ns // widths[w]
        size = rings.shape[1]
        if bucket > newest[w]:
            advance(rings[w], totals[w], newest[w], bucket)
            newest[w] = bucket
        if bucket > newest[w] - size:
            for k in range(values.shape[0]):
                if not math.isnan(values[k]):
                    rings[w, bucket % size, k, 0] += values[k]
                    rings[w, bucket % size, k, 1] += 1.0
                    totals[w, k, 0] += values[k]
                    totals[w, k, 1] += 1.0


class RollingWindows:
    """Sums and counts of some measures over rolling windows.

    ``add`` and ``read`` cost the same however much was added (at most one turn
    of a ring after a long pause).

    Args:
        measures: K, how many values come at a time.
        windows_ns: Length of each window.
        buckets: How finely a window is cut: its end is off by at most 1/buckets of it.

    Raises:
        ValueError: Names the argument and what it must be.
    """

    __slots__ = ("_latest_ns", "newest", "rings", "totals", "widths")

    def __init__(self, measures: int, windows_ns: tuple[int, ...] = WINDOWS_NS, buckets: int = 96) -> None:
        if measures < 1 or buckets < 1:
            raise ValueError("measures and buckets must be at least 1")
        if not windows_ns or any(w < buckets for w in windows_ns):
            raise ValueError("windows_ns must be at least one nanosecond a bucket")
        self.widths: Indices = -(-np.array(windows_ns, np.int64) // buckets)
        self.newest: Indices = np.full(len(windows_ns), NEVER, np.int64)
        self.rings: Rings = np.zeros((len(windows_ns), buckets + 1, measures, 2))
        self.totals: Cube = np.zeros((len(windows_ns), measures, 2))
        self._latest_ns = NEVER

    def add(self, time_ns: int, values: ArrayLike) -> None:
        """Add one value a measure, (K,), NaN for none, that became known at a time.

        Raises:
            ValueError: There are not K values.
        """
        given: Vector = as_array("values", values, 1)
        require_shape("values", given, self.totals.shape[1:2], "one for each measure")
        roll_in(self.widths, self.newest, self.rings, self.totals, int(time_ns), given)
        self._latest_ns = max(self._latest_ns, int(time_ns))

    def read(self, now_ns: int, out: Cube | None = None) -> Cube:
        """Sum and count of each measure in each window that ends now, (W, K, 2).

        Raises:
            ValueError: ``now_ns`` lies before something that was added, so the
                answer would know the future.
        """
        if now_ns < self._latest_ns:
            raise ValueError("now_ns must not lie before the latest time that was added")
        roll_to(self.widths, self.newest, self.rings, self.totals, int(now_ns))
        if out is None:
            return self.totals.copy()
        filled = checked("out", out, np.float64, self.totals.shape, writeable=True)
        filled[...] = self.totals
        return filled

    def means(self, now_ns: int) -> NDArray[np.float64]:
        """Mean of each measure in each window that ends now, (W, K); NaN where there is none.

        Raises:
            ValueError: As ``read``.
        """
        found = self.read(now_ns)
        counts = found[..., 1]
        return np.where(counts > 0, found[..., 0] / np.maximum(counts, 1), np.nan)
