# SPDX-License-Identifier: Apache-2.0
"""Events of a market, with the fields of ``market.proto``. Update ids: 0 = unknown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

UNKNOWN_ID = 0


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The whole book, best level first: ticks and lots, (levels,) int64 on each side."""

    received_us: int
    event_time_us: int
    update_id: int
    ask_ticks: Integers
    ask_lots: Integers
    bid_ticks: Integers
    bid_lots: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """New total sizes of some levels, 0 = gone: ticks and lots, (levels,) int64 on each side."""

    received_us: int
    event_time_us: int
    first_update_id: int
    last_update_id: int
    previous_update_id: int
    ask_ticks: Integers
    ask_lots: Integers
    bid_ticks: Integers
    bid_lots: Integers


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade at a price in ticks, of a size in lots."""

    received_us: int
    event_time_us: int
    price_ticks: int
    lots: int
    buyer_is_aggressor: bool


MarketEvent = Snapshot | Delta | Trade
