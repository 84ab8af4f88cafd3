# SPDX-License-Identifier: Apache-2.0
"""hftbacktest's side of the order-book benchmark, in an environment of its own.

    python -m venv .venvs/book-peers
    .venvs/book-peers/bin/pip install hftbacktest

Started by ``benchmarks.kernels.books`` with a recording and a number of rows; each line on standard
input is a number of repeats, each line on standard output the seconds of one replay of those
rows, then the best ask and bid that it ended with, in ticks.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype

NEVER_NS = 10**15


def table(path: str, rows: int) -> tuple[np.ndarray, float, float]:
    """The recording's levels and trades as hftbacktest's events, local side only."""
    with np.load(path) as recording:
        columns = {name: recording[name][:rows] for name in ("kind", "side", "price", "qty", "recv_us")}
        meta = json.loads(str(recording["meta"]))
    columns = {name: column[columns["kind"] < 3] for name, column in columns.items()}
    events = np.zeros(len(columns["kind"]), event_dtype)
    kind = np.where(columns["kind"] == 2, TRADE_EVENT, DEPTH_EVENT)
    side = np.where(columns["side"] == 1, BUY_EVENT, SELL_EVENT)
    events["ev"] = kind | side | LOCAL_EVENT
    # One event a nanosecond, so that none waits for another.
    events["local_ts"] = events["exch_ts"] = 1 + np.arange(len(events))
    events["px"] = columns["price"] * meta["tick_size"]
    events["qty"] = columns["qty"] * meta["lot_size"]
    return events, meta["tick_size"], meta["lot_size"]


def replay(events: np.ndarray, tick_size: float, lot_size: float) -> tuple[float, int, int]:
    """Seconds of one replay, and the best prices at its end."""
    asset = (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(tick_size)
        .lot_size(lot_size)
    )
    market = HashMapMarketDepthBacktest([asset])
    begun = time.perf_counter()
    market.elapse(NEVER_NS)
    seconds = time.perf_counter() - begun
    depth = market.depth(0)
    best = round(depth.best_ask / tick_size), round(depth.best_bid / tick_size)
    market.close()
    return seconds, *best


def main() -> None:
    given = table(sys.argv[1], int(sys.argv[2]))
    replay(*given)
    print("ready", flush=True)
    for line in sys.stdin:
        runs = [replay(*given) for _ in range(int(line))]
        seconds = sum(run[0] for run in runs) / len(runs)
        print(seconds, runs[-1][1], runs[-1][2], flush=True)


if __name__ == "__main__":
    main()
