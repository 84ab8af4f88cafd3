# SPDX-License-Identifier: Apache-2.0
"""Candle histories for tests: the recorded one and random ones with quiet and flat stretches."""

import numpy as np

from kernels.features.candles import BAR_US, Candles
from kernels.features.market import Instrument
from tests.kernels import lob_data

NEXO = Instrument(tick_size=0.001, lot_size=0.01)


def recorded() -> Candles:
    """The NEXOUSDT candles."""
    table = np.loadtxt(lob_data.path(f"{lob_data.NEXO}.candles_1m.csv"), delimiter=",", skiprows=1)
    return Candles.from_prices(
        start_us=(table[:, 0] * 1000).astype(np.int64),
        prices=table[:, 1:5],
        volume=table[:, 5],
        quote_volume=table[:, 6],
        trades=table[:, 7],
        taker_buy_volume=table[:, 8],
        tick_size=NEXO.tick_size,
        lot_size=NEXO.lot_size,
    )


def random_walk(
    count: int, *, seed: int, start_us: int = 0, price: int = 5000, quiet: float = 0.2
) -> Candles:
    """Candles of a random walk; a share ``quiet`` has no trades, with a long flat stretch in the middle."""
    rng = np.random.default_rng(seed)
    table = np.zeros((count, 8))
    close = price
    for n in range(count):
        empty = rng.random() < quiet or count // 2 <= n < count // 2 + 40
        path = np.array([close]) if empty else close + np.cumsum(rng.integers(-4, 5, rng.integers(1, 9)))
        path = np.maximum(path, 1)
        close = int(path[-1])
        volume = 0 if empty else int(rng.integers(1, 100_000))
        trades = 0 if empty else int(rng.integers(1, 50))
        taken = int(rng.integers(0, volume + 1))
        table[n] = [path[0], path.max(), path.min(), close, volume, volume * path.mean(), trades, taken]
    return Candles(start_us + BAR_US * np.arange(count, dtype=np.int64), table)
