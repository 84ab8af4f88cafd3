# SPDX-License-Identifier: Apache-2.0
"""Order books: windows against memcpy, NumPy and torch; replay, indicators and labels against peers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import talib
import torch

from benchmarks.kernels import book_inputs as inputs
from benchmarks.kernels.alternate import Case
from kernels import labels, scaling, window_norms, windows
from kernels.book import OrderBook
from kernels.features.market import MarketFeatures
from kernels.features.table import candle_table, feature_table
from kernels.recording import replay

MANY = 256
ROWS = 2000
PEER_ROWS = 60_000
f4 = np.float32
Call = Callable[[], Any]


def cases() -> Iterator[Case]:
    """Every order-book case."""
    for count in (1, MANY):
        work = Windows(count)
        yield from work.cases()
    yield feature_matrix_case()
    yield from label_cases()
    with ExitStack() as stack:
        yield from replay_cases(stack)
    yield from indicator_cases()
    yield from feature_cases()


class Windows:
    """One window or 256 of them, cut from the same rows by everybody."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.book = inputs.books(ROWS)
        self.rows = inputs.encoded(ROWS)
        self.flat = self.rows.values.reshape(-1, windows.ROW_VALUES)
        random = np.random.default_rng(1)
        self.ends = np.sort(random.integers(99, ROWS, count)) if count > 1 else np.array([ROWS - 1])
        self.x = self.rows.windows(self.ends)
        self.out = np.empty_like(self.x)
        self.copied = np.empty_like(self.x)
        self.wide = self.out.reshape(count, -1)
        self.scratch = np.empty((4, windows.ROWS), f4)
        self.torch_x = torch.from_numpy(self.x)
        self.torch_rows = torch.from_numpy(self.rows.values)
        self.places = self.ends[:, None] + np.arange(-99, 1)

    def cases(self) -> Iterator[Case]:
        shape = "(100, 20, 4)" if self.count == 1 else f"({self.count}, 100, 20, 4)"
        for work, contenders, tolerance in (
            ("prices from the last row's mid", self.last_mid(), 1e-5),
            ("prices from each row's own mid", self.own_mid(), 1e-5),
            ("z-score by fitted columns", self.fitted(), 1e-5),
            ("robust scaling, clip, NaN to 0", self.robust(), 1e-5),
            # Constant columns: float32 means of NumPy and torch leave noise, which the clamp magnifies.
            ("z-score of columns over the window", self.columns(), 0.2),
            ("z-score of each row's prices and sizes", self.each_row(), 1e-4),
            ("bilinear (BiN)", self.bilinear(), 0.5),
        ):
            calls = {**contenders, "memcpy": lambda: np.copyto(self.copied, self.x)}
            yield Case(f"{work}, {shape}", "ours", calls, tolerance=tolerance, floors=("memcpy",))

    def last_mid(self) -> dict[str, Call]:
        values, mids = self.rows.values, self.rows.mids
        offset = np.zeros((self.count, 1, 1, 4), f4)
        offset[..., ::2] = mids[self.ends, None, None, None]

        def ours() -> Any:
            windows.gather_windows(self.flat, mids, self.ends, False, self.wide)
            return self.out

        def from_ticks() -> Any:
            cut = [column[self.places] for column in self.book]
            mid = (cut[0][:, -1:, :1] + cut[2][:, -1:, :1]) / 2
            sizes = [np.log1p(column * 0.01) for column in (cut[1], cut[3])]
            return np.stack([cut[0] - mid, sizes[0], cut[2] - mid, sizes[1]], axis=-1).astype(f4)

        where, torch_offset = torch.from_numpy(self.places), torch.from_numpy(offset)
        return {
            "ours": ours,
            "NumPy, encoded rows": lambda: values[self.places] - offset,
            "NumPy, ticks and lots": from_ticks,
            "torch, encoded rows": lambda: self.torch_rows[where] - torch_offset,
        }

    def own_mid(self) -> dict[str, Call]:
        values = self.rows.values
        offset = np.zeros((ROWS, 1, 4), f4)
        offset[..., ::2] = self.rows.mids[:, None, None]

        def ours() -> Any:
            windows.gather_windows(self.flat, self.rows.mids, self.ends, True, self.wide)
            return self.out

        where, torch_offset = torch.from_numpy(self.places), torch.from_numpy(offset)
        return {
            "ours": ours,
            "NumPy, encoded rows": lambda: values[self.places] - offset[self.places],
            "torch, encoded rows": lambda: self.torch_rows[where] - torch_offset[where],
        }

    def scale(self, fitted: scaling.ColumnScaling) -> Call:
        rows = self.x.reshape(-1, 80), self.out.reshape(-1, 80)
        inverse, fill = 1.0 / fitted.scale, 0.0 if fitted.nan_to_zero else np.nan

        def ours() -> Any:
            scaling.scale_columns(rows[0], fitted.centre, inverse, fitted.clip, fill, rows[1])
            return self.out

        return ours

    def fitted(self) -> dict[str, Call]:
        fit = scaling.ColumnScaling.z_score(self.rows.values.reshape(ROWS, 80), shared=True)
        centre, scale = (value.astype(f4).reshape(20, 4) for value in (fit.centre, fit.scale))
        torch_centre, torch_scale = torch.from_numpy(centre), torch.from_numpy(scale)
        return {
            "ours": self.scale(fit),
            "NumPy": lambda: (self.x - centre) / scale,
            "torch": lambda: (self.torch_x - torch_centre) / torch_scale,
        }

    def robust(self) -> dict[str, Call]:
        fit = scaling.ColumnScaling.robust(self.rows.values.reshape(ROWS, 80))
        centre, scale = (value.astype(f4).reshape(20, 4) for value in (fit.centre, fit.scale))
        torch_centre, torch_scale = torch.from_numpy(centre), torch.from_numpy(scale)
        return {
            "ours": self.scale(fit),
            "NumPy": lambda: np.nan_to_num(np.clip((self.x - centre) / scale, -8, 8)),
            "torch": lambda: ((self.torch_x - torch_centre) / torch_scale).clamp(-8, 8).nan_to_num(),
        }

    def columns(self) -> dict[str, Call]:
        def ours() -> Any:
            window_norms.standardise_columns_kernel(self.x.reshape(self.count, -1), self.scratch, self.wide)
            return self.out

        def numpy() -> Any:
            deviation = np.maximum(self.x.std(1, keepdims=True), 1e-4)
            return (self.x - self.x.mean(1, keepdims=True)) / deviation

        def by_torch() -> Any:
            deviation, mean = torch.std_mean(self.torch_x, 1, correction=0, keepdim=True)
            return (self.torch_x - mean) / deviation.clamp_min(1e-4)

        return {"ours": ours, "NumPy": numpy, "torch": by_torch}

    def each_row(self) -> dict[str, Call]:
        rows = self.x.reshape(-1, 80), self.out.reshape(-1, 80)
        pairs = self.x.reshape(self.count, 100, 40, 2)

        def ours() -> Any:
            window_norms.standardise_rows_kernel(*rows)
            return self.out

        def numpy() -> Any:
            deviation = np.maximum(pairs.std(2, keepdims=True), 1e-4)
            return ((pairs - pairs.mean(2, keepdims=True)) / deviation).reshape(self.x.shape)

        torch_pairs = torch.from_numpy(pairs)

        def by_torch() -> Any:
            deviation, mean = torch.std_mean(torch_pairs, 2, correction=0, keepdim=True)
            return ((torch_pairs - mean) / deviation.clamp_min(1e-4)).reshape(self.x.shape)

        return {"ours": ours, "NumPy": numpy, "torch": by_torch}

    def bilinear(self) -> dict[str, Call]:
        random = np.random.default_rng(2)
        l1, b1, l2, b2 = (random.normal(size=size).astype(f4) for size in (80, 80, 100, 100))
        weights = np.concatenate([l1, b1, l2, b2, np.array([0.7, 0.3], f4)])
        flat = self.torch_x.reshape(self.count, 100, 80)
        by_column, by_row = (torch.from_numpy(v) for v in (l1, l2[:, None].copy()))
        shift, row_shift = (torch.from_numpy(v) for v in (b1, b2[:, None].copy()))

        def ours() -> Any:
            x = self.x.reshape(self.count, -1)
            window_norms.bilinear_kernel(x, weights, self.scratch, self.wide)
            return self.out

        def by_torch() -> Any:
            deviation, mean = torch.std_mean(flat, 1, correction=0, keepdim=True)
            columns = by_column * (flat - mean) / deviation.clamp_min(1e-4) + shift
            deviation, mean = torch.std_mean(flat, 2, correction=0, keepdim=True)
            rows = by_row * (flat - mean) / deviation.clamp_min(1e-4) + row_shift
            return (0.7 * columns + 0.3 * rows).reshape(self.x.shape)

        return {"ours": ours, "torch": by_torch}


