# SPDX-License-Identifier: Apache-2.0
"""Rules for fields: every broken one is collected, then all are reported at once."""

import math
from collections.abc import Sized
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from server.forecasting.errors import FieldViolation, InvalidRequestError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Weights other than 0 lie between; beyond, their sums and quotients would leave what a float can hold.
LEAST_WEIGHT, MOST_WEIGHT = 1e-50, 1e50
_SECONDS_LOW = -62_135_596_800  # 0001-01-01
_SECONDS_HIGH = 253_402_300_799  # 9999-12-31


class Rules:
    """Collects violations while a message is converted; ``check`` raises them."""

    def __init__(self) -> None:
        self._violations: list[FieldViolation] = []

    def broken(self, field: str, description: str) -> None:
        """Note a violation."""
        self._violations.append(FieldViolation(field, description))

    def check(self) -> None:
        """Raise everything that was noted.

        Raises:
            InvalidRequestError: something was.
        """
        if self._violations:
            raise InvalidRequestError(*self._violations)

    def text(self, field: str, value: str, most: int, *, least: int = 0, printable: bool = False) -> str:
        """A text of ``least`` to ``most`` characters; ``printable``: without control characters."""
        if len(value) > most:
            self.broken(field, f"{len(value)} characters are too many; at most {most:,}")
        elif len(value) < least:
            self.broken(
                field, "must not be empty" if least == 1 else f"at least {least} characters are wanted"
            )
        elif printable and not value.isprintable():
            self.broken(field, "must not contain control characters")
        return value

    def number(self, field: str, value: float, low: float, high: float) -> float:
        """A number in low..high."""
        if not low <= value <= high:
            self.broken(field, f"must be in {low:g}..{high:g}, got {value:g}")
        return value

    def share(self, field: str, value: float) -> float:
        """A number in 0..1."""
        return self.number(field, value, 0.0, 1.0)

    def amount(self, field: str, value: float) -> float:
        """A finite number that is not negative."""
        if not (value >= 0.0 and math.isfinite(value)):
            self.broken(field, f"must be a finite number >= 0, got {value:g}")
        return value

    def weight(self, field: str, value: float) -> float:
        """A weight, of which only the ratio to others counts."""
        if not (value == 0.0 or LEAST_WEIGHT <= value <= MOST_WEIGHT):
            self.broken(field, wrong_weight(value))
        return value

    def count(self, field: str, values: Sized, most: int, *, least: int = 0) -> None:
        """A repeated field of ``least`` to ``most`` entries."""
        if not least <= len(values) <= most:
            self.broken(field, f"{least} to {most:,} entries are wanted, got {len(values):,}")

    def page_size(self, value: int, most: int, default: int) -> int:
        """A page size; 0 stands for the default."""
        if not 0 <= value <= most:
            self.broken("page_size", f"must be in 0..{most}, got {value}")
        return value or default

    def seconds(self, field: str, value: Duration, most: float) -> float:
        """A positive duration of at most ``most`` seconds."""
        seconds = value.seconds + value.nanos / 1e9
        if abs(value.nanos) >= 1_000_000_000:
            self.broken(field, f"nanos must be below 1,000,000,000, got {value.nanos}")
        elif not 0.0 < seconds <= most:
            self.broken(field, f"must be more than 0 s and at most {most:g} s, got {seconds:g} s")
        return seconds

    def instant(self, field: str, value: Timestamp) -> datetime:
        """An instant between the years 1 and 9999, to the microsecond."""
        if not (_SECONDS_LOW <= value.seconds <= _SECONDS_HIGH and 0 <= value.nanos < 1_000_000_000):
            self.broken(
                field, "must be an instant between the years 0001 and 9999 with nanos in 0..999,999,999"
            )
            return EPOCH
        return EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)


def wrong_weight(value: float) -> str:
    """What is wrong with a weight."""
    return f"must be 0 or in {LEAST_WEIGHT:g}..{MOST_WEIGHT:g}, got {value:g}; only ratios count"
