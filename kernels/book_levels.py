# SPDX-License-Identifier: Apache-2.0
"""One side of a book as a sorted array, changed level by level.

Each side is one sorted array with its best level last, so the busy end moves
little. Asks are kept under negated prices: both sides then ascend towards
their best, and one code path serves both. A level that is removed stays in
its slot with size 0, because the same price mostly comes back; the slots are
closed up when such ghosts become many.
"""

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part

LEVELS = 20
ASK = 0
BID = 1
#: "The sender did not say", for every update id.
UNKNOWN = -1

N_ASK = 0
N_BID = 1
LAST_ID = 2
SYNCED = 3
#: 1 until the first update after a snapshot, which may overlap it.
OVERLAPS = 4
DROPPED = 5
#: Slots in use on either side, ghosts among them.
USED_ASK = 6
USED_BID = 7

#: Ghosts that a side may hold beyond a quarter of its levels.
GHOSTS = 64
#: How far an insert looks for a ghost, to move the levels up to there and no more.
REACH = 64
LOWEST = -(2**63)
ONE = np.uint64(1)
FIVE = np.uint64(5)

Integers = NDArray[np.int64]


@part(inline=True)
def lower_bound(row: Integers, count: int, key: int) -> np.int64:
    """Index of the first of ``count`` ascending values that is not below ``key``."""
    # Halving without an early exit, and without a branch: it would be mispredicted half of the
    # time. A product with the comparison becomes one, a shift by 0 or 32 does not.
    low = np.uint64(0)
    span = np.uint64(count)
    while span > ONE:
        half = span >> ONE
        low += half >> (np.uint64(row[low + half - ONE] >= key) << FIVE)
        span -= half
    if count > 0:
        low += np.uint64(row[low] < key)
    return np.int64(low)


# The moves below index by unsigned integers: a signed index may be negative, and
# the wrap-around that this allows for keeps LLVM from moving whole vectors.


@part(inline=True)
def close_up(row: Integers, last: np.int64) -> None:
    """Move the values after the first up to ``last`` one place towards the front."""
    for i in range(np.uint64(last)):
        row[i] = row[i + ONE]


@part(inline=True)
def make_room(row: Integers, first: np.int64, last: np.int64) -> None:
    """Move the values from ``first`` up to before ``last`` one place towards the back."""
    top = np.uint64(last)
    for i in range(np.uint64(last - first)):
        row[top - i] = row[top - i - ONE]


@part()
def drop_ghosts(keys: Integers, sizes: Integers, used: int) -> int:
    """Close up the slots of size 0; returns how many are left in use."""
    kept = 0
    for i in range(used):
        if sizes[i] != 0:
            keys[kept] = keys[i]
            sizes[kept] = sizes[i]
            kept += 1
    return kept


@part(inline=True)
def remove_level(keys: Integers, sizes: Integers, meta: Integers, side: int, place: np.int64) -> None:
    """Make a ghost of the level in slot ``place``; the best slot never is one."""
    used = int(meta[USED_ASK + side])
    sizes[place] = 0
    meta[side] -= 1
    if place == used - 1:
        while used > 0 and sizes[used - 1] == 0:
            used -= 1
    elif used - meta[side] > GHOSTS + (meta[side] >> 2):
        used = drop_ghosts(keys, sizes, used)
    meta[USED_ASK + side] = used


@part(inline=True)
def next_ghost(sizes: Integers, place: np.int64, used: int) -> np.int64:
    """The nearest ghost's slot from ``place`` on, or ``used`` where none is in reach."""
    end = min(np.int64(used), place + REACH)
    slot = place
    while slot < end and sizes[np.uint64(slot)] != 0:
        slot += 1
    return slot if slot < end else np.int64(used)


@part(inline=True)
def insert_level(
    keys: Integers, sizes: Integers, meta: Integers, side: int, place: np.int64, key: int, size: int
) -> None:
    """Put a level where it sorts before slot ``place``; a ghost near there is moved over and gone."""
    used = int(meta[USED_ASK + side])
    hole = next_ghost(sizes, place, used)
    if place > 0 and sizes[place - 1] == 0:
        place -= 1
        meta[side] += 1
    elif hole < len(keys):
        make_room(keys, place, hole)
        make_room(sizes, place, hole)
        meta[USED_ASK + side] = max(np.int64(used), hole + 1)
        meta[side] += 1
    else:  # full, without a ghost in reach
        meta[DROPPED] += 1
        if place == 0:
            return
        place -= 1
        close_up(keys, place)
        close_up(sizes, place)
    keys[place] = key
    sizes[place] = size


@part(inline=True)
def set_level(keys: Integers, sizes: Integers, meta: Integers, side: int, key: int, size: int) -> None:
    """Set one level of one side to its new total size; 0 removes it.

    keys, sizes (capacity,): that side, worst to best.
    """
    used = int(meta[USED_ASK + side])
    place = lower_bound(keys, used, key)
    if place < used and keys[place] == key:
        if size == 0:
            if sizes[place] != 0:
                remove_level(keys, sizes, meta, side, place)
            return
        if sizes[place] == 0:
            meta[side] += 1
        sizes[place] = size
    elif size != 0:
        if used == len(keys) and meta[side] < used:
            meta[USED_ASK + side] = drop_ghosts(keys, sizes, used)
            place = lower_bound(keys, meta[USED_ASK + side], key)
        insert_level(keys, sizes, meta, side, place, key, size)


@part()
def show_top(keys: Integers, sizes: Integers, meta: Integers, side: int, px: Integers, qty: Integers) -> None:
    """Copy the best levels of one side into px, qty (20,), best first.

    Missing levels repeat the deepest price with size 0; an empty side is all 0.
    """
    sign = -1 if side == ASK else 1
    slot = int(meta[USED_ASK + side]) - 1
    deepest = 0
    for i in range(LEVELS):
        while slot >= 0 and sizes[slot] == 0:
            slot -= 1
        if slot >= 0:
            deepest = sign * keys[slot]
            qty[i] = sizes[slot]
            slot -= 1
        else:
            qty[i] = 0
        px[i] = deepest


@part()
def shown_from(meta: Integers, side: int, px: Integers) -> int:
    """The lowest key that changes what is shown of one side, px (20,) as shown last."""
    if meta[side] < LEVELS:
        return LOWEST
    return -px[LEVELS - 1] if side == ASK else px[LEVELS - 1]