def feature_matrix_case() -> Case:
    """What a network's (60, 112) input costs."""
    x = np.random.default_rng(3).normal(size=(60, 112)).astype(f4)
    x[:10, 7] = np.nan
    fit = scaling.ColumnScaling.robust(x)
    out, copied = np.empty_like(x), np.empty_like(x)
    centre, scale = fit.centre.astype(f4), fit.scale.astype(f4)

    def ours() -> Any:
        scaling.scale_columns(x, fit.centre, 1.0 / fit.scale, 8.0, 0.0, out)
        return out

    calls = {
        "ours": ours,
        "NumPy": lambda: np.nan_to_num(np.clip((x - centre) / scale, -8, 8)),
        "memcpy": lambda: np.copyto(copied, x),
    }
    return Case("robust scaling of 60 feature rows", "ours", calls, tolerance=1e-4, floors=("memcpy",))


def label_cases() -> Iterator[Case]:
    """Decoupled changes of 50 rows' horizon."""
    book = inputs.books(60_000)
    mid2 = labels.doubled_mid(book[0], book[2])
    out = np.empty(len(mid2))

    def numpy() -> Any:
        sums = np.concatenate([[0], np.cumsum(mid2)])
        t = np.arange(9, len(mid2) - 50)
        before, after = sums[t + 1] - sums[t - 9], sums[t + 51] - sums[t + 41]
        result = np.full(len(mid2), np.nan)
        result[t] = (after - before) / before
        return result

    def ours() -> Any:
        labels.relative_change(mid2, 10, 41, 50, 1, out)
        return out

    yield Case("decoupled label changes", "ours", {"ours": ours, "NumPy": numpy}, len(mid2), 1e-12)


