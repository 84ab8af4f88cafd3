# SPDX-License-Identifier: Apache-2.0
"""One symbol of one market stream: its book, its window, and what to send when."""

import time

import numpy as np
from numpy.typing import NDArray

from kernels.book import OrderBook
from kernels.book_errors import BookError, CrossedBookError, NoSnapshotError, SequenceGapError
from kernels.windows import CHANNELS, ROWS, BookWindow
from server.engine.market_events import Control, Delta, MarketEvent, Notice, NoticeKind, Snapshot
from server.forecasting.query import MarketObservation

_LEVELS = 20
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
        self._book = OrderBook()
        self._window: BookWindow | None = None
        self._since_signal = 0
        self._signal_at_s = float("-inf")

    def apply(self, event: MarketEvent) -> Notice | None:
        """Take one snapshot or delta; a notice where the book or its sender is at fault."""
        body = event.body
        try:
            if isinstance(body, Snapshot):
                self._snapshot(body)
            elif isinstance(body, Delta) and not self._delta(body):
                return None
        except BookError as error:
            kind = _KINDS.get(type(error), NoticeKind.INVALID_EVENT)
            return Notice(self.symbol, kind, f"{error}; send a snapshot", event.event_time_us)
        except ValueError as error:
            return Notice(self.symbol, NoticeKind.INVALID_EVENT, str(error), event.event_time_us)
        self._updated(event.event_time_us)
        return None

    def _snapshot(self, snapshot: Snapshot) -> None:
        if self._window is None and not snapshot.lot_size:
            raise ValueError("snapshot.lot_size: the first snapshot of a symbol needs it, > 0")
        levels = snapshot.levels
        self._book.apply_snapshot(levels.side, levels.price, levels.size, last_update_id=snapshot.update_id)
        if self._window is None:
            self._window = BookWindow(lot_size=snapshot.lot_size)

    def _delta(self, delta: Delta) -> bool:
        levels = delta.levels
        return self._book.apply_update(
            levels.side,
            levels.price,
            levels.size,
            first_update_id=delta.first_update_id,
            last_update_id=delta.last_update_id,
            previous_update_id=delta.previous_update_id,
        )

    def _updated(self, event_time_us: int) -> None:
        self.sequence += 1
        self.event_time_us = event_time_us
        self._since_signal += 1
        book = self._book
        if self._window is not None and book.two_sided:
            self._window.push(book.ask_px, book.ask_qty, book.bid_px, book.bid_qty)

    @property
    def due(self) -> bool:
        """Whether a signal should go out now."""
        if (
            self._window is None
            or not self._window.warm
            or self._since_signal < self.control.signal_every_updates
        ):
            return False
        return time.monotonic() - self._signal_at_s >= self.control.min_signal_interval_s

    def observe(self, horizon_updates: int) -> MarketObservation:
        """What the networks see now; counts as the signal that was due."""
        self._since_signal = 0
        self._signal_at_s = time.monotonic()
        window: NDArray[np.float32] = np.empty((ROWS, _LEVELS, CHANNELS), dtype=np.float32)
        assert self._window is not None  # noqa: S101 - `due` came first
        warm = self._window.read(window)
        return MarketObservation(
            self.symbol, self.event_time_us, self.sequence, warm, horizon_updates, window
        )

    @property
    def best_bid_ticks(self) -> int:
        """The best bid."""
        return int(self._book.bid_px[0])

    @property
    def best_ask_ticks(self) -> int:
        """The best ask."""
        return int(self._book.ask_px[0])
