# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a market message, as codes for kernels and exceptions for people.

    BookError
    ├── NoSnapshotError      an update before a snapshot, or after a gap or a cross
    ├── SequenceGapError     update ids do not follow one another
    ├── CrossedBookError     best bid at or above best ask once the message is applied
    ├── NegativeSizeError    a level with a size below zero
    ├── InvalidLevelError    a side that is neither 0 nor 1, or a price below one tick
    └── ClockJumpError       an event more than a week after the last one

The first three leave the book waiting for a snapshot. The others are found
before anything is applied and leave everything as it was.
"""

APPLIED = 0
STALE = 1
NO_SNAPSHOT = -1
SEQUENCE_GAP = -2
CROSSED = -3
NEGATIVE_SIZE = -4
INVALID_SIDE = -5
INVALID_PRICE = -6
CLOCK_JUMP = -7


class BookError(Exception):
    """A message that an order book cannot honestly absorb."""


class NoSnapshotError(BookError):
    """An update came while the book waits for a snapshot; send one first."""


class SequenceGapError(BookError):
    """Update ids do not follow one another: a message was lost; send a snapshot."""


class CrossedBookError(BookError):
    """The best bid is at or above the best ask after the message; send a snapshot."""


class NegativeSizeError(BookError):
    """A level has a size below zero; sizes are new totals, and 0 removes the level."""


class InvalidLevelError(BookError):
    """A level has a side other than 0 (ask) and 1 (bid), or a price below one tick."""


class ClockJumpError(BookError):
    """An event's time lies more than a week after the last candle: a broken clock or unit."""


_BY_CODE: dict[int, tuple[type[BookError], str]] = {
    NO_SNAPSHOT: (NoSnapshotError, "update before snapshot: apply a snapshot first"),
    SEQUENCE_GAP: (SequenceGapError, "update ids do not follow the last one: apply a new snapshot"),
    CROSSED: (CrossedBookError, "best bid is at or above best ask: apply a new snapshot"),
    NEGATIVE_SIZE: (NegativeSizeError, "qty is negative: send the new total size, 0 to remove the level"),
    INVALID_SIDE: (InvalidLevelError, "side is neither 0 (ask) nor 1 (bid)"),
    INVALID_PRICE: (InvalidLevelError, "price is below one tick: send prices as positive whole ticks"),
    CLOCK_JUMP: (
        ClockJumpError,
        "time_us is more than a week after the last candle: send µs, or seed newer candles",
    ),
}


def error_for(code: int, detail: str = "") -> BookError:
    """The exception that a negative kernel code stands for."""
    kind, text = _BY_CODE[code]
    return kind(f"{text} ({detail})" if detail else text)
