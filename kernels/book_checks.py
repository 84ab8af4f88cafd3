# SPDX-License-Identifier: Apache-2.0
"""What a message must satisfy before a book takes it in."""

import numpy as np
from numpy.typing import NDArray

from kernels import book_errors
from kernels._jit import part
from kernels.book_levels import BID, LAST_ID, OVERLAPS, UNKNOWN

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
