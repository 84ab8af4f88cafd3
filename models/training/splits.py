# SPDX-License-Identifier: Apache-2.0
"""Parts of a recording in time order, with gaps that keep the future out of the past."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Part:
    """Rows [start, stop) at which windows end."""

    start: int
    stop: int

    def __len__(self) -> int:
        return max(0, self.stop - self.start)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The rows themselves."""
        return np.arange(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Split:
    """Train on the first part, stop and calibrate on the second, score on the third (may be empty).

    No label of an earlier part and no window of a later one share a row.
    """

    train: Part
    validation: Part
    test: Part


def chronological(rows: int, *, validation_share: float, horizon: int, window: int) -> Split:
    """All rows for training and validation, nothing for a test: how a network is trained to be shipped.

    Raises:
        ValueError: the rows do not suffice.
    """
    return _split(rows, rows, validation_share=validation_share, horizon=horizon, window=window)


def everything(rows: int, *, validation_share: float, horizon: int, window: int) -> Split:
    """All rows for training; the newest are watched as well, which shows that it learns, not how well.

    Raises:
        ValueError: the rows do not suffice.
    """
    watched = chronological(rows, validation_share=validation_share, horizon=horizon, window=window)
    return Split(Part(window - 1, rows - horizon), watched.validation, watched.test)


def walk_forward(
    rows: int, *, folds: int, validation_share: float, horizon: int, window: int, first_test: float = 0.6
) -> list[Split]:
    """``folds`` tests of equal length, one after the other, each with all of its past to learn from.

    The first test begins after ``first_test`` of the rows; ``validation_share`` of
    each past is kept for validation.

    Raises:
        ValueError: the rows do not suffice.
    """
    edges = np.linspace(int(rows * first_test), rows, folds + 1).astype(int)
    return [
        _split(int(start), int(stop), validation_share=validation_share, horizon=horizon, window=window)
        for start, stop in pairwise(edges)
    ]


def _split(past: int, rows: int, *, validation_share: float, horizon: int, window: int) -> Split:
    gap = horizon + window
    cut = int(past * (1.0 - validation_share))
    train = Part(window - 1, cut - horizon)
    validation = Part(cut + window, past - horizon)
    test = Part(past + window, rows - horizon) if rows > past else Part(rows, rows)
    if not len(train) or not len(validation) or (rows > past and not len(test)):
        raise ValueError(
            f"rows: {rows} are too few for parts with gaps of {gap} rows; use a longer recording"
        )
    return Split(train, validation, test)
