# SPDX-License-Identifier: Apache-2.0
"""Feature column 47, VPIN: one-sidedness of trading in equal-volume buckets.

VPIN = sum over the last 50 buckets of |bought - sold| / sum of their sizes.
A bucket is opened with the size that then holds: the volume of the last 1440
closed candles (60 at least, and what there is) divided by 50. With one size
throughout this is Easley, López de Prado & O'Hara 2012, Rev. Fin. Stud. 25(5).

State ``words`` (9, 256) float64: a row of the fields below, one of |bought - sold|
and one of the sizes of 50 buckets, then the volumes of 1440 candles. All 0 at the start.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part

BUCKETS = 50
CANDLES = 1440
FEWEST_CANDLES = 60

#: Rows of ``words``.
FIELDS = 0
IMBALANCES = 1
SIZES = 2
VOLUMES = 3
WIDTH = 256
ROWS = VOLUMES + -(-CANDLES // WIDTH)

#: Fields: the open bucket's size and the lots bought and sold in it; buckets filled; VPIN; candles
#: seen, and the volume of those that count.
SIZE = 0
BOUGHT = 1
SOLD = 2
FILLED_BUCKETS = 3
VALUE = 4
CANDLES_SEEN = 5
CANDLE_VOLUME = 6

Reals = NDArray[np.float64]


@part()
def bucket_size(words: Reals) -> float:
    """Lots of a bucket that opens now; 0 while there are too few candles or no volume."""
    if words[FIELDS, CANDLES_SEEN] < FEWEST_CANDLES:
        return 0.0
    return float(words[FIELDS, CANDLE_VOLUME] / BUCKETS)


@part()
def close_bucket(words: Reals) -> None:
    """File the full bucket and renew VPIN."""
    place = int(words[FIELDS, FILLED_BUCKETS]) % BUCKETS
    words[IMBALANCES, place] = abs(words[FIELDS, BOUGHT] - words[FIELDS, SOLD])
    words[SIZES, place] = words[FIELDS, SIZE]
    words[FIELDS, FILLED_BUCKETS] += 1.0
    words[FIELDS, BOUGHT] = 0.0
    words[FIELDS, SOLD] = 0.0
    words[FIELDS, SIZE] = 0.0
    if words[FIELDS, FILLED_BUCKETS] >= BUCKETS:
        imbalance = 0.0
        size = 0.0
        for k in range(BUCKETS):
            imbalance += words[IMBALANCES, k]
            size += words[SIZES, k]
        words[FIELDS, VALUE] = imbalance / size


@part()
def add_traded(words: Reals, bought: float, sold: float) -> None:
    """Spread traded lots over buckets, pro rata where one is cut; nothing before the first size is known."""
    traded = bought + sold
    if traded <= 0.0:
        return
    share = bought / traded
    while traded > 0.0:
        if words[FIELDS, SIZE] == 0.0:
            words[FIELDS, SIZE] = bucket_size(words)
            if words[FIELDS, SIZE] == 0.0:
                return
            whole = math.floor(traded / words[FIELDS, SIZE])
            if whole > BUCKETS + 1:  # more would only overwrite one another
                traded -= (whole - BUCKETS - 1) * words[FIELDS, SIZE]
        room = words[FIELDS, SIZE] - words[FIELDS, BOUGHT] - words[FIELDS, SOLD]
        taken = min(room, traded)
        words[FIELDS, BOUGHT] += taken * share
        words[FIELDS, SOLD] += taken * (1.0 - share)
        traded -= taken
        if taken >= room:
            close_bucket(words)


@part()
def add_candle(words: Reals, volume: float) -> None:
    """Let a closed candle's lots enter the bucket size."""
    seen = int(words[FIELDS, CANDLES_SEEN])
    row, column = VOLUMES + seen % CANDLES // WIDTH, seen % CANDLES % WIDTH
    if seen >= CANDLES:
        words[FIELDS, CANDLE_VOLUME] -= words[row, column]
    words[row, column] = volume
    words[FIELDS, CANDLE_VOLUME] += volume
    words[FIELDS, CANDLES_SEEN] = seen + 1.0


@part()
def vpin_of(words: Reals) -> float:
    """VPIN, 0..1; NaN before 50 buckets are full."""
    return float(words[FIELDS, VALUE]) if words[FIELDS, FILLED_BUCKETS] >= BUCKETS else math.nan
