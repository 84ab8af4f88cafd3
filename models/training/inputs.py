# SPDX-License-Identifier: Apache-2.0
"""The inputs of a recording, in the encodings that a network asks for, by row."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kernels import labels, windows
from kernels.mid_changes import mid_change_shares
from kernels.windows import EncodedRows
from models.encoding import BOOK_ROWS, FEATURE_ROWS, Encoding, mirrored
from models.training.features import read_features
from models.training.recordings import Recording

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


class Inputs(Protocol):
    """What a network sees: one item of each input for each row at which a window can end."""

    @property
    def window(self) -> int:
        """Rows that an item reaches back, its own included."""
        ...

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """Items that end at ``rows``: of each input (B, *shape)."""
        ...

    def read_mirrored(self, rows: Rows) -> tuple[Floats, ...] | None:
        """The same with bids and asks exchanged; None where that has no meaning."""
        ...


class BookInputs:
    """Windows (100, 20, 4) of an encoded book."""

    window = BOOK_ROWS

    def __init__(self, recording: Recording) -> None:
        tables = (recording.ask_px, recording.ask_qty, recording.bid_px, recording.bid_qty)
        self._rows: EncodedRows = windows.encode_rows(*tables, lot_size=recording.lot_size)

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """Windows (B, 100, 20, 4)."""
        return (self._rows.windows(rows),)

    def read_mirrored(self, rows: Rows) -> tuple[Floats, ...]:
        """Mirrored windows (B, 100, 20, 4)."""
        return (self._mirrored.windows(rows),)

    @cached_property
    def _mirrored(self) -> EncodedRows:
        return mirrored(self._rows)


class TableInputs:
    """Consecutive rows of a table (N, D): items (length, D), or (D,) where the length is 1 and ``flat``."""

    def __init__(self, table: Floats, *, length: int, flat: bool = False) -> None:
        self.window = length
        self._flat = flat
        self._windows = np.lib.stride_tricks.sliding_window_view(table, length, axis=0)

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """Items (B, length, D), or (B, D)."""
        items = np.ascontiguousarray(self._windows[rows - (self.window - 1)].transpose(0, 2, 1))
        return (items[:, 0] if self._flat else items,)

    def read_mirrored(self, rows: Rows) -> None:
        """A table of features has no mirror."""


class HistoryInputs:
    """How often the mid moved lately, (2,); the same in a mirror."""

    window = 1

    def __init__(self, recording: Recording) -> None:
        self._table = mid_change_shares(labels.doubled_mid(recording.ask_px, recording.bid_px))

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """Items (B, 2)."""
        return (self._table[rows],)

    def read_mirrored(self, rows: Rows) -> tuple[Floats, ...]:
        """Items (B, 2)."""
        return self.read(rows)


class JoinedInputs:
    """Several inputs of one network."""

    def __init__(self, parts: Sequence[Inputs]) -> None:
        self._parts = parts
        self.window = max(part.window for part in parts)

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """The items of all parts."""
        return tuple(item for part in self._parts for item in part.read(rows))

    def read_mirrored(self, rows: Rows) -> tuple[Floats, ...] | None:
        """None unless every part has a mirror."""
        turned = [part.read_mirrored(rows) for part in self._parts]
        if any(items is None for items in turned):
            return None
        return tuple(item for items in turned for item in items or ())


def read_inputs(recording: Recording, file: Path, encodings: Sequence[Encoding]) -> Inputs:
    """The inputs of a recording, in the encodings given. ``file`` is where it was read from.

    Raises:
        RecordingError: what features need beside the book is missing.
        ValueError: a recording does not hold that encoding.
    """
    parts = [_read(recording, file, encoding) for encoding in encodings]
    return parts[0] if len(parts) == 1 else JoinedInputs(parts)


def _read(recording: Recording, file: Path, encoding: Encoding) -> Inputs:
    if encoding is Encoding.BOOK_WINDOW:
        return BookInputs(recording)
    if encoding is Encoding.BOOK_HISTORY:
        return HistoryInputs(recording)
    if encoding is Encoding.FEATURE_ROWS:
        return TableInputs(read_features(recording, file), length=FEATURE_ROWS)
    if encoding is Encoding.FEATURE_ROW:
        return TableInputs(read_features(recording, file), length=1, flat=True)
    raise ValueError(f"encoding: {encoding} cannot be made from a recording of an order book")
