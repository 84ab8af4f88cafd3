# SPDX-License-Identifier: Apache-2.0
"""Where everything that one market's stream remembers stands in three flat arrays.

Few large arrays cost a call from Python less than many small ones, and are
copied or saved in one go. Each function below is a view; nothing is copied.
"""

import numpy as np
from numpy.typing import NDArray

from kernels import windows
from kernels._jit import part
from kernels.book import LEVELS
from kernels.features import bars, candles, flow, names, vpin
from kernels.features.indicators import step

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]

#: Rows of the feature matrix that the networks read.
FEATURE_ROWS = 60

# Reals.
_BARS = 0
_INDICATORS = _BARS + bars.FIELDS * 2 * bars.DEPTH
_RAW = _INDICATORS + step.WORDS
_OPEN_BAR = _RAW + step.COUNT
_VPIN = _OPEN_BAR + bars.GIVEN
_PAIRS = _VPIN + vpin.WORDS
REALS = _PAIRS + 2 * 2 * flow.DEPTH

# Integers.
_ROWS = 0
_SUMS = _ROWS + flow.DEPTH * flow.COLUMNS
_BEFORE = _SUMS + flow.SUMS
_CLOCK = _BEFORE + 4 * LEVELS
_RING_META = _CLOCK + candles.CLOCK_FIELDS
#: Feature rows pushed so far.
PUSHED = _RING_META + windows.META_FIELDS
INTEGERS = PUSHED + 1

# Singles.
_SLOW = 0
_RING = _SLOW + names.SLOW_COUNT
_HISTORY = _RING + 2 * windows.ROWS * LEVELS * windows.CHANNELS
SINGLES = _HISTORY + 2 * FEATURE_ROWS * names.FEATURE_COUNT


@part()
def bars_of(reals: Reals) -> Reals:
    """The closed candles: see ``bars``."""
    return reals[_BARS:_INDICATORS].reshape((bars.FIELDS, 2 * bars.DEPTH))


@part()
def indicators_of(reals: Reals) -> Reals:
    """The indicators' state: see ``indicators.step``."""
    return reals[_INDICATORS:_RAW]


@part()
def raw_of(reals: Reals) -> Reals:
    """TA-Lib's own values after the last closed candle (37,)."""
    return reals[_RAW:_OPEN_BAR]


@part()
def open_bar_of(reals: Reals) -> Reals:
    """The open candle (8,)."""
    return reals[_OPEN_BAR:_VPIN]


@part()
def vpin_of(reals: Reals) -> Reals:
    """VPIN's buckets: see ``vpin``."""
    return reals[_VPIN:_PAIRS]


@part()
def pairs_of(reals: Reals) -> Reals:
    """Signed flow and mid change by row: see ``flow``."""
    return reals[_PAIRS:REALS].reshape((2, 2 * flow.DEPTH))


@part()
def rows_of(integers: Integers) -> Integers:
    """Order flow by row: see ``flow``."""
    return integers[_ROWS:_SUMS].reshape((flow.DEPTH, flow.COLUMNS))


@part()
def sums_of(integers: Integers) -> Integers:
    """Running sums over rows: see ``flow``."""
    return integers[_SUMS:_BEFORE]


@part()
def before_of(integers: Integers) -> Integers:
    """The last book row: see ``flow``."""
    return integers[_BEFORE:_CLOCK].reshape((4, LEVELS))


@part()
def clock_of(integers: Integers) -> Integers:
    """The candle clock: see ``candles``."""
    return integers[_CLOCK:_RING_META]


@part()
def ring_meta_of(integers: Integers) -> Integers:
    """The book window's fields: see ``windows``."""
    return integers[_RING_META:PUSHED]


@part()
def restart_rows(integers: Integers) -> None:
    """Forget book rows, as after a gap: window, flow and feature rows begin anew; candles stay."""
    integers[_SUMS:_BEFORE] = 0
    integers[_RING_META:INTEGERS] = 0


@part()
def slow_of(singles: Singles) -> Singles:
    """Columns 50-111 after the last closed candle (62,)."""
    return singles[_SLOW:_RING]


@part()
def ring_of(singles: Singles) -> Singles:
    """The book window's ring: see ``windows``."""
    return singles[_RING:_HISTORY].reshape((2 * windows.ROWS, LEVELS, windows.CHANNELS))


@part()
def history_of(singles: Singles) -> Singles:
    """The last 60 feature rows, each written twice, 60 apart: (120, 112)."""
    return singles[_HISTORY:SINGLES].reshape((2 * FEATURE_ROWS, names.FEATURE_COUNT))


def new_state(bar_us: int) -> tuple[Reals, Integers, Singles]:
    """The three arrays before the first event; candles last ``bar_us`` µs."""
    integers = np.zeros(INTEGERS, np.int64)
    integers[_CLOCK + candles.START_US] = candles.NO_CANDLE
    integers[_CLOCK + candles.LENGTH_US] = bar_us
    singles = np.zeros(SINGLES, np.float32)
    singles[_SLOW:_RING] = np.nan
    return np.zeros(REALS), integers, singles


#: Places that Python reads and sets by itself.
START_US = _CLOCK + candles.START_US
CANDLES_CLOSED = _CLOCK + candles.CLOSED
LATE_TRADES = _CLOCK + candles.LATE
ROWS_IN_WINDOW = _RING_META + windows.FILLED
RING_META = _RING_META
RING = slice(_RING, _HISTORY)
HISTORY = slice(_HISTORY, SINGLES)
SLOW = slice(_SLOW, _RING)
RAW = slice(_RAW, _OPEN_BAR)
