# SPDX-License-Identifier: Apache-2.0
"""FEATURES.md, sections A and B, as plain NumPy: one row at a time, without state."""

import math
from dataclasses import dataclass

import numpy as np

BP = 1e4


def ratio(a: float, b: float) -> float:
    return a / b if b else 0.0


@dataclass
class Rows:
    """Book rows in ticks and lots, lots traded since the row before, times in seconds."""

    ask_px: np.ndarray
    ask_qty: np.ndarray
    bid_px: np.ndarray
    bid_qty: np.ndarray
    buy_qty: np.ndarray
    sell_qty: np.ndarray
    time_s: np.ndarray
    lot_size: float


def snapshot_features(r: Rows, n: int) -> list[float]:
    """Columns 0-35 of row n."""
    pa, pb = r.ask_px[n].astype(float), r.bid_px[n].astype(float)
    la, lb = r.ask_qty[n].astype(float), r.bid_qty[n].astype(float)
    va, vb = la * r.lot_size, lb * r.lot_size
    m = (pa[0] + pb[0]) / 2
    out = [*((pa[:5] - m) / m * BP), *((m - pb[:5]) / m * BP), *np.log(1 + va[:5]), *np.log(1 + vb[:5])]
    out += [(pa[0] - pb[0]) / m * BP, pa[0] - pb[0]]
    out.append(((pa[0] * vb[0] + pb[0] * va[0]) / (va[0] + vb[0]) - m) / m * BP)
    five = slice(0, 5)
    out.append(((pa * vb + pb * va)[five].sum() / (va + vb)[five].sum() - m) / m * BP)
    mean_ask = (pa * va)[five].sum() / va[five].sum()
    mean_bid = (pb * vb)[five].sum() / vb[five].sum()
    out.append((mean_ask - mean_bid) / m * BP)
    out.append(((pa[9] - pa[0]) - (pb[0] - pb[9])) / m * BP)
    out += [ratio(vb[:k].sum() - va[:k].sum(), vb[:k].sum() + va[:k].sum()) for k in (1, 3, 5, 10, 20)]
    decay = np.exp(-0.5 * np.arange(10))
    out.append(ratio((decay * (vb - va)[:10]).sum(), (decay * (vb + va)[:10]).sum()))
    out += [math.log(1 + vb[:10].sum()), math.log(1 + va[:10].sum())]
    out += [plain_slope(pb, lb), plain_slope(pa, la)]
    return out


def plain_slope(p: np.ndarray, lots: np.ndarray) -> float:
    v = np.log(1 + np.cumsum(lots))
    terms = [ratio(ratio(v[i + 1], v[i]) - 1, abs(p[i + 1] / p[i] - 1)) for i in range(9)]
    return sum(terms) / 9


def fill_price(p: np.ndarray, lots: np.ndarray, size: float) -> float:
    ends = np.minimum(np.cumsum(lots), size)
    taken = np.diff(ends, prepend=0)
    taken[-1] += size - ends[-1]
    return (taken * p).sum() / size


def order_flow(r: Rows, n: int, i: int) -> float:
    """e_i between rows n - 1 and n, in lots."""
    pb, pb0, pa, pa0 = r.bid_px[n, i], r.bid_px[n - 1, i], r.ask_px[n, i], r.ask_px[n - 1, i]
    return (
        (pb >= pb0) * float(r.bid_qty[n, i])
        - (pb <= pb0) * float(r.bid_qty[n - 1, i])
        - (pa <= pa0) * float(r.ask_qty[n, i])
        + (pa >= pa0) * float(r.ask_qty[n - 1, i])
    )


def signed_log(lots: float, lot_size: float) -> float:
    return math.copysign(math.log(1 + abs(lots) * lot_size), lots)


def window_features(r: Rows, n: int) -> list[float]:
    """Columns 36-46, then 48 and 49, of row n; NaN where the window is not full."""
    nan = math.nan
    m = (r.ask_px[:, 0] + r.bid_px[:, 0]) / 2.0
    out = [nan] * 13
    if n >= 99:
        depths = (r.ask_qty[n - 99 : n + 1, :5].sum(1) + r.bid_qty[n - 99 : n + 1, :5].sum(1)) / 2.0
        size = depths.mean()
        if size:
            out[0] = (fill_price(r.ask_px[n], r.ask_qty[n], size) - m[n]) / m[n] * BP
            out[1] = (m[n] - fill_price(r.bid_px[n], r.bid_qty[n], size)) / m[n] * BP
        else:
            out[0] = out[1] = 0.0

    def flow(i: int, w: int) -> float:
        return sum(order_flow(r, k, i) for k in range(n - w + 1, n + 1))

    if n >= 1:
        out[2] = signed_log(flow(0, 1), r.lot_size)
    if n >= 10:
        out[3] = signed_log(flow(0, 10), r.lot_size)
        out[5:9] = [signed_log(flow(i, 10), r.lot_size) for i in range(1, 5)]
        last = slice(n - 9, n + 1)
        depth = np.mean((r.ask_qty[last, :10].sum(1) + r.bid_qty[last, :10].sum(1)) / 20.0)
        out[9] = ratio(sum(flow(i, 10) for i in range(10)) / 10, depth)
    if n >= 50:
        out[4] = signed_log(flow(0, 50), r.lot_size)
        bought, sold = r.buy_qty[n - 49 : n + 1].sum(), r.sell_qty[n - 49 : n + 1].sum()
        out[10] = ratio(float(bought - sold), float(bought + sold))
        out[12] = math.log(1 + 50 / max(r.time_s[n] - r.time_s[n - 50], 1e-3))
    if n >= 100:
        last = slice(n - 99, n + 1)
        x = (r.buy_qty - r.sell_qty)[last].astype(float)
        y = (np.diff(m) / m[:-1] * BP)[n - 100 : n]
        spread = x.std()
        out[11] = np.polyfit(x / spread, y, 1)[0] if spread else 0.0
    return out


