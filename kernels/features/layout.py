# SPDX-License-Identifier: Apache-2.0
"""Where everything that one market's stream remembers stands in four arrays.

Few large arrays cost a call from Python less than many small ones, and are
copied or saved in one go. Each is a table whose rows are as wide as what
stands in it, so that every function below is a plain view of rows.
"""

import numpy as np
from numpy.typing import NDArray

from kernels import windows
from kernels._jit import part
from kernels.book import LEVELS
from kernels.features import bars, candles, flow, names, vpin

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]

#: Rows of the feature matrix that the networks read.
FEATURE_ROWS = 60

#: Rows of ``reals``, each 256 wide.
WIDTH = vpin.WIDTH
BARS = 0
PAIRS = BARS + bars.FIELDS
VPIN = PAIRS + flow.SERIES
INDICATORS = VPIN + vpin.ROWS
RAW = INDICATORS + 1
OPEN_BAR = RAW + 1
REALS = (OPEN_BAR + 1, WIDTH)

#: Rows of ``integers``, each 20 wide.
FLOW = 0
SUMS = FLOW + flow.DEPTH
BEFORE = SUMS + 1
CLOCK = BEFORE + 4
RING_META = CLOCK + 1
PLACES = RING_META + windows.META_ROWS
INTEGERS = (PLACES + 1, LEVELS)
#: Fields of the row ``PLACES``: feature rows pushed so far; message and row that a run has come to.
PUSHED = 0
MESSAGE = 1
ROW = 2

#: Rows of ``singles``, each 112 wide.
SLOW = 0
HISTORY = 1
SINGLES = (HISTORY + 2 * FEATURE_ROWS, names.FEATURE_COUNT)

RING = (2 * windows.ROWS, windows.ROW_VALUES)


@part(inline=True)
def bars_of(reals: Reals) -> Reals:
    """The closed candles: see ``bars``."""
    return reals[BARS:PAIRS]


@part(inline=True)
def pairs_of(reals: Reals) -> Reals:
    """Signed flow and mid change by row: see ``flow``."""
    return reals[PAIRS:VPIN]


@part(inline=True)
def vpin_of(reals: Reals) -> Reals:
    """VPIN's buckets: see ``vpin``."""
    return reals[VPIN:INDICATORS]


@part(inline=True)
def flow_of(integers: Integers) -> Integers:
    """Order flow by row: see ``flow``."""
    return integers[FLOW:SUMS]


@part(inline=True)
def before_of(integers: Integers) -> Integers:
    """The last book row: see ``flow``."""
    return integers[BEFORE:CLOCK]


@part(inline=True)
def ring_meta_of(integers: Integers) -> Integers:
    """The book window's fields: see ``windows``."""
    return integers[RING_META:PLACES]


@part()
def restart_rows(integers: Integers) -> None:
    """Forget book rows, as after a gap: window, flow and feature rows begin anew; candles stay."""
    integers[SUMS] = 0
    integers[RING_META] = 0
    integers[PLACES, PUSHED] = 0


def new_state(bar_us: int) -> tuple[Reals, Integers, Singles, Singles]:
    """reals, integers, singles and ring before the first event; candles last ``bar_us`` µs."""
    integers = np.zeros(INTEGERS, np.int64)
    integers[CLOCK, candles.START_US] = candles.NO_CANDLE
    integers[CLOCK, candles.LENGTH_US] = bar_us
    singles = np.zeros(SINGLES, np.float32)
    singles[SLOW] = np.nan
    return np.zeros(REALS), integers, singles, np.zeros(RING, np.float32)
