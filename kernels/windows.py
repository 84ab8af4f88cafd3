# SPDX-License-Identifier: Apache-2.0
"""Windows of book rows as the networks read them: (100, 20, 4) float32.

Axes: row (oldest first), level (best first), then ask price, ask size, bid
price, bid size. Prices are ticks minus the mid of the window's last row (or,
where asked, of each row's own mid); sizes are ln(1 + lots * lot_size). Rows
are encoded once, on arrival: the size needs its logarithm once, and the price
is kept relative to an anchor tick, so that reading a window is one subtraction
per value, in vectors.

Ticks within 2**22 of the anchor, and the half ticks of a mid, are exact in
float32; the result then equals float64 arithmetic rounded once. The anchor
follows the market.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import as_integers, checked
from kernels._jit import kernel, part
from kernels.book_levels import LEVELS
from kernels.row_encoding import CHANNELS, ROW_VALUES, encode_row, write_window

__all__ = [
    "ASK_SIZES",
    "BID_SIZES",
    "CHANNELS",
    "EXACT_TICKS",
    "FIELDS",
    "FILLED",
    "LEVELS",
    "META_ROWS",
    "ROWS",
    "ROW_VALUES",
    "BookWindow",
    "EncodedRows",
    "checked_window",
    "encode_rows",
    "gather_windows",
    "push_row",
    "read_ring",
]

ROWS = 100

#: Rows of a ring's ``meta``: its fields, the sizes of the last row's asks, of its bids.
FIELDS = 0
ASK_SIZES = 1
BID_SIZES = 2
META_ROWS = 3
#: Its fields: where the next row goes, rows seen (at most 100), anchor, last mid doubled.
NEXT = 0
FILLED = 1
ANCHOR = 2
MID2 = 3
EXACT_TICKS = 1 << 22

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@part()
def follow(ring: Floats, fields: Integers, mid: int) -> None:
    """Move a ring's anchor to ``mid``, in ticks, where the market has left the last one."""
    moved = np.float32(mid - fields[ANCHOR])
    fields[ANCHOR] = mid
    for row in range(len(ring)):
        for k in range(0, ROW_VALUES, 2):
            ring[row, k] -= moved


@kernel("void(f4[:,::1], i8[:,::1], i8[::1], i8[::1], i8[::1], i8[::1], f8)", brief=True)
def push_row(
    ring: Floats,
    meta: Integers,
    ask_px: Integers,
    ask_qty: Integers,
    bid_px: Integers,
    bid_qty: Integers,
    lot_size: float,
) -> None:
    """Add one book row to a ring.

    ring (200, 80): each row is written twice, 100 places apart, so that the
    last 100 always lie side by side. meta (3, 20): see the rows and fields above.
    """
    fields = meta[FIELDS]
    mid2 = ask_px[0] + bid_px[0]
    if fields[FILLED] == 0:
        fields[ANCHOR] = mid2 >> 1
        meta[ASK_SIZES:] = -1
    elif abs((mid2 >> 1) - fields[ANCHOR]) > EXACT_TICKS // 2:
        follow(ring, fields, mid2 >> 1)
    place = fields[NEXT]
    row, twin = ring[place], ring[place + ROWS]
    encode_row(
        ask_px, ask_qty, bid_px, bid_qty, meta[ASK_SIZES], meta[BID_SIZES], ring[place + ROWS - 1],
        fields[ANCHOR], lot_size, row,
    )  # fmt: skip
    for k in range(ROW_VALUES):
        twin[k] = row[k]
    for i in range(LEVELS):
        meta[ASK_SIZES, i] = ask_qty[i]
        meta[BID_SIZES, i] = bid_qty[i]
    fields[NEXT] = (place + 1) % ROWS
    fields[FILLED] = min(fields[FILLED] + 1, ROWS)
    fields[MID2] = mid2