def replay_cases(stack: ExitStack) -> Iterator[Case]:
    """Level updates into a book: ours keeps 20 levels a side ready after every message."""
    for recording in (inputs.NEXO, inputs.DENSE) if inputs.folder() else ():
        given = inputs.events(recording, PEER_ROWS)

        def ours(given: Any = given) -> Any:
            book = OrderBook()
            replay(given, book)
            return [book.ask_px[0], book.bid_px[0]]

        calls: dict[str, Call] = {"ours": ours, "Python dicts": lambda given=given: plain_replay(given)}
        peer = stack.enter_context(inputs.peer_replay(recording, int(given.starts[-1])))
        if peer is not None:
            calls["hftbacktest, depth of one side of the feed"] = peer
        levels = int(np.count_nonzero(given.kind < 2))
        skipped = [] if peer is not None else [inputs.NO_PEER]
        yield Case(f"book replay, {recording}, per level", "ours", calls, levels, 0.0, skipped=skipped)


def plain_replay(events: Any) -> list[int]:
    """The book as two dicts, best prices only at the end."""
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for kind, side, price, qty in zip(
        *(column.tolist() for column in (events.kind, events.side, events.price, events.qty)), strict=True
    ):
        if kind < 2:
            if qty:
                sides[side][price] = qty
            else:
                sides[side].pop(price, None)
    return [min(sides[0]), max(sides[1])]


