# SPDX-License-Identifier: Apache-2.0
"""What goes into a market stream and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kernels.features.candles import Candles
from server.engine.trading import Call
from server.forecasting.prediction import Prediction

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Levels:
    """Rows of both sides: ``side`` 0 ask, 1 bid; prices in ticks, sizes in lots; (N,) int64 each."""

    side: Integers
    price: Integers
    size: Integers


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole book. Tick and lot size are 0 where the sender has said them before.

    ``is_update``: the feed sends whole books, and this is its next update.
    """

    levels: Levels
    update_id: int
    tick_size: float
    lot_size: float
    is_update: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """Changed levels; ids are -1 where the sender does not know them."""

    levels: Levels
    first_update_id: int
    last_update_id: int
    previous_update_id: int


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade in ticks and lots."""

    price: int
    lots: int
    buyer_is_aggressor: bool


@dataclass(frozen=True, slots=True)
class History:
    """Closed candles of the past; see ``kernels.features.candles.Candles``."""

    candles: Candles


@dataclass(frozen=True, slots=True)
class Control:
    """What the stream should send; 0 and empty mean "as configured"."""

    ensemble: str = ""
    signal_every_updates: int = 0
    min_signal_interval_s: float = 0.0
    send_features: bool = False
    send_window: bool = False


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """One event of one symbol at an exchange time in microseconds."""

    symbol: str
    event_time_us: int
    body: Snapshot | Delta | Trade | History | Control


class NoticeKind(StrEnum):
    """What is wrong with a symbol's stream."""

    SEQUENCE_GAP = "sequence_gap"
    CROSSED_BOOK = "crossed_book"
    NO_SNAPSHOT = "no_snapshot"
    INVALID_EVENT = "invalid_event"
    OVERLOADED = "overloaded"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something is wrong; the stream goes on."""

    symbol: str
    kind: NoticeKind
    detail: str
    event_time_us: int


@dataclass(frozen=True, slots=True)
class Signal:
    """The ensemble's view at one book update; ``prediction`` has no record."""

    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    horizon_updates: int
    prediction: Prediction
    call: Call
    best_bid_ticks: int
    best_ask_ticks: int
    latency_s: float


@dataclass(frozen=True, slots=True)
class Inputs:
    """The networks' inputs at one book update, where the stream asked for them."""

    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    features: NDArray[np.float32] | None
    window: NDArray[np.float32] | None


MarketResponse = Signal | Inputs | Notice
