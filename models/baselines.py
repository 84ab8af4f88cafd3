# SPDX-License-Identifier: Apache-2.0
"""What a network must beat: answers that need no learning."""

import numpy as np
from numpy.typing import NDArray

from kernels import labels

Calls = NDArray[np.int64]


PERSISTENCE, MAJORITY = "persistence", "majority"


def persistence(directions: Calls, horizon: int) -> Calls:
    """The last label whose window has ended: that of row t - h at row t; neutral before there is one."""
    before = labels.persistence(directions.astype(np.int8), horizon=horizon).astype(np.int64)
    return np.where(before >= 0, before, labels.FLAT)


def majority(training_directions: Calls, rows: int) -> Calls:
    """The direction that was the most frequent in training, always."""
    known = training_directions[training_directions >= 0]
    return np.full(rows, np.bincount(known, minlength=3).argmax())
