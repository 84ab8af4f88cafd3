# SPDX-License-Identifier: Apache-2.0
"""An L2 order book of integer ticks and lots, changed in place.

Levels at any depth are kept, see ``book_levels``; the best 20 of each side stay
visible as arrays, best first.

State, owned by the caller (see ``OrderBook``):

- ``keys``, ``sizes`` (2, capacity) int64: row 0 asks (negated price), row 1 bids.
- ``meta`` (8,) int64: the fields ``N_ASK`` … ``USED_BID`` of ``book_levels``.
- ``top_px``, ``top_qty`` (2, 20) int64: row 0 asks, row 1 bids. Where a side has
  fewer levels its deepest price repeats with size 0; an empty side is all 0.

When a side is full, its deepest level makes room for a better one, a deeper
one is not kept, and either is counted in ``meta[DROPPED]``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import book_errors
from kernels._arrays import as_integers
from kernels._jit import kernel, part
from kernels.book_levels import (
    ASK,
    BID,
    DROPPED,
    LAST_ID,
    LEVELS,
    META_FIELDS,
    N_ASK,
    N_BID,
    OVERLAPS,
    SYNCED,
    UNKNOWN,
    USED_ASK,
    USED_BID,
    set_level,
    show_top,
    shown_from,
)

__all__ = ["ASK", "BID", "LEVELS", "UNKNOWN", "OrderBook", "apply_snapshot", "apply_update", "level_rows"]

Integers = NDArray[np.int64]


@part()
def check_levels(side: NDArray[np.uint8], price: Integers, qty: Integers, start: int, stop: int) -> int:
    """0 where rows ``start`` to ``stop`` are well formed, else the code of the first fault."""
    for i in range(start, stop):
        if side[i] > BID:
            return book_errors.INVALID_SIDE
        if price[i] <= 0:
            return book_errors.INVALID_PRICE
        if qty[i] < 0:
            return book_errors.NEGATIVE_SIZE
    return book_errors.APPLIED


@part()
def set_levels(
    keys: Integers,
    sizes: Integers,
    meta: Integers,
    top_px: Integers,
    top_qty: Integers,
    side: NDArray[np.uint8],
    price: Integers,
    qty: Integers,
    start: int,
    stop: int,
) -> int:
    """Apply rows ``start`` to ``stop`` and show the top again; CROSSED where the sides then cross."""
    asks, bids = keys[ASK], keys[BID]
    ask_sizes, bid_sizes = sizes[ASK], sizes[BID]
    ask_floor = shown_from(meta, ASK, top_px[ASK])
    bid_floor = shown_from(meta, BID, top_px[BID])
    ask_seen = False
    bid_seen = False
    for i in range(start, stop):
        if side[i] == ASK:
            ask_seen = ask_seen or -price[i] >= ask_floor
            set_level(asks, ask_sizes, meta, ASK, -price[i], qty[i])
        else:
            bid_seen = bid_seen or price[i] >= bid_floor
            set_level(bids, bid_sizes, meta, BID, price[i], qty[i])
    if ask_seen:
        show_top(asks, ask_sizes, meta, ASK, top_px[ASK], top_qty[ASK])
    if bid_seen:
        show_top(bids, bid_sizes, meta, BID, top_px[BID], top_qty[BID])
    if meta[N_ASK] > 0 and meta[N_BID] > 0 and top_px[BID, 0] >= top_px[ASK, 0]:
        meta[SYNCED] = 0
        return book_errors.CROSSED
    return book_errors.APPLIED


@kernel("i8(i8[:,::1], i8[:,::1], i8[::1], i8[:,::1], i8[:,::1], u1[::1], i8[::1], i8[::1], i8, i8, i8)")
def apply_snapshot(
    keys: Integers,
    sizes: Integers,
    meta: Integers,
    top_px: Integers,
    top_qty: Integers,
    side: NDArray[np.uint8],
    price: Integers,
    qty: Integers,
    start: int,
    stop: int,
    last_update_id: int,
) -> int:
    """Replace the whole book by rows ``start`` to ``stop``; returns a code of ``book_errors``.

    Rows of size 0 are no levels; of two rows with one price the first counts.
    Malformed rows leave the book as it was.
    """
    fault = check_levels(side, price, qty, start, stop)
    if fault < 0:
        return fault
    meta[N_ASK] = 0
    meta[N_BID] = 0
    meta[LAST_ID] = last_update_id
    meta[SYNCED] = 1
    meta[OVERLAPS] = 1
    meta[DROPPED] = 0
    meta[USED_ASK] = 0
    meta[USED_BID] = 0
    # Exchanges list the best level first: read backwards, every insert is an append.
    for i in range(stop - 1, start - 1, -1):
        sign = -1 if side[i] == ASK else 1
        set_level(keys[side[i]], sizes[side[i]], meta, side[i], sign * price[i], qty[i])
    show_top(keys[ASK], sizes[ASK], meta, ASK, top_px[ASK], top_qty[ASK])
    show_top(keys[BID], sizes[BID], meta, BID, top_px[BID], top_qty[BID])
    return set_levels(keys, sizes, meta, top_px, top_qty, side, price, qty, start, start)


@part()
def check_sequence(meta: Integers, first_id: int, last_id: int, previous_id: int) -> int:
    """APPLIED, STALE or SEQUENCE_GAP for an update's ids; an unknown id is -1.

    With a previous id, Binance's futures rule: it equals the last one seen.
    Else with a first id, Binance's spot rule: it is the last one seen plus 1.
    The first update after a snapshot with id L may overlap it instead:
    ``first <= L <= last`` for futures, ``first <= L + 1 <= last`` for spot.
    With a last id alone, ids must rise. Without any there is nothing to check.
    Source: Binance API, "How to manage a local order book correctly".
    """
    seen = int(meta[LAST_ID])
    if last_id == UNKNOWN or seen == UNKNOWN:
        return book_errors.APPLIED
    futures = previous_id != UNKNOWN
    if last_id < seen or (last_id == seen and not (futures and meta[OVERLAPS] == 1)):
        return book_errors.STALE
    if first_id != UNKNOWN and meta[OVERLAPS] == 1:
        return book_errors.APPLIED if first_id <= seen + (0 if futures else 1) else book_errors.SEQUENCE_GAP
    if futures:
        return book_errors.APPLIED if previous_id == seen else book_errors.SEQUENCE_GAP
    if first_id != UNKNOWN and first_id != seen + 1:
        return book_errors.SEQUENCE_GAP
    return book_errors.APPLIED


@kernel(
    "i8(i8[:,::1], i8[:,::1], i8[::1], i8[:,::1], i8[:,::1], u1[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8)"
)
def apply_update(
    keys: Integers,
    sizes: Integers,
    meta: Integers,
    top_px: Integers,
    top_qty: Integers,
    side: NDArray[np.uint8],
    price: Integers,
    qty: Integers,
    start: int,
    stop: int,
    first_id: int,
    last_id: int,
    previous_id: int,
) -> int:
    """Apply one message of level updates; returns a code of ``book_errors``.

    side (E,): 0 ask, 1 bid. price (E,): ticks. qty (E,): new total size in
    lots, 0 removes. Rows ``start`` to ``stop`` are the message and are applied
    together: only the book after the last row may not cross.
    """
    if meta[SYNCED] == 0:
        return book_errors.NO_SNAPSHOT
    fault = check_levels(side, price, qty, start, stop)
    if fault < 0:
        return fault
    order = check_sequence(meta, first_id, last_id, previous_id)
    if order != book_errors.APPLIED:
        if order == book_errors.SEQUENCE_GAP:
            meta[SYNCED] = 0
        return order
    if last_id != UNKNOWN:
        meta[LAST_ID] = last_id
    meta[OVERLAPS] = 0
    return set_levels(keys, sizes, meta, top_px, top_qty, side, price, qty, start, stop)


class OrderBook:
    """One symbol's book; every array is made once, here.

    ``ask_px``, ``ask_qty``, ``bid_px``, ``bid_qty`` are live (20,) int64 views, best
    first, in ticks and lots; the next message overwrites them.
    """

    __slots__ = ("_keys", "_meta", "_sizes", "ask_px", "ask_qty", "bid_px", "bid_qty", "top_px", "top_qty")

    def __init__(self, *, capacity: int = 8192) -> None:
        """``capacity``: levels kept per side.

        Raises:
            ValueError: where fewer than the 20 visible levels would fit.
        """
        if capacity < LEVELS:
            raise ValueError(
                f"capacity: {capacity} is below the {LEVELS} visible levels; give at least {LEVELS}"
            )
        self._keys = np.zeros((2, capacity), np.int64)
        self._sizes = np.zeros((2, capacity), np.int64)
        self._meta = np.zeros(META_FIELDS, np.int64)
        self._meta[LAST_ID] = UNKNOWN
        self.top_px = np.zeros((2, LEVELS), np.int64)
        self.top_qty = np.zeros((2, LEVELS), np.int64)
        self.ask_px, self.bid_px = self.top_px[ASK], self.top_px[BID]
        self.ask_qty, self.bid_qty = self.top_qty[ASK], self.top_qty[BID]

    @property
    def state(self) -> tuple[Integers, Integers, Integers, Integers, Integers]:
        """The arrays that the raw kernels take first: keys, sizes, meta, top_px, top_qty."""
        return self._keys, self._sizes, self._meta, self.top_px, self.top_qty

    @property
    def synchronised(self) -> bool:
        """False before the first snapshot and after a gap or a cross."""
        return bool(self._meta[SYNCED])

    @property
    def two_sided(self) -> bool:
        """True where both sides hold a level, so that a mid exists."""
        return bool(self._meta[N_ASK] > 0 and self._meta[N_BID] > 0)

    @property
    def depth(self) -> tuple[int, int]:
        """How many levels are known: (asks, bids)."""
        return int(self._meta[N_ASK]), int(self._meta[N_BID])

    @property
    def last_update_id(self) -> int:
        """Id of the last message applied, -1 where unknown."""
        return int(self._meta[LAST_ID])

    @property
    def dropped_levels(self) -> int:
        """Levels lost since the snapshot because a side was full."""
        return int(self._meta[DROPPED])

    def apply_snapshot(self, side: Any, price: Any, qty: Any, *, last_update_id: int = UNKNOWN) -> None:
        """Replace the book by these levels: side 0 ask, 1 bid; price in ticks; size in lots.

        Raises:
            ValueError: where the three are not integer arrays of one length.
            NegativeSizeError, InvalidLevelError: the book stays as it was.
            CrossedBookError: the book then waits for another snapshot.
        """
        rows = level_rows(side, price, qty)
        code = apply_snapshot(*self.state, *rows, 0, len(rows[0]), last_update_id)
        if code < 0:
            raise book_errors.error_for(code, self._describe(last_update_id))

    def apply_update(
        self,
        side: Any,
        price: Any,
        qty: Any,
        *,
        first_update_id: int = UNKNOWN,
        last_update_id: int = UNKNOWN,
        previous_update_id: int = UNKNOWN,
    ) -> bool:
        """Apply one message of new total sizes (0 removes); False where it is stale and was ignored.

        Pass the ids that the exchange sends; see ``check_sequence`` for the rule.

        Raises:
            ValueError: where the three are not integer arrays of one length.
            NoSnapshotError, SequenceGapError, CrossedBookError: send a snapshot next.
            NegativeSizeError, InvalidLevelError: the book stays as it was.
        """
        rows = level_rows(side, price, qty)
        ids = (first_update_id, last_update_id, previous_update_id)
        code = apply_update(*self.state, *rows, 0, len(rows[0]), *ids)
        if code < 0:
            raise book_errors.error_for(code, self._describe(*ids))
        return code == book_errors.APPLIED

    def _describe(self, *ids: int) -> str:
        best = f"best ask {self.ask_px[0]}, best bid {self.bid_px[0]}"
        return f"ids {ids}, last applied {self.last_update_id}, {best}"


def level_rows(side: Any, price: Any, qty: Any) -> tuple[NDArray[np.uint8], Integers, Integers]:
    """Check and convert the three columns of a message.

    Raises:
        ValueError: naming the column that does not fit.
    """
    prices = as_integers("price", price, None)
    sizes = as_integers("qty", qty, len(prices))
    sides = np.asarray(side)
    if sides.dtype != np.uint8:
        # Through int64, so that a side of -1 or 256 is refused and does not wrap into range.
        sides = np.clip(as_integers("side", sides, len(prices)), -1, 2).astype(np.uint8)
    if sides.shape != prices.shape:
        raise ValueError(f"side: shape is {sides.shape}; expected one value for each of {len(prices)} prices")
    return np.ascontiguousarray(sides), prices, sizes
