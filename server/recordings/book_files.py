# SPDX-License-Identifier: Apache-2.0
"""Read ``*.book20.npz`` and ``*.events.npz``: the arrays of an order-book recording, checked.

Needs NumPy alone, so a client can replay a file without kernels or networks.
N book rows, E event rows.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from server.recordings.arrays import read_npz
from server.recordings.errors import RecordingError

BOOK_SUFFIX = ".book20.npz"
EVENTS_SUFFIX = ".events.npz"
LEVELS = 20

SNAPSHOT, UPDATE, TRADE, QUOTE = range(4)
ASK, BID = 0, 1

Integers = NDArray[np.int64]
Table = TypeVar("Table", "BookRows", "EventTable")


@dataclass(frozen=True, slots=True)
class RecordingMeta:
    """What was recorded: prices in ticks of ``tick_size``, sizes in lots of ``lot_size`` ``qty_unit``.

    ``snapshot_update_id`` is the exchange's id of the last update within the
    first snapshot; 0: unknown.
    """

    symbol: str
    market: str
    tick_size: float
    lot_size: float
    qty_unit: str = ""
    venue: str = ""
    source: str = ""
    note: str = ""
    license: str = ""
    snapshot_update_id: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class BookRows:
    """State of the best 20 levels after each depth message, best first.

    recv_us, exch_ms, update_id (N,): when received (µs), when sent (ms), last update id.
    ask_px, bid_px (N, 20) ticks; ask_qty, bid_qty (N, 20) lots.
    trade_n, trade_buy_qty, trade_sell_qty (N,): trades since the previous row, lots by aggressor.
    last_trade_px (N,): ticks, 0 before the first trade.
    """

    recv_us: Integers
    exch_ms: Integers
    update_id: Integers
    ask_px: Integers
    ask_qty: Integers
    bid_px: Integers
    bid_qty: Integers
    trade_n: Integers
    trade_buy_qty: Integers
    trade_sell_qty: Integers
    last_trade_px: Integers

    def __len__(self) -> int:
        """How many rows."""
        return len(self.recv_us)


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """Everything that was received, in order; rows of one ``msg`` belong together.

    recv_us, exch_ms, msg (E,): when received (µs), when sent (ms, -1 or 0 where not said), message.
    kind (E,): 0 snapshot level, 1 new size of a level, 2 trade, 3 best bid or ask.
    side (E,): 0 ask, 1 bid; of a trade the aggressor (1 = buyer). price (E,) ticks. qty (E,) lots.
    """

    recv_us: Integers
    exch_ms: Integers
    msg: Integers
    kind: Integers
    side: Integers
    price: Integers
    qty: Integers

    def __len__(self) -> int:
        """How many rows."""
        return len(self.recv_us)


def read_book(path: Path) -> tuple[RecordingMeta, BookRows]:
    """A ``*.book20.npz`` file.

    Raises:
        RecordingError: it does not fit the schema; names file and column.
    """
    arrays = read_npz(path)
    rows = _columns(path, arrays, BookRows, wide={"ask_px", "ask_qty", "bid_px", "bid_qty"})
    _ascending(path, "recv_us", rows.recv_us)
    for name, best_first in (("ask_px", rows.ask_px), ("bid_px", -rows.bid_px)):
        _want(path, name, np.diff(best_first, axis=1) > 0, "levels must be best first, without repeats")
    for name in ("ask_qty", "bid_qty"):
        _want(path, name, getattr(rows, name) > 0, "sizes must be > 0")
    _want(path, "bid_px", rows.bid_px[:, 0] < rows.ask_px[:, 0], "the best bid must be below the best ask")
    return _meta(path, arrays), rows


def read_events(path: Path) -> tuple[RecordingMeta, EventTable]:
    """A ``*.events.npz`` file.

    Raises:
        RecordingError: it does not fit the schema; names file and column.
    """
    arrays = read_npz(path)
    table = _columns(path, arrays, EventTable, wide=set())
    _ascending(path, "recv_us", table.recv_us)
    _ascending(path, "msg", table.msg)
    _want(path, "kind", (table.kind >= SNAPSHOT) & (table.kind <= QUOTE), "values must be 0 to 3")
    _want(path, "side", (table.side == ASK) | (table.side == BID), "values must be 0 or 1")
    _want(path, "qty", table.qty >= 0, "sizes must be >= 0")
    mixed = (np.diff(table.kind) != 0) & (np.diff(table.msg) == 0)
    _want(path, "kind", ~mixed, "must be the same in all rows of a message")
    return _meta(path, arrays), table


def _columns(path: Path, arrays: dict[str, NDArray[Any]], kind: type[Table], wide: set[str]) -> Table:
    rows = len(_column(path, arrays, "recv_us"))
    columns = {}
    for field in fields(kind):
        column = _column(path, arrays, field.name)
        shape = (rows, LEVELS) if field.name in wide else (rows,)
        if column.shape != shape:
            raise RecordingError(path, field.name, f"has shape {column.shape}; wanted: {shape}")
        columns[field.name] = column.astype(np.int64)
    return kind(**columns)


def _column(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise RecordingError(path, name, "is missing")
    column = arrays[name]
    if column.dtype.kind not in "iu" or column.ndim == 0:
        raise RecordingError(
            path, name, f"is {column.dtype} of {column.ndim} axes; wanted: a column of integers"
        )
    return column


def _meta(path: Path, arrays: dict[str, NDArray[Any]]) -> RecordingMeta:
    if "meta" not in arrays:
        raise RecordingError(
            path, "meta", "is missing; wanted: a JSON object with symbol, tick_size, lot_size"
        )
    try:
        stored = json.loads(str(arrays["meta"]))
        known = {field.name: stored[field.name] for field in fields(RecordingMeta) if field.name in stored}
        meta = RecordingMeta(**known)
    except (ValueError, TypeError) as error:
        raise RecordingError(
            path, "meta", f"wants symbol, market, tick_size and lot_size ({error})"
        ) from None
    for name in ("tick_size", "lot_size"):
        _want(path, "meta", np.asarray(getattr(meta, name) > 0), f"{name} must be > 0")
    return meta


def _ascending(path: Path, name: str, column: Integers) -> None:
    _want(path, name, np.diff(column) >= 0, "must not decrease")


def _want(path: Path, name: str, holds: NDArray[Any], rule: str) -> None:
    """Refuse the file where a rule does not hold; says in which row first."""
    if not holds.all():
        row = int(np.argwhere(~np.atleast_1d(holds))[0][0])
        raise RecordingError(path, name, f"{rule} (row {row})")
