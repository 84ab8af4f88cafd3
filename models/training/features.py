# SPDX-License-Identifier: Apache-2.0
"""The 112 features of every row of a recording, from its book and its trades."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.book_errors import BookError, ClockJumpError
from kernels.features.market import Instrument, MarketFeatures
from kernels.features.table import book_row_events
from kernels.recording import Events
from models.training.recordings import SUFFIX, Recording, RecordingError, read_archive

EVENTS = ".events.npz"
#: Book rows that become messages at a time: each is 42 of them.
PART = 8192
_COLUMNS = ("kind", "side", "price", "qty", "msg")


def read_features(recording: Recording, file: Path) -> NDArray[np.float32]:
    """(N, 112), NaN where history is short.

    They come from ``NAME.events.npz`` beside the recording where there is one;
    else the rows themselves serve as messages, and the trades between them as
    two, one for each side.

    Raises:
        RecordingError: the events are damaged, or are those of another recording;
            or time leaps by more than a week.
    """
    beside = file.with_name(file.name.removesuffix(SUFFIX) + EVENTS)
    source = beside if beside.is_file() else file
    market = MarketFeatures(Instrument(recording.tick_size, recording.lot_size))
    parts = (_read_events(beside),) if source is beside else _row_events(recording)
    try:
        table = np.concatenate([market.apply(part) for part in parts])
    except ClockJumpError as error:
        raise RecordingError(f"{source}: time leaps by more than a week; split it there: {error}") from error
    except (BookError, ValueError) as error:
        raise RecordingError(f"{source}: cannot be read as events: {error}") from error
    if len(table) != len(recording):
        raise RecordingError(
            f"{beside}: {len(table)} book rows; the recording has {len(recording)}: "
            "put its own events there, or none"
        )
    return table


def _read_events(file: Path) -> Events:
    columns = read_archive(file, (*_COLUMNS, "exch_ms"))
    try:
        time_us = np.maximum(columns.pop("exch_ms"), 0) * 1000
        return Events.from_columns(**columns, time_us=time_us)
    except ValueError as error:
        raise RecordingError(f"{file}: cannot be read as events: {error}") from error


def _row_events(recording: Recording) -> Iterator[Events]:
    for start in range(0, len(recording), PART):
        part = recording.part(start, start + PART)
        yield book_row_events(
            ask_px=part.ask_px,
            ask_qty=part.ask_qty,
            bid_px=part.bid_px,
            bid_qty=part.bid_qty,
            time_us=part.recv_us,
            buy_qty=part.trade_buy_qty,
            sell_qty=part.trade_sell_qty,
            trade_px=part.last_trade_px,
        )
