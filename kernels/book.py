# SPDX-License-Identifier: Apache-2.0
"""An L2 order book of integer ticks and lots, changed in place.

Levels at any depth are kept, see ``book_levels``; the best 20 of each side stay
visible as arrays, best first.

State, owned by the caller (see ``OrderBook``):

- ``levels`` (4, capacity) int64: keys of asks (negated prices), keys of bids, sizes of asks, of bids.
- ``shown`` (5, 20) int64: the eight fields ``N_ASK`` … ``USED_BID`` of ``book_levels``, then a row each
  for the best 20 prices of asks, of bids, and their sizes. Where a side has fewer levels its
  deepest price repeats with size 0; an empty side is all 0.

When a side is full, its deepest level makes room for a better one, a deeper
one is not kept, and either is counted in the field ``DROPPED``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import book_errors
from kernels._arrays import as_integers, is_vector
from kernels._jit import kernel, part
from kernels.book_checks import check_levels, check_sequence
from kernels.book_levels import (
    ASK,
    BID,
    DROPPED,
    LAST_ID,
    LEVELS,
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

#: Rows of ``shown``: its fields, two of prices, two of sizes.
FIELDS = 0
PRICES = 1
SIZES = 3
SHOWN = 5

Integers = NDArray[np.int64]
Flags = NDArray[np.uint8]

_U1 = np.dtype(np.uint8)


@part()
def show_side(levels: Integers, shown: Integers, side: int) -> None:
    """Renew what is shown of one side."""
    show_top(levels[side], levels[2 + side], shown[FIELDS], side, shown[PRICES + side], shown[SIZES + side])


@part()
def set_levels(
    levels: Integers, shown: Integers, side: Flags, price: Integers, qty: Integers, start: int, stop: int
) -> int:
    """Apply rows ``start`` to ``stop`` and show the top again; CROSSED where the sides then cross."""
    asks, bids, ask_sizes, bid_sizes = levels[0], levels[1], levels[2], levels[3]
    fields = shown[FIELDS]
    ask_floor = shown_from(fields, ASK, shown[PRICES + ASK])
    bid_floor = shown_from(fields, BID, shown[PRICES + BID])
    ask_seen = False
    bid_seen = False
    for i in range(start, stop):
        if side[i] == ASK:
            ask_seen = ask_seen or -price[i] >= ask_floor
            set_level(asks, ask_sizes, fields, ASK, -price[i], qty[i])
        else:
            bid_seen = bid_seen or price[i] >= bid_floor
            set_level(bids, bid_sizes, fields, BID, price[i], qty[i])
    if ask_seen:
        show_side(levels, shown, ASK)
    if bid_seen:
        show_side(levels, shown, BID)
    two_sided = fields[N_ASK] > 0 and fields[N_BID] > 0
    if two_sided and shown[PRICES + BID, 0] >= shown[PRICES + ASK, 0]:
        fields[SYNCED] = 0
        return book_errors.CROSSED
    return book_errors.APPLIED


@kernel("i8(i8[:,::1], i8[:,::1], u1[::1], i8[::1], i8[::1], i8, i8, i8)", brief=True)
def apply_snapshot(
    levels: Integers,
    shown: Integers,
    side: Flags,
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
    fields = shown[FIELDS]
    for field in (N_ASK, N_BID, DROPPED, USED_ASK, USED_BID):
        fields[field] = 0
    fields[LAST_ID] = last_update_id
    fields[SYNCED] = 1
    fields[OVERLAPS] = 1
    # Exchanges list the best level first: read backwards, every insert is an append.
    for i in range(stop - 1, start - 1, -1):
        sign = -1 if side[i] == ASK else 1
        set_level(levels[side[i]], levels[2 + side[i]], fields, side[i], sign * price[i], qty[i])
    show_side(levels, shown, ASK)
    show_side(levels, shown, BID)
    return set_levels(levels, shown, side, price, qty, start, start)


@kernel("i8(i8[:,::1], i8[:,::1], u1[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8)", brief=True)
def apply_update(
    levels: Integers,
    shown: Integers,
    side: Flags,
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
    fields = shown[FIELDS]
    if fields[SYNCED] == 0:
        return book_errors.NO_SNAPSHOT
    fault = check_levels(side, price, qty, start, stop)
    if fault < 0:
        return fault
    order = check_sequence(fields, first_id, last_id, previous_id)
    if order != book_errors.APPLIED:
        if order == book_errors.SEQUENCE_GAP:
            fields[SYNCED] = 0
        return order
    if last_id != UNKNOWN:
        fields[LAST_ID] = last_id
    fields[OVERLAPS] = 0
    return set_levels(levels, shown, side, price, qty, start, stop)


class OrderBook:
    """One symbol's book; every array is made once, here.

    ``ask_px``, ``ask_qty``, ``bid_px``, ``bid_qty`` are live (20,) int64 views, best
    first, in ticks and lots; the next message overwrites them.
    """

    __slots__ = (
        "_fields",
        "_levels",
        "_shown",
        "ask_px",
        "ask_qty",
        "bid_px",
        "bid_qty",
        "top_px",
        "top_qty",
    )

    def __init__(self, *, capacity: int = 8192) -> None:
        """``capacity``: levels kept per side.

        Raises:
            ValueError: where fewer than the 20 visible levels would fit.
        """
        if capacity < LEVELS:
            raise ValueError(
                f"capacity: {capacity} is below the {LEVELS} visible levels; give at least {LEVELS}"
            )
        self._levels = np.zeros((4, capacity), np.int64)
        self._shown = np.zeros((SHOWN, LEVELS), np.int64)
        self._fields = self._shown[FIELDS]
        self._fields[LAST_ID] = UNKNOWN
        self.top_px, self.top_qty = self._shown[PRICES:SIZES], self._shown[SIZES:SHOWN]
        self.ask_px, self.bid_px = self.top_px
        self.ask_qty, self.bid_qty = self.top_qty

    @property
    def state(self) -> tuple[Integers, Integers]:
        """The arrays that the raw kernels take first: levels, shown."""
        return self._levels, self._shown

    @property
    def synchronised(self) -> bool:
        """False before the first snapshot and after a gap or a cross."""
        return bool(self._fields[SYNCED])

    @property
    def two_sided(self) -> bool:
        """True where both sides hold a level, so that a mid exists."""
        return bool(self._fields[N_ASK] > 0 and self._fields[N_BID] > 0)

    @property
    def depth(self) -> tuple[int, int]:
        """How many levels are known: (asks, bids)."""
        return int(self._fields[N_ASK]), int(self._fields[N_BID])

    @property
    def last_update_id(self) -> int:
        """Id of the last message applied, -1 where unknown."""
        return int(self._fields[LAST_ID])

    @property
    def dropped_levels(self) -> int:
        """Levels lost since the snapshot because a side was full."""
        return int(self._fields[DROPPED])

    def apply_snapshot(self, side: Any, price: Any, qty: Any, *, last_update_id: int = UNKNOWN) -> None:
        """Replace the book by these levels: side 0 ask, 1 bid; price in ticks; size in lots.

        Raises:
            ValueError: where the three are not integer arrays of one length.
            NegativeSizeError, InvalidLevelError: the book stays as it was.
            CrossedBookError: the book then waits for another snapshot.
        """
        sides, prices, sizes = level_rows(side, price, qty)
        code = apply_snapshot(self._levels, self._shown, sides, prices, sizes, 0, len(sides), last_update_id)
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
        sides, prices, sizes = level_rows(side, price, qty)
        ids = (first_update_id, last_update_id, previous_update_id)
        code = apply_update(self._levels, self._shown, sides, prices, sizes, 0, len(sides), *ids)
        if code < 0:
            raise book_errors.error_for(code, self._describe(*ids))
        return code == book_errors.APPLIED

    def _describe(self, *ids: int) -> str:
        best = f"best ask {self.ask_px[0]}, best bid {self.bid_px[0]}"
        return f"ids {ids}, last applied {self.last_update_id}, {best}"


def level_rows(side: Any, price: Any, qty: Any) -> tuple[Flags, Integers, Integers]:
    """Check and convert the three columns of a message.

    Raises:
        ValueError: naming the column that does not fit.
    """
    prices = as_integers("price", price, None)
    sizes = as_integers("qty", qty, len(prices))
    if is_vector(side, _U1, len(prices)):
        return side, prices, sizes
    # Through int64, so that a side of -1 or 256 is refused and does not wrap into range.
    sides = as_integers("side", side, len(prices))
    return np.clip(sides, -1, 2).astype(np.uint8), prices, sizes