@kernel("void(f4[:,::1], i8[:,::1], b1, f4[:,:,::1])", brief=True)
def read_ring(ring: Floats, meta: Integers, own_mid: bool, out: Floats) -> None:
    """Write the last 100 rows, oldest first, to out (100, 20, 4); rows not yet seen are 0."""
    fields = meta[FIELDS]
    mid = np.float32(0.5 * (fields[MID2] - 2 * fields[ANCHOR]))
    missing = ROWS - fields[FILLED]
    flat = out.reshape(out.size)
    flat[: missing * ROW_VALUES] = 0.0
    rows = ring[fields[NEXT] + missing : fields[NEXT] + ROWS]
    write_window(rows, mid, own_mid, flat[missing * ROW_VALUES :])


@kernel("void(i8[:,::1], i8[:,::1], i8[:,::1], i8[:,::1], i8[::1], i8, f8, f4[:,::1], f4[::1])")
def encode_rows_kernel(
    ask_px: Integers,
    ask_qty: Integers,
    bid_px: Integers,
    bid_qty: Integers,
    none: Integers,
    anchor: int,
    lot_size: float,
    values: Floats,
    mids: Floats,
) -> None:
    """Encode N book rows against one anchor: values (N, 80), mids (N,) relative to the anchor.

    none (20,): -1 throughout, the sizes before the first row.
    """
    for n in range(len(values)):
        last = n - 1 if n > 0 else 0
        encode_row(
            ask_px[n], ask_qty[n], bid_px[n], bid_qty[n], ask_qty[last] if n > 0 else none,
            bid_qty[last] if n > 0 else none, values[last], anchor, lot_size, values[n],
        )  # fmt: skip
        mids[n] = np.float32(0.5 * (ask_px[n, 0] + bid_px[n, 0] - 2 * anchor))


@kernel("void(f4[:,::1], f4[::1], i8[::1], b1, f4[:,::1])")
def gather_windows(values: Floats, mids: Floats, ends: Integers, own_mid: bool, out: Floats) -> None:
    """Write the window that ends at each of ``ends`` (inclusive) to out (W, 8000), from values (N, 80)."""
    for w in range(len(ends)):
        end = ends[w]
        write_window(values[end + 1 - ROWS : end + 1], mids[end], own_mid, out[w])


class BookWindow:
    """The last 100 rows of one symbol's book, ready to be read as a network's input."""

    __slots__ = ("_lot_size", "_meta", "_ring")

    def __init__(self, *, lot_size: float) -> None:
        """``lot_size``: units per lot; sizes become ln(1 + lots * lot_size). 1.0 keeps them in lots.

        Raises:
            ValueError: where it is not a positive number.
        """
        self._lot_size = checked_lot_size(lot_size)
        self._ring = np.zeros((2 * ROWS, ROW_VALUES), np.float32)
        self._meta = np.zeros((META_ROWS, LEVELS), np.int64)

    @property
    def state(self) -> tuple[Floats, Integers]:
        """The arrays that the raw kernels take first: ring, meta."""
        return self._ring, self._meta

    @property
    def warm(self) -> bool:
        """True once 100 rows are in."""
        return bool(self._meta[FIELDS, FILLED] == ROWS)

    @property
    def filled(self) -> int:
        """Rows held, at most 100."""
        return int(self._meta[FIELDS, FILLED])

    def clear(self) -> None:
        """Forget every row, as after a gap in the market data."""
        self._meta[:] = 0

    def push(self, ask_px: Integers, ask_qty: Integers, bid_px: Integers, bid_qty: Integers) -> None:
        """Add the best 20 levels of each side, as ``OrderBook`` shows them; both sides must hold a level.

        Raises:
            ValueError: where an array is not (20,) int64, or a side is empty and there is no mid.
        """
        row = (
            checked("ask_px", ask_px, np.int64, (LEVELS,)),
            checked("ask_qty", ask_qty, np.int64, (LEVELS,)),
            checked("bid_px", bid_px, np.int64, (LEVELS,)),
            checked("bid_qty", bid_qty, np.int64, (LEVELS,)),
        )
        if ask_qty[0] <= 0 or bid_qty[0] <= 0:
            raise ValueError(
                "ask_qty, bid_qty: a side is empty, so there is no mid; wait until both hold a level"
            )
        push_row(self._ring, self._meta, *row, self._lot_size)

    def read(self, out: Floats, *, own_mid: bool = False) -> bool:
        """Fill ``out`` (100, 20, 4) float32; True where it is warm. Rows not yet seen are 0, at the front.

        Prices are relative to the last row's mid, with ``own_mid`` to each row's own.

        Raises:
            ValueError: where ``out`` has another shape, dtype or memory order.
        """
        read_ring(self._ring, self._meta, own_mid, checked_window("out", out))
        return self.warm


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """N book rows encoded once, from which any number of windows is cut.

    values (N, 20, 4) float32: prices relative to one anchor tick, sizes as ln(1 + size).
    mids (N,) float32: each row's mid, relative to the same anchor.
    """

    values: Floats
    mids: Floats

    def __len__(self) -> int:
        return len(self.mids)

    def windows(self, ends: Any, out: Floats | None = None, *, own_mid: bool = False) -> Floats:
        """The windows that end at rows ``ends`` (inclusive, each at least 99): (W, 100, 20, 4) float32.

        Prices are relative to the last row's mid, with ``own_mid`` to each row's own. Without ``out``
        a new array is made.

        Raises:
            ValueError: where an end has fewer than 99 rows before it or lies past the last row,
                or where ``out`` does not fit.
        """
        wanted = as_integers("ends", ends, None)
        if len(wanted) and (wanted.min() < ROWS - 1 or wanted.max() >= len(self)):
            raise ValueError(f"ends: rows must lie in {ROWS - 1}..{len(self) - 1}; drop the others")
        shape = (len(wanted), ROWS, LEVELS, CHANNELS)
        filled = (
            np.empty(shape, np.float32)
            if out is None
            else checked("out", out, np.float32, shape, writeable=True)
        )
        flat = self.values.reshape(-1, ROW_VALUES), filled.reshape(-1, ROWS * ROW_VALUES)
        gather_windows(flat[0], self.mids, wanted, own_mid, flat[1])
        return filled


