# SPDX-License-Identifier: Apache-2.0
"""One symbol of one market stream: its book, window and features, and what to send when."""

import time

import numpy as np

from kernels.book import LEVELS
from kernels.book_errors import BookError, CrossedBookError, NoSnapshotError, SequenceGapError
from kernels.features.candles import Candles
from kernels.features.layout import FEATURE_ROWS
from kernels.features.market import Instrument, MarketFeatures
from kernels.features.names import FEATURE_COUNT
from kernels.mid_changes import MidChanges
from kernels.windows import CHANNELS, ROWS
from server.engine.market_events import (
    Control,
    Delta,
    History,
    MarketEvent,
    Notice,
    NoticeKind,
    Snapshot,
    Trade,
)
from server.engine.school import Awaiting
from server.forecasting.query import MarketObservation

_KINDS: dict[type[BookError], NoticeKind] = {
    NoSnapshotError: NoticeKind.NO_SNAPSHOT,
    SequenceGapError: NoticeKind.SEQUENCE_GAP,
    CrossedBookError: NoticeKind.CROSSED_BOOK,
}


class SymbolBook:
    """Applies events in place and says when a signal is due."""

    def __init__(self, symbol: str, control: Control) -> None:
        self.symbol = symbol
        self.control = control
        self.sequence = 0
        self.event_time_us = 0
        self._market: MarketFeatures | None = None
        self._history: Candles | None = None
        self._changes = MidChanges()
        self._since_signal = 0
        self._signal_at_s = float("-inf")
        self.awaiting: Awaiting | None = None

    def apply(self, event: MarketEvent) -> Notice | None:
        """Take one event; a notice where it or the book is at fault. What is refused changes nothing."""
        try:
            if self._renewed(event):
                self._count(event.event_time_us)
        except BookError as error:
            kind = _KINDS.get(type(error), NoticeKind.INVALID_EVENT)
            return Notice(self.symbol, kind, str(error), event.event_time_us)
        except ValueError as error:
            return Notice(self.symbol, NoticeKind.INVALID_EVENT, str(error), event.event_time_us)
        return None

    def _renewed(self, event: MarketEvent) -> bool:
        """Apply one event; whether the features are new."""
        body = event.body
        if isinstance(body, Delta):
            return self._delta(body, event.event_time_us)
        if isinstance(body, Trade):
            price, lots = body.price, body.lots
            self._begun().trade(price, lots, bought=body.buyer_is_aggressor, time_us=event.event_time_us)
        elif isinstance(body, Snapshot):
            return self._snapshot(body, event.event_time_us)
        elif isinstance(body, History):
            self._seed(body.candles)
        return False

    def _begun(self) -> MarketFeatures:
        if self._market is None:
            raise NoSnapshotError("the symbol has no snapshot yet; send one first")
        return self._market

    def _delta(self, delta: Delta, time_us: int) -> bool:
        levels = delta.levels
        return self._begun().update(
            levels.side,
            levels.price,
            levels.size,
            time_us=time_us,
            first_update_id=delta.first_update_id,
            last_update_id=delta.last_update_id,
            previous_update_id=delta.previous_update_id,
        )

    def _snapshot(self, snapshot: Snapshot, time_us: int) -> bool:
        if self._market is None:
            self._market = self._begin(snapshot)
        levels = snapshot.levels
        self._market.snapshot(
            levels.side,
            levels.price,
            levels.size,
            time_us=time_us,
            last_update_id=snapshot.update_id,
            is_row=snapshot.is_update,
        )
        if not snapshot.is_update:
            self._changes.clear()
        return snapshot.is_update

    def _begin(self, snapshot: Snapshot) -> MarketFeatures:
        if not (snapshot.tick_size and snapshot.lot_size):
            raise ValueError("snapshot: the first one of a symbol needs tick_size and lot_size, > 0")
        market = MarketFeatures(Instrument(snapshot.tick_size, snapshot.lot_size))
        if self._history is not None:
            market.seed(self._history)
            self._history = None
        return market

    def _seed(self, candles: Candles) -> None:
        if self._market is None:
            self._history = candles
        else:
            self._market.seed(candles)

    def _count(self, event_time_us: int) -> None:
        self.sequence += 1
        self.event_time_us = event_time_us
        self._since_signal += 1
        mid2 = self.best_bid_ticks + self.best_ask_ticks
        self._changes.push(mid2)
        if self.awaiting is not None:
            self.awaiting.update(mid2)

    @property
    def due(self) -> bool:
        """Whether a signal should go out now."""
        if self._market is None or not self._market.window_warm:
            return False
        if self._since_signal < self.control.signal_every_updates:
            return False
        return time.monotonic() - self._signal_at_s >= self.control.min_signal_interval_s

    def observe(self, horizon_updates: int) -> MarketObservation:
        """What the networks see now; counts as the signal that was due."""
        market = self._begun()
        self._since_signal = 0
        self._signal_at_s = time.monotonic()
        window = np.empty((ROWS, LEVELS, CHANNELS), dtype=np.float32)
        rows = np.empty((FEATURE_ROWS, FEATURE_COUNT), dtype=np.float32)
        return MarketObservation(
            symbol=self.symbol,
            event_time_us=self.event_time_us,
            sequence=self.sequence,
            warm=market.read_window(window),
            features_warm=market.read_feature_rows(rows) and market.warm,
            horizon_updates=horizon_updates,
            window=window,
            feature_rows=rows,
            book_history=self._changes.read(),
        )

    @property
    def best_bid_ticks(self) -> int:
        """The best bid."""
        return int(self._begun().book.bid_px[0])

    @property
    def best_ask_ticks(self) -> int:
        """The best ask."""
        return int(self._begun().book.ask_px[0])
