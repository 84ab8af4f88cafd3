# SPDX-License-Identifier: Apache-2.0
"""Judges a replay's signals by what the networks were taught: where the smoothed mid price goes.

The decoupled label compares the mean mid price at the end of the horizon with
the mean of the last updates, so a move that has just begun counts, and a mid
price that then stays is right. Only the recording knows all mid prices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kernels.labels import classify, doubled_mid, half_mean_change, label_changes
from server.recordings.book_files import BookRows

_CLASSES = {"DOWN": 0, "NEUTRAL": 1, "UP": 2}


@dataclass(frozen=True, slots=True)
class Judgement:
    """How many of the signals that can be judged were right, and how many the commonest class would be."""

    judged: int
    right: int
    commonest: int


def judge(calls: Sequence[tuple[int, str, int]], book: BookRows) -> Judgement | None:
    """Judge (sequence, direction, horizon) calls; None where the recording or the calls do not allow it.

    The threshold between flat and moving is half the mean change over the
    recording itself, known in hindsight only.
    """
    horizons = {horizon for _, _, horizon in calls}
    if len(horizons) != 1 or not all(direction in _CLASSES for _, direction, _ in calls):
        return None
    changes = label_changes("decoupled", doubled_mid(book.ask_px, book.bid_px), horizon=horizons.pop())
    labels = classify(changes, half_mean_change(changes))
    rows = np.array([sequence - 1 for sequence, _, _ in calls])
    said = np.array([_CLASSES[direction] for _, direction, _ in calls])
    inside = (rows >= 0) & (rows < len(labels))
    came = labels[rows[inside]]
    known = came >= 0
    if not known.any():
        return None
    counts = np.bincount(came[known], minlength=3)
    return Judgement(int(known.sum()), int((came[known] == said[inside][known]).sum()), int(counts.max()))