def encode_rows(ask_px: Any, ask_qty: Any, bid_px: Any, bid_qty: Any, *, lot_size: float) -> EncodedRows:
    """Encode N book rows (each argument (N, 20), whole ticks or lots) for cutting windows.

    Raises:
        ValueError: naming the argument that does not fit; also where prices lie further than
            2**22 ticks from the first mid, which float32 cannot hold exactly.
    """
    asks = as_integers("ask_px", ask_px, None, LEVELS)
    rows = len(asks)
    columns = (
        asks,
        as_integers("ask_qty", ask_qty, rows, LEVELS),
        as_integers("bid_px", bid_px, rows, LEVELS),
        as_integers("bid_qty", bid_qty, rows, LEVELS),
    )
    anchor = int(asks[0, 0] + columns[2][0, 0]) >> 1 if rows else 0
    for name, prices in (("ask_px", asks), ("bid_px", columns[2])):
        if rows and np.abs(prices - anchor).max() > EXACT_TICKS:
            raise ValueError(
                f"{name}: prices lie more than {EXACT_TICKS} ticks from the first mid; split the rows"
            )
    encoded = EncodedRows(np.empty((rows, LEVELS, CHANNELS), np.float32), np.empty(rows, np.float32))
    none = np.full(LEVELS, -1, np.int64)
    flat = encoded.values.reshape(-1, ROW_VALUES)
    encode_rows_kernel(*columns, none, anchor, checked_lot_size(lot_size), flat, encoded.mids)
    return encoded


def checked_lot_size(lot_size: float) -> float:
    """``lot_size`` as a float; ValueError where it is not a positive finite number."""
    if not (math.isfinite(lot_size) and lot_size > 0):
        raise ValueError(f"lot_size: {lot_size} is not a positive number; give the units of one lot")
    return float(lot_size)


def checked_window(name: str, window: Any) -> Floats:
    """``window`` if it is a writeable C-contiguous (100, 20, 4) float32 array; else ValueError."""
    return checked(name, window, np.float32, (ROWS, LEVELS, CHANNELS), writeable=True)
