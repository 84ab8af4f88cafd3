# SPDX-License-Identifier: Apache-2.0
"""Signals judged by the label that networks are taught, on the shipped recording."""

from pathlib import Path

import numpy as np

from server.cli.smoothed import judge
from server.recordings.books import BookRecording

SAMPLE = Path(__file__).parents[2] / "samples" / "books" / "nexousdt_spot_20240724"
NAMES = ("DOWN", "NEUTRAL", "UP")


def test_the_label_is_the_smoothed_change_of_the_mid_price() -> None:
    book = BookRecording.open(SAMPLE).book
    assert book is not None
    mid = (book.ask_px[:, 0] + book.bid_px[:, 0]).astype(float)
    means = np.convolve(mid, np.ones(10) / 10, "valid")  # means[i]: rows i..i+9
    rows = np.arange(100, 2_000)
    change = means[rows + 1] / means[rows - 9] - 1
    every = np.arange(9, len(mid) - 10)
    alpha = np.abs(means[every + 1] / means[every - 9] - 1).mean() / 2
    expected = np.where(change > alpha, 2, np.where(change < -alpha, 0, 1))
    calls = [(int(row) + 1, NAMES[label], 10) for row, label in zip(rows, expected, strict=True)]
    found = judge(calls, book)
    assert found is not None
    assert found.judged == found.right == len(rows)
    assert found.commonest == np.bincount(expected).max()


def test_what_cannot_be_judged_is_not() -> None:
    book = BookRecording.open(SAMPLE).book
    assert book is not None
    assert judge([], book) is None
    assert judge([(1, "UP", 10), (2, "UP", 50)], book) is None
    assert judge([(1, "YES", 10)], book) is None
    assert judge([(10**6, "UP", 10)], book) is None
