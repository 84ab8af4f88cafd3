# SPDX-License-Identifier: Apache-2.0
"""What the order-book benchmarks run on: real recordings where they are, else random books."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kernels.features.candles import Candles
from kernels.features.market import Instrument
from kernels.recording import Events
from kernels.windows import EncodedRows, encode_rows

NEXO = "nexousdt_spot_20240723_25_train70"
DENSE = "btcusdt_usdm_20240808"
LEVELS = ("ask_px", "ask_qty", "bid_px", "bid_qty")
PEER = Path(".venvs/book-peers/bin/python")
NO_DATA = "no recordings: set CONSILIENCE_DATA"
NO_PEER = "hftbacktest: no .venvs/book-peers (see benchmarks/kernels/book_peer.py)"


def folder() -> Path | None:
    """Where the recordings are."""
    root = os.environ.get("CONSILIENCE_DATA")
    found = Path(root) / "lob" if root else None
    return found if found and found.is_dir() else None


def recordings() -> list[str]:
    """Recordings with events, the longest first."""
    found = folder()
    paths = found.glob("*.events.npz") if found else ()
    return sorted((path.name.removesuffix(".events.npz") for path in paths), key=lambda name: name != NEXO)


def instrument(recording: str) -> Instrument:
    meta = json.loads(str(_table(recording, "book20")["meta"]))
    return Instrument(meta["tick_size"], meta["lot_size"])


def events(recording: str, rows: int | None = None) -> Events:
    """A recording's events or its first rows, without a last message that the cut would split."""
    table = _table(recording, "events")
    stop = len(table["msg"]) if rows is None else min(rows, len(table["msg"]))
    while stop < len(table["msg"]) and table["msg"][stop] == table["msg"][stop - 1]:
        stop -= 1
    columns = {name: table[name][:stop] for name in ("kind", "side", "price", "qty", "msg")}
    return Events.from_columns(**columns, time_us=np.maximum(table["exch_ms"][:stop], 0) * 1000)


def books(rows: int) -> list[np.ndarray]:
    """ask_px, ask_qty, bid_px, bid_qty (rows, 20) int64."""
    if folder():
        table = _table(NEXO, "book20")
        return [table[name][:rows].astype(np.int64) for name in LEVELS]
    random = np.random.default_rng(0)
    mid = 50_000 + np.cumsum(random.integers(-3, 4, rows))[:, None]
    gaps = np.cumsum(random.integers(1, 4, (2, rows, 20)), axis=-1)
    sizes = random.integers(1, 10_000_000, (2, rows, 20))
    return [mid + gaps[0], sizes[0], mid - gaps[1], sizes[1]]


def encoded(rows: int) -> EncodedRows:
    return encode_rows(*books(rows), lot_size=0.01)


def candles() -> Candles | None:
    """The recorded candles."""
    found = folder()
    if not found:
        return None
    table = np.loadtxt(found / f"{NEXO}.candles_1m.csv", delimiter=",", skiprows=1)
    sizes = instrument(NEXO)
    return Candles.from_prices(
        start_us=(table[:, 0] * 1000).astype(np.int64),
        prices=table[:, 1:5],
        volume=table[:, 5],
        quote_volume=table[:, 6],
        trades=table[:, 7],
        taker_buy_volume=table[:, 8],
        tick_size=sizes.tick_size,
        lot_size=sizes.lot_size,
    )


@cache
def _table(recording: str, kind: str) -> dict[str, Any]:
    found = folder()
    assert found, NO_DATA
    with np.load(found / f"{recording}.{kind}.npz") as table:
        return {name: table[name] for name in table.files}


class PeerReplay:
    """hftbacktest's replay, in its own process, timed by its own clock."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self) -> list[int]:
        return [int(word) for word in self._ask(1)[1:]]

    def seconds(self, repeats: int) -> float:
        """Seconds of one replay."""
        return float(self._ask(repeats)[0])

    def _ask(self, repeats: int) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{repeats}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().split()


@contextmanager
def peer_replay(recording: str, rows: int) -> Iterator[PeerReplay | None]:
    """The peer, ready to replay these rows, or None where it is not installed."""
    found = folder()
    if not (PEER.exists() and found):
        yield None
        return
    script = Path(__file__).with_name("book_peer.py")
    command = [str(PEER), str(script), str(found / f"{recording}.events.npz"), str(rows)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield PeerReplay(process)
        finally:
            process.stdin.close()
