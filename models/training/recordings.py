# SPDX-License-Identifier: Apache-2.0
"""Order-book recordings: ``NAME.book20.npz`` or the same as Parquet, one row per depth message."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUFFIX = ".book20.npz"
PARQUET = ".parquet"
LEVELS = 20
_TABLES = ("ask_px", "ask_qty", "bid_px", "bid_qty")
_TRADES = ("trade_buy_qty", "trade_sell_qty", "last_trade_px")
_COLUMNS = ("recv_us", *_TRADES)
#: What a file that is no archive, or a torn one, makes numpy raise.
_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)

Arrays = dict[str, NDArray[Any]]


class RecordingError(ValueError):
    """A recording is missing, damaged or in another schema; the message says which field."""


@dataclass(frozen=True, slots=True)
class Recording:
    """N book rows of one instrument, oldest first.

    ask_px, bid_px (N, 20): whole ticks, best first; ask_qty, bid_qty (N, 20):
    whole lots. recv_us (N,): receive time, microseconds since the epoch.
    trade_buy_qty, trade_sell_qty (N,): lots traded since the previous row, by
    the side that took; last_trade_px (N,): 0 before the first. All three are 0
    where the file holds no trades. ``sha256`` is the hash of the file.
    """

    name: str
    sha256: str
    symbol: str
    venue: str
    source: str
    tick_size: float
    lot_size: float
    recv_us: NDArray[np.int64]
    ask_px: NDArray[np.int64]
    ask_qty: NDArray[np.int64]
    bid_px: NDArray[np.int64]
    bid_qty: NDArray[np.int64]
    trade_buy_qty: NDArray[np.int64]
    trade_sell_qty: NDArray[np.int64]
    last_trade_px: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.recv_us)

    def part(self, start: int, stop: int) -> "Recording":
        """Rows [start, stop), under the same name and hash."""
        arrays = {name: getattr(self, name)[start:stop] for name in (*_TABLES, *_COLUMNS)}
        scalars = ("name", "sha256", "symbol", "venue", "source", "tick_size", "lot_size")
        return Recording(**{name: getattr(self, name) for name in scalars}, **arrays)


def read_recording(path: str | Path) -> Recording:
    """Read and check one ``.book20.npz``, or one ``.parquet`` with the arrays as columns.

    Columns of a book hold lists of 20; ``meta`` is a column of one text, the same in every row.

    Raises:
        RecordingError: the file cannot be read, lacks an array, or an array does not fit.
    """
    file = Path(path)
    digest, arrays = _read_arrays(file)
    meta = _read_meta(file, arrays.pop("meta"))
    rows = arrays["recv_us"].size
    arrays |= {name: np.zeros(rows, np.int64) for name in _TRADES if name not in arrays}
    for name in _COLUMNS:
        _check(file, name, arrays[name], (rows,))
    for name in _TABLES:
        _check(file, name, arrays[name], (rows, LEVELS))
    whole = {name: array.astype(np.int64) for name, array in arrays.items()}
    _check_books(file, whole)
    _check_trades(file, whole)
    return Recording(
        name=file.name.removesuffix(SUFFIX).removesuffix(PARQUET),
        sha256=digest,
        symbol=str(meta.get("symbol", "")),
        venue=str(meta.get("venue", "")),
        source=str(meta.get("source", "")),
        tick_size=_positive(file, meta, "tick_size"),
        lot_size=_positive(file, meta, "lot_size"),
        **whole,
    )


def read_archive(file: Path, names: Sequence[str], optional: Sequence[str] = ()) -> Arrays:
    """Named arrays of an ``.npz``, and those of ``optional`` that it has. Nothing is unpickled.

    Raises:
        RecordingError: it cannot be read, or lacks an array.
    """
    try:
        if not zipfile.is_zipfile(file):  # of such a file NumPy would say that it might be unpickled
            raise ValueError("it is none, or cut short")
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            present = [*names, *(name for name in optional if name in archive.files)]
            return {name: archive[name] for name in present}
    except KeyError as error:
        raise RecordingError(f"{file}: {error.args[0]}; it must hold {', '.join(names)}") from None
    except _UNREADABLE as error:
        raise RecordingError(f"{file}: cannot be read as an .npz archive of arrays: {error}") from error


def read_parquet(file: Path, names: Sequence[str], optional: Sequence[str] = ()) -> Arrays:
    """Named columns of a Parquet file, lists as rows of a table, and those of ``optional`` that it has.

    A column of texts gives its only one.

    Raises:
        RecordingError: it cannot be read, lacks a column or a value, or what should be alike differs.
    """
    import polars as pl  # noqa: PLC0415 - most recordings are none, and it takes most of a second

    try:
        known = pl.read_parquet_schema(file)
        if missing := [name for name in names if name not in known]:
            raise RecordingError(f"{file}: lacks {missing[0]}; it must hold {', '.join(names)}")
        table = pl.read_parquet(file, columns=[name for name in (*names, *optional) if name in known])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RecordingError(f"{file}: cannot be read as Parquet: {error}") from error
    return {column.name: _array(file, column) for column in table}


def _array(file: Path, column: Any) -> NDArray[Any]:
    """A column as (N,), one of lists as (N, their length), one of texts as the text, ()."""
    if column.null_count():
        raise RecordingError(f"{file}: {column.name}: has rows without a value")
    if str(column.dtype).startswith("Array("):
        column = column.arr.to_list()
    if column.dtype.is_nested() and column.list.len().n_unique() > 1:
        raise RecordingError(f"{file}: {column.name}: its lists differ in length")
    if str(column.dtype) == "String":
        if column.n_unique() != 1:
            raise RecordingError(f"{file}: {column.name}: must hold one text, the same in every row")
        return np.array(column[0])
    if not column.dtype.is_nested():
        return np.asarray(column.to_numpy())
    return np.asarray(column.explode().to_numpy()).reshape(len(column), -1)


def _read_arrays(file: Path) -> tuple[str, Arrays]:
    """Hash of the file and its arrays."""
    needed = (*_TABLES, "recv_us", "meta")
    read = read_parquet if file.suffix == PARQUET else read_archive
    arrays = read(file, needed, _TRADES)
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest(), arrays


def _read_meta(file: Path, array: NDArray[Any]) -> dict[str, Any]:
    try:
        meta = json.loads(str(array))
    except json.JSONDecodeError as error:
        raise RecordingError(f"{file}: meta: not a JSON string: {error}") from None
    if not isinstance(meta, dict):
        raise RecordingError(f"{file}: meta: not a JSON object")
    return meta


def _positive(file: Path, meta: dict[str, Any], field: str) -> float:
    value = meta.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise RecordingError(f"{file}: meta.{field}: {value!r} is not a positive number")
    return float(value)


def _check(file: Path, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
        raise RecordingError(f"{file}: {name}: {array.dtype} {array.shape}; expected integers {shape}")


def _check_books(file: Path, arrays: Arrays) -> None:
    crossed = np.flatnonzero(arrays["bid_px"][:, 0] >= arrays["ask_px"][:, 0])
    if len(crossed):
        raise RecordingError(f"{file}: bid_px: row {crossed[0]} is crossed (best bid at or above best ask)")
    for name, outwards in (("ask_px", 1), ("bid_px", -1)):
        _refuse(file, name, (arrays[name] < 1).any(axis=1), "has a price below one tick")
        _refuse(
            file, name, (outwards * np.diff(arrays[name], axis=1) <= 0).any(axis=1), "is not best price first"
        )
    for name in ("ask_qty", "bid_qty"):
        _refuse(file, name, (arrays[name] < 0).any(axis=1), "has a size below 0")
    if np.any(np.diff(arrays["recv_us"]) < 0):
        raise RecordingError(f"{file}: recv_us: time runs backwards")


def _check_trades(file: Path, arrays: Arrays) -> None:
    for name in ("trade_buy_qty", "trade_sell_qty"):
        _refuse(file, name, arrays[name] < 0, "has a size below 0")
        _refuse(file, "last_trade_px", (arrays[name] > 0) & (arrays["last_trade_px"] < 1), "has no price")


def _refuse(file: Path, name: str, faulty: ArrayLike, fault: str) -> None:
    rows = np.flatnonzero(faulty)
    if len(rows):
        raise RecordingError(f"{file}: {name}: row {rows[0]} {fault}")