def candle_features(c: np.ndarray, t: int, tick_size: float, lot_size: float) -> list[float]:
    """Columns 50-74 for candle t of a table (N, 8) in ticks and lots."""
    o, h, low, x = (c[:, k] * tick_size for k in range(4))
    v, q, trades, taken = c[:, 4] * lot_size, c[:, 5] * tick_size * lot_size, c[:, 6], c[:, 7] * lot_size
    r = np.full(len(c), np.nan)
    r[1:] = np.log(x[1:] / x[:-1])
    nan = math.nan

    def last(k: int) -> slice:
        return slice(t - k + 1, t + 1)

    out = [math.log(x[t] / x[t - k]) if t >= k else nan for k in (1, 5, 15, 60)]
    out += [
        (x[t] - o[t]) / o[t],
        (h[t] - max(o[t], x[t])) / o[t],
        (min(o[t], x[t]) - low[t]) / o[t],
        (h[t] - low[t]) / o[t],
        ratio((x[t] - low[t]) - (h[t] - x[t]), h[t] - low[t]),
        math.log(o[t] / x[t - 1]) if t >= 1 else nan,
    ]
    out += [math.sqrt((r[last(k)] ** 2).sum()) if t >= k else nan for k in (15, 60)]
    out += volatilities(o, h, low, x, t)
    out.append(math.log(1 + v[t]))
    for field in (v, q, trades):
        if t < 59:
            out.append(nan)
            continue
        w = field[last(60)]
        out.append(ratio(field[t] - w.mean(), w.std()) if np.ptp(w) else 0.0)
    out.append(math.log(1 + ratio(v[t], trades[t])))
    out.append(taken[t] / v[t] if v[t] else 0.5)
    out.append(ratio((2 * taken - v)[last(15)].sum(), v[last(15)].sum()) if t >= 14 else nan)
    vwap = ratio(q[last(60)].sum(), v[last(60)].sum()) if t >= 59 else nan
    out.append(ratio(x[t] - vwap, vwap) if t >= 59 else nan)
    traded = q[last(60)] > 0
    terms = np.abs(r[last(60)][traded]) / q[last(60)][traded]
    out.append(math.log(1 + 1e6 * (terms.mean() if traded.any() else 0.0)) if t >= 60 else nan)
    return out


def volatilities(o: np.ndarray, h: np.ndarray, low: np.ndarray, x: np.ndarray, t: int) -> list[float]:
    if t < 14:
        return [math.nan] * 4
    w = slice(t - 14, t + 1)
    hl, co = np.log(h[w] / low[w]), np.log(x[w] / o[w])
    rs = (np.log(h[w] / x[w]) * np.log(h[w] / o[w]) + np.log(low[w] / x[w]) * np.log(low[w] / o[w])).mean()
    out = [math.sqrt((hl**2).mean() / (4 * math.log(2)))]
    out.append(math.sqrt(max(0, (0.5 * hl**2 - (2 * math.log(2) - 1) * co**2).mean())))
    out.append(math.sqrt(max(rs, 0)))
    if t < 15:
        return [*out, math.nan]
    k = 0.34 / (1.34 + 16 / 14)
    jumps = np.log(o[w] / x[t - 15 : t])
    out.append(math.sqrt(jumps.var(ddof=1) + k * co.var(ddof=1) + (1 - k) * max(rs, 0)))
    return out


def vpin(flows: list[tuple[str, float, float]]) -> list[float]:
    """VPIN after each step, ("trade", bought, sold) or ("candle", volume, 0), over lists of buckets."""
    volumes: list[float] = []
    done: list[tuple[float, float]] = []
    size = bought = sold = 0.0
    out = []
    for kind, a, b in flows:
        if kind == "candle":
            volumes.append(a)
        left = a + b if kind == "trade" else 0.0
        share = a / left if left else 0.0
        while left > 1e-9:
            if not size:
                size = sum(volumes[-1440:]) / 50 if len(volumes) >= 60 else 0.0
                if not size:
                    break
            step = min(left, size - bought - sold)
            bought, sold, left = bought + step * share, sold + step * (1 - share), left - step
            if size - bought - sold < 1e-6 * size:
                done.append((abs(bought - sold), size))
                size = bought = sold = 0.0
        last = done[-50:]
        out.append(sum(x for x, _ in last) / sum(y for _, y in last) if len(done) >= 50 else math.nan)
    return out
