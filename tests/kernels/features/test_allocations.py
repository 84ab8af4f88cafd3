# SPDX-License-Identifier: Apache-2.0
"""Nothing is allocated in a kernel, by however many ticks one call runs."""

import tracemalloc

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from kernels.features import layout, tick
from kernels.features.candles import START_US
from kernels.features.market import MarketFeatures
from kernels.recording import SNAPSHOT, TRADE, UPDATE
from tests.kernels import lob_data
from tests.kernels.features import histories
from tests.kernels.features.test_market import ONE, levels, walked

pytestmark = pytest.mark.skipif(lob_data.INTERPRETED, reason="plain Python allocates for every number")


def native_allocations(market: MarketFeatures, messages: np.ndarray, out: np.ndarray, columns: tuple) -> int:
    """Allocations that numba's runtime counts while one kernel call runs these messages."""
    places = market._places
    places[layout.MESSAGE] = places[layout.ROW] = 0
    before = rtsys.get_allocation_stats()
    code = tick.apply_messages(*market._state, *columns, messages, 1.0, out)
    after = rtsys.get_allocation_stats()
    assert code == 0
    assert places[layout.MESSAGE] == len(messages)
    return (after.alloc - before.alloc) + (after.mi_alloc - before.mi_alloc)


@lob_data.needs_recordings
def test_a_tick_allocates_nothing_native() -> None:
    _nrt_python.memsys_enable_stats()
    events = lob_data.events(lob_data.NEXO, 40_000)
    kinds = events.kind[events.starts[:-1]]
    market = MarketFeatures(histories.NEXO)
    first = int(np.flatnonzero(kinds == UPDATE)[0])
    start, stop = events.starts[0], events.starts[1]
    assert kinds[0] == SNAPSHOT
    market.snapshot(events.side[start:stop], events.price[start:stop], events.qty[start:stop], time_us=0)
    # Within one minute no candle closes, so one call runs all.
    messages = np.zeros((len(kinds), tick.MESSAGE_FIELDS), np.int64)
    messages[:, tick.KIND], messages[:, tick.TIME_US] = kinds, events.time_us[first]
    messages[:, tick.START], messages[:, tick.STOP] = events.starts[:-1], events.starts[1:]
    messages[:, tick.FIRST_ID :] = -1
    messages = np.ascontiguousarray(messages[(kinds == UPDATE) | (kinds == TRADE)])
    columns = (events.side, events.price, events.qty)
    out = np.empty((len(messages), 112), np.float32)
    assert len(messages) > 10_000
    assert native_allocations(market, messages, out, columns) == 0


def test_a_closing_candle_allocates_nothing_native() -> None:
    _nrt_python.memsys_enable_stats()
    candles = histories.random_walk(400, seed=2)
    state = layout.new_state(candles.length_us)[:3]
    state[1][layout.CLOCK, START_US] = 0
    slow, raw = np.empty((400, 62), np.float32), np.empty((400, 37))
    before = rtsys.get_allocation_stats()
    tick.advance_candles(*state, candles.table, 0, 1.0, 1.0, slow, raw)
    after = rtsys.get_allocation_stats()
    assert (after.alloc, after.mi_alloc) == (before.alloc, before.mi_alloc)


def test_a_tick_leaves_no_python_memory_behind() -> None:
    market = MarketFeatures(ONE)
    market.snapshot(*levels(101, 99), time_us=0)
    window = np.empty((100, 20, 4), np.float32)
    walked(market, 200)
    tracemalloc.start()
    try:
        market.read_window(window)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            walked(market, 100)
            market.read_window(window)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 2_000
