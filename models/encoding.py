# SPDX-License-Identifier: Apache-2.0
"""The forms in which market data reaches a network; the only room that knows them.

- ``BOOK_WINDOW`` (100, 20, 4): rows oldest first x levels best first x (ask
  price, ask size, bid price, bid size). Prices are ticks minus the mid of the
  last row, sizes ln(1 + size in units). Made by ``kernels.windows`` in
  training and in serving alike, so the two cannot differ.
- ``FEATURE_ROWS`` (60, 112): the features of 60 consecutive rows as they are,
  NaN where history is short; the network scales them and replaces NaN by 0.
- ``FEATURE_ROW`` (112,): the newest of those rows alone.
- ``BOOK_HISTORY`` (2,): the share of the last 300 and of the last 1000 rows at
  which the mid moved, ``kernels.mid_changes``: more memory than a window has.
- ``FI2010_WINDOW`` (100, 10, 4): columns of an FI-2010 file, already normalised
  by its authors, in the same order of axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kernels import mid_changes, windows
from kernels.windows import EncodedRows

BOOK_ROWS = windows.ROWS
BOOK_LEVELS = 20
BOOK_CHANNELS = ("ask_price", "ask_size", "bid_price", "bid_size")
FEATURE_ROWS = 60
FEATURES = 112
HISTORY = len(mid_changes.SPANS)
FI2010_LEVELS = 10


class Encoding(StrEnum):
    """Names of the encodings, as manifests hold them."""

    BOOK_WINDOW = "book_window_last_mid_ticks_log_sizes"
    FEATURE_ROWS = "feature_rows_raw"
    FEATURE_ROW = "feature_row_raw"
    BOOK_HISTORY = "book_history_mid_changes"
    FI2010_WINDOW = "fi2010_window_as_published"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a network. ``shape`` is that of one item, without the batch."""

    name: str
    encoding: Encoding
    shape: tuple[int, ...]
    datatype: str = "FP32"


INPUTS = {
    Encoding.BOOK_WINDOW: InputSpec(
        "book_window", Encoding.BOOK_WINDOW, (BOOK_ROWS, BOOK_LEVELS, len(BOOK_CHANNELS))
    ),
    Encoding.FEATURE_ROWS: InputSpec("feature_rows", Encoding.FEATURE_ROWS, (FEATURE_ROWS, FEATURES)),
    Encoding.FEATURE_ROW: InputSpec("feature_row", Encoding.FEATURE_ROW, (FEATURES,)),
    Encoding.BOOK_HISTORY: InputSpec("book_history", Encoding.BOOK_HISTORY, (HISTORY,)),
    Encoding.FI2010_WINDOW: InputSpec(
        "book_window", Encoding.FI2010_WINDOW, (BOOK_ROWS, FI2010_LEVELS, len(BOOK_CHANNELS))
    ),
}


def mirrored(rows: EncodedRows) -> EncodedRows:
    """The same book seen in a mirror: bids for asks, prices negated.

    A market has no preferred side, so a mirrored window with the opposite label
    is as good an example as the one that was recorded.
    """
    swapped = rows.values[:, :, [2, 3, 0, 1]]
    swapped[:, :, 0::2] *= np.float32(-1.0)
    return EncodedRows(np.ascontiguousarray(swapped), -rows.mids)


def level_columns(levels: int) -> Sequence[str]:
    """Names of one encoded row's values, in memory order: ask_price_1, ask_size_1, ..."""
    return [f"{channel}_{level}" for level in range(1, levels + 1) for channel in BOOK_CHANNELS]