def indicator_cases() -> Iterator[Case]:
    """37 indicators over a history, and after one more candle."""
    candles = inputs.candles()
    if candles is None:
        return
    sizes = inputs.instrument(inputs.NEXO)
    columns = [np.ascontiguousarray(candles.table[:, k]) for k in range(5)]
    window = [column[-500:].copy() for column in columns]
    calls = {
        "ours, and 25 candle features": lambda: candle_table(candles, sizes)[1][-1],
        "TA-Lib": lambda: np.array([column[-1] for column in by_talib(*columns)]),
    }
    name = f"37 indicators of {len(candles)} candles"
    yield Case(name, "ours, and 25 candle features", calls, tolerance=1e-6)
    market = MarketFeatures(sizes)
    market.seed(candles)
    clock = [int(candles.start_us[-1]) + candles.length_us]

    def one_more() -> None:
        clock[0] += candles.length_us
        market.advance(clock[0])

    calls = {
        "ours, and 25 candle features": one_more,
        "TA-Lib over the last 500": lambda: [column[-1] for column in by_talib(*window)],
    }
    floors = ("TA-Lib over the last 500",)
    yield Case("37 indicators after one more candle", "ours, and 25 candle features", calls, floors=floors)


def by_talib(_opened: Any, h: Any, low: Any, x: Any, v: Any) -> list[Any]:
    """The same 37 columns, with the bands for the two that are made of them."""
    upper, _, lower = talib.BBANDS(x, 20, 2, 2, 0)
    return [
        talib.SMA(x, 20), talib.SMA(x, 50), talib.EMA(x, 12), talib.EMA(x, 26), talib.WMA(x, 20),
        talib.DEMA(x, 20), talib.TEMA(x, 20), talib.KAMA(x, 30), *talib.MACD(x, 12, 26, 9), talib.RSI(x, 14),
        talib.RSI(x, 6), *talib.STOCH(h, low, x, 5, 3, 0, 3, 0), *talib.STOCHRSI(x, 14, 5, 3, 0),
        talib.WILLR(h, low, x, 14), talib.CCI(h, low, x, 20), talib.CMO(x, 14), talib.MOM(x, 10),
        talib.ROC(x, 10), talib.TRIX(x, 15), talib.ULTOSC(h, low, x, 7, 14, 28), talib.ADX(h, low, x, 14),
        talib.PLUS_DI(h, low, x, 14), talib.MINUS_DI(h, low, x, 14), talib.AROONOSC(h, low, 14), upper, lower,
        talib.NATR(h, low, x, 14), talib.TRANGE(h, low, x), talib.SAR(h, low, 0.02, 0.2), talib.OBV(x, v),
        talib.ADOSC(h, low, x, v, 3, 10), talib.MFI(h, low, x, v, 14), talib.LINEARREG_SLOPE(x, 14),
    ]  # fmt: skip


def feature_cases() -> Iterator[Case]:
    """A recording's feature table: ours replays the book and makes all 112, NumPy only the 20 simplest."""
    if not inputs.folder():
        return
    given = inputs.events(inputs.NEXO, PEER_ROWS)
    sizes = inputs.instrument(inputs.NEXO)
    rows = replay(given)

    def numpy() -> Any:
        mid = (rows.ask_px[:, :1] + rows.bid_px[:, :1]) / 2
        asks, bids = rows.ask_px[:, :5], rows.bid_px[:, :5]
        sides = [rows.ask_qty[:, :5], rows.bid_qty[:, :5]]
        logs = [np.log1p(side * sizes.lot_size) for side in sides]
        return np.hstack([(asks - mid) / mid * 1e4, (mid - bids) / mid * 1e4, *logs])

    name = "book and all 112 features"
    calls = {name: lambda: feature_table(given, sizes)[:, :20], "NumPy, 20 columns of ready books": numpy}
    yield Case("features of a recording, per row", name, calls, len(rows.trades), 1e-2)
