# SPDX-License-Identifier: Apache-2.0
"""How lively a book was lately: the share of its rows at which the mid moved, over two spans.

A window of 100 rows cannot tell a quiet hour from a quiet minute. These two
numbers can, and they cost a counter each.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Rows of the two spans.
SPANS = (300, 1000)


def mid_change_shares(mid2: NDArray[Any]) -> NDArray[np.float32]:
    """(N,) doubled mids in whole ticks -> (N, 2) shares in 0..1, over the last 300 and 1000 rows.

    Row t counts changes against the row before, its own included, over as many
    rows as there are. The first row has changed from nothing.
    """
    moved = np.concatenate(([0], np.cumsum(np.diff(mid2) != 0)))
    rows = np.arange(len(mid2))
    shares = np.empty((len(mid2), len(SPANS)), np.float32)
    for column, span in enumerate(SPANS):
        before = np.where(rows >= span, moved[np.maximum(rows - span, 0)], 0)
        shares[:, column] = (moved - before) / np.minimum(rows + 1, span)
    return shares


class MidChanges:
    """The same of a stream, row by row."""

    _moved: bytearray
    _counts: list[int]
    _rows: int
    _mid2: int

    def __init__(self) -> None:
        self.clear()

    def push(self, mid2: int) -> None:
        """Take the doubled mid of the next row."""
        moved = int(self._rows > 0 and mid2 != self._mid2)
        ring, place = self._moved, self._rows % len(self._moved)
        for k, span in enumerate(SPANS):
            leaving = ring[(self._rows - span) % len(ring)] if self._rows >= span else 0
            self._counts[k] += moved - leaving
        ring[place] = moved
        self._mid2 = mid2
        self._rows += 1

    def read(self) -> NDArray[np.float32]:
        """The two shares, (2,); 0 before the first row."""
        rows = max(self._rows, 1)
        shares = [count / min(rows, span) for count, span in zip(self._counts, SPANS, strict=True)]
        return np.array(shares, np.float32)

    def clear(self) -> None:
        """Begin again."""
        self._moved = bytearray(max(SPANS))
        self._counts = [0] * len(SPANS)
        self._rows = 0
        self._mid2 = 0
