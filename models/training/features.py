# SPDX-License-Identifier: Apache-2.0
"""The 112 features of every row of a recording, from its book and its trades."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.features.market import Instrument
from kernels.features.table import book_row_events, feature_table
from kernels.recording import Events
from models.training.recordings import SUFFIX, Recording, RecordingError

EVENTS = ".events.npz"
_COLUMNS = ("kind", "side", "price", "qty", "msg")


def read_features(recording: Recording, file: Path) -> NDArray[np.float32]:
    """(N, 112), NaN where history is short.

    They come from ``NAME.events.npz`` beside the recording where there is one;
    else the rows themselves serve as messages, and the trades between them as
    two, one for each side.

    Raises:
        RecordingError: the events are damaged, or are those of another recording.
    """
    instrument = Instrument(recording.tick_size, recording.lot_size)
    beside = file.with_name(file.name.removesuffix(SUFFIX) + EVENTS)
    try:
        events = _read_events(beside) if beside.is_file() else _row_events(recording)
        table = feature_table(events, instrument)
    except (OSError, KeyError, ValueError) as error:
        raise RecordingError(f"{beside}: cannot be read as events: {error}") from error
    if len(table) != len(recording):
        raise RecordingError(f"{beside}: {len(table)} book rows; the recording has {len(recording)}")
    return table


def _read_events(file: Path) -> Events:
    with np.load(file, allow_pickle=False) as archive:
        columns = {name: archive[name] for name in _COLUMNS}
        time_us = np.maximum(archive["exch_ms"], 0) * 1000
    return Events.from_columns(**columns, time_us=time_us)


def _row_events(recording: Recording) -> Events:
    return book_row_events(
        ask_px=recording.ask_px,
        ask_qty=recording.ask_qty,
        bid_px=recording.bid_px,
        bid_qty=recording.bid_qty,
        time_us=recording.recv_us,
        buy_qty=recording.trade_buy_qty,
        sell_qty=recording.trade_sell_qty,
        trade_px=recording.last_trade_px,
    )
