# SPDX-License-Identifier: Apache-2.0
"""Cut an event table into messages, all at once; each message is then a few slices.

E event rows in M messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from server.recordings.book_files import (
    ASK,
    BID,
    SNAPSHOT,
    TRADE,
    UPDATE,
    BookRows,
    EventTable,
    RecordingMeta,
)
from server.recordings.market_events import UNKNOWN_ID, Delta, Integers, MarketEvent, Snapshot, Trade

SPOT = "spot"


@dataclass(frozen=True, slots=True, eq=False)
class UpdateIds:
    """Exchange's ids of each message, (M,): first and last within it, and the one before; 0 = unknown."""

    first: Integers
    last: Integers
    previous: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """M messages over E rows, in which asks stand before bids.

    kind, received_us, event_time_us (M,). Rows begin..end are the message's,
    its bids start at middle; begin, middle, end (M,). side, price, qty (E,).
    """

    kind: Integers
    received_us: Integers
    event_time_us: Integers
    begin: Integers
    middle: Integers
    end: Integers
    ids: UpdateIds
    side: Integers
    price: Integers
    qty: Integers

    @classmethod
    def of(cls, events: EventTable, book: BookRows | None, meta: RecordingMeta) -> "Messages":
        """Cut ``events``; ``book``, where there is one, knows the update ids."""
        # Trades keep their order: their side is the aggressor's.
        order = np.lexsort((np.where(events.kind == TRADE, ASK, events.side), events.msg))
        side = events.side[order]
        begin = np.flatnonzero(np.diff(events.msg, prepend=events.msg[:1] - 1))
        end = np.append(begin[1:], len(events))
        asks_before = np.append(0, np.cumsum(side == ASK))
        kind, received_us = events.kind[begin], events.recv_us[begin]
        return cls(
            kind=kind,
            received_us=received_us,
            event_time_us=event_times(events.exch_ms[begin], received_us),
            begin=begin,
            middle=begin + asks_before[end] - asks_before[begin],
            end=end,
            ids=update_ids(kind, received_us, book, meta),
            side=side,
            price=events.price[order],
            qty=events.qty[order],
        )

    def market_events(self) -> Iterator[MarketEvent]:
        """Snapshots, deltas and trades, in order; best bid and ask messages are left out."""
        times = zip(self.kind.tolist(), self.received_us.tolist(), self.event_time_us.tolist(), strict=True)
        for message, (kind, received, sent) in enumerate(times):
            if kind == UPDATE:
                yield self._delta(message, received, sent)
            elif kind == TRADE:
                yield from self._trades(message, received, sent)
            elif kind == SNAPSHOT:
                yield self._snapshot(message, received, sent)

    def _delta(self, message: int, received: int, sent: int) -> Delta:
        begin, middle, end = self.begin[message], self.middle[message], self.end[message]
        return Delta(
            received_us=received,
            event_time_us=sent,
            first_update_id=int(self.ids.first[message]),
            last_update_id=int(self.ids.last[message]),
            previous_update_id=int(self.ids.previous[message]),
            ask_ticks=self.price[begin:middle],
            ask_lots=self.qty[begin:middle],
            bid_ticks=self.price[middle:end],
            bid_lots=self.qty[middle:end],
        )

    def _snapshot(self, message: int, received: int, sent: int) -> Snapshot:
        begin, middle, end = self.begin[message], self.middle[message], self.end[message]
        asks = begin + np.argsort(self.price[begin:middle])
        bids = middle + np.argsort(-self.price[middle:end])
        return Snapshot(
            received_us=received,
            event_time_us=sent,
            update_id=int(self.ids.last[message]),
            ask_ticks=self.price[asks],
            ask_lots=self.qty[asks],
            bid_ticks=self.price[bids],
            bid_lots=self.qty[bids],
        )

    def _trades(self, message: int, received: int, sent: int) -> Iterator[Trade]:
        for row in range(int(self.begin[message]), int(self.end[message])):
            buyer = bool(self.side[row] == BID)
            yield Trade(received, sent, int(self.price[row]), int(self.qty[row]), buyer)


def event_times(exch_ms: Integers, received_us: Integers) -> Integers:
    """Exchange times in µs; a message without one takes the next that is known, else the last.

    Both arguments (M,). Where none is known at all: the times of receipt.
    """
    known = np.flatnonzero(exch_ms > 0)
    if not len(known):
        return received_us
    following = np.searchsorted(known, np.arange(len(exch_ms)))
    return exch_ms[known[np.minimum(following, len(known) - 1)]] * 1000


def update_ids(
    kind: Integers, received_us: Integers, book: BookRows | None, meta: RecordingMeta
) -> UpdateIds:
    """Ids of each message, as far as the book rows tell them.

    The recordings have no gaps. On spot markets every update begins where the
    one before ended; futures name the one before instead.
    """
    last = np.full(len(kind), UNKNOWN_ID, np.int64)
    updates = np.flatnonzero(kind == UPDATE)
    if book is not None and np.array_equal(book.recv_us, received_us[updates]):
        last[updates] = book.update_id
    snapshots = np.flatnonzero(kind == SNAPSHOT)
    last[snapshots[:1]] = meta.snapshot_update_id
    previous = np.full(len(kind), UNKNOWN_ID, np.int64)
    steps = np.flatnonzero((kind == UPDATE) | (kind == SNAPSHOT))
    previous[steps[1:]] = last[steps[:-1]]
    follows = (kind == UPDATE) & (previous != UNKNOWN_ID) & (last != UNKNOWN_ID)
    spot = meta.market == SPOT
    return UpdateIds(
        first=np.where(follows & spot, previous + 1, UNKNOWN_ID),
        last=last,
        previous=np.where(follows & (not spot), previous, UNKNOWN_ID),
    )
