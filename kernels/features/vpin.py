# SPDX-License-Identifier: Apache-2.0
"""Feature column 47, VPIN: one-sidedness of trading in equal-volume buckets.

VPIN = sum over the last 50 buckets of |bought - sold| / sum of their sizes.
A bucket is opened with the size that then holds: the volume of the last 1440
closed candles (60 at least, and what there is) divided by 50. With one size
throughout this is Easley, López de Prado & O'Hara 2012, Rev. Fin. Stud. 25(5).

State ``words`` (WORDS,) float64: the fields below, then |bought - sold| and
size of 50 buckets, then the volumes of 1440 candles. All 0 at the start.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part

BUCKETS = 50
CANDLES = 1440
FEWEST_CANDLES = 60

SIZE = 0
BOUGHT = 1
SOLD = 2
FILLED_BUCKETS = 3
VALUE = 4
CANDLES_SEEN = 5
CANDLE_VOLUME = 6
IMBALANCES = 7
SIZES = IMBALANCES + BUCKETS
VOLUMES = SIZES + BUCKETS
WORDS = VOLUMES + CANDLES

Reals = NDArray[np.float64]


@part()
def bucket_size(words: Reals) -> float:
    """Lots of a bucket that opens now; 0 while there are too few candles or no volume."""
    if words[CANDLES_SEEN] < FEWEST_CANDLES:
        return 0.0
    return float(words[CANDLE_VOLUME] / BUCKETS)


@part()
def close_bucket(words: Reals) -> None:
    """File the full bucket and renew VPIN."""
    place = int(words[FILLED_BUCKETS]) % BUCKETS
    words[IMBALANCES + place] = abs(words[BOUGHT] - words[SOLD])
    words[SIZES + place] = words[SIZE]
    words[FILLED_BUCKETS] += 1.0
    words[BOUGHT] = 0.0
    words[SOLD] = 0.0
    words[SIZE] = 0.0
    if words[FILLED_BUCKETS] >= BUCKETS:
        imbalance = 0.0
        size = 0.0
        for k in range(BUCKETS):
            imbalance += words[IMBALANCES + k]
            size += words[SIZES + k]
        words[VALUE] = imbalance / size


@part()
def add_traded(words: Reals, bought: float, sold: float) -> None:
    """Spread traded lots over buckets, pro rata where one is cut; nothing before the first size is known."""
    traded = bought + sold
    if traded <= 0.0:
        return
    share = bought / traded
    while traded > 0.0:
        if words[SIZE] == 0.0:
            words[SIZE] = bucket_size(words)
            if words[SIZE] == 0.0:
                return
            whole = math.floor(traded / words[SIZE])
            if whole > BUCKETS + 1:  # more would only overwrite one another
                traded -= (whole - BUCKETS - 1) * words[SIZE]
        room = words[SIZE] - words[BOUGHT] - words[SOLD]
        taken = min(room, traded)
        words[BOUGHT] += taken * share
        words[SOLD] += taken * (1.0 - share)
        traded -= taken
        if taken >= room:
            close_bucket(words)


@part()
def add_candle(words: Reals, volume: float) -> None:
    """Let a closed candle's lots enter the bucket size."""
    seen = int(words[CANDLES_SEEN])
    if seen >= CANDLES:
        words[CANDLE_VOLUME] -= words[VOLUMES + seen % CANDLES]
    words[VOLUMES + seen % CANDLES] = volume
    words[CANDLE_VOLUME] += volume
    words[CANDLES_SEEN] = seen + 1.0


@part()
def vpin_of(words: Reals) -> float:
    """VPIN, 0..1; NaN before 50 buckets are full."""
    return float(words[VALUE]) if words[FILLED_BUCKETS] >= BUCKETS else math.nan
