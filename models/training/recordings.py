# SPDX-License-Identifier: Apache-2.0
"""Order-book recordings: ``NAME.book20.npz``, one row per depth message."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SUFFIX = ".book20.npz"
LEVELS = 20
_TABLES = ("ask_px", "ask_qty", "bid_px", "bid_qty")
_TRADES = ("trade_buy_qty", "trade_sell_qty", "last_trade_px")
_COLUMNS = ("recv_us", *_TRADES)


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
    """Read and check one ``.book20.npz``.

    Raises:
        RecordingError: the file cannot be read, lacks an array, or an array does not fit.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (*_TABLES, "recv_us", "meta")}
            arrays |= {name: archive[name] for name in _TRADES if name in archive.files}
    except KeyError as error:
        raise RecordingError(f"{file}: {error.args[0]}; a recording holds {', '.join(_TABLES)} ...") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RecordingError(f"{file}: cannot be read as a {SUFFIX} recording: {error}") from error
    meta = _read_meta(file, arrays.pop("meta"))
    rows = len(arrays["recv_us"])
    arrays |= {name: np.zeros(rows, np.int64) for name in _TRADES if name not in arrays}
    for name in _TABLES:
        _check(file, name, arrays[name], (rows, LEVELS))
    for name in _COLUMNS:
        _check(file, name, arrays[name], (rows,))
    _check_books(file, arrays)
    return Recording(
        name=file.name.removesuffix(SUFFIX),
        sha256=hashlib.sha256(content).hexdigest(),
        symbol=str(meta.get("symbol", "")),
        venue=str(meta.get("venue", "")),
        source=str(meta.get("source", "")),
        tick_size=_positive(file, meta, "tick_size"),
        lot_size=_positive(file, meta, "lot_size"),
        **{name: array.astype(np.int64) for name, array in arrays.items()},
    )


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
    if not isinstance(value, int | float) or not value > 0:
        raise RecordingError(f"{file}: meta.{field}: {value!r} is not a positive number")
    return float(value)


def _check(file: Path, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
        raise RecordingError(f"{file}: {name}: {array.dtype} {array.shape}; expected integers {shape}")


def _check_books(file: Path, arrays: dict[str, NDArray[Any]]) -> None:
    crossed = np.flatnonzero(arrays["bid_px"][:, 0] >= arrays["ask_px"][:, 0])
    if len(crossed):
        raise RecordingError(f"{file}: bid_px: row {crossed[0]} is crossed (best bid at or above best ask)")
    for name in ("ask_qty", "bid_qty"):
        if arrays[name].size and arrays[name].min() < 0:
            raise RecordingError(f"{file}: {name}: a size is below 0")
    if np.any(np.diff(arrays["recv_us"]) < 0):
        raise RecordingError(f"{file}: recv_us: time runs backwards")
