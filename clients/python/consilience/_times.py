# SPDX-License-Identifier: Apache-2.0
"""Seconds and aware datetimes on our side, protobuf messages on the wire."""

from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def to_duration(name: str, seconds: float) -> Duration:
    """``seconds`` as a Duration, to the nanosecond.

    Raises:
        ValueError: it is negative or not finite; names the argument.
    """
    if not 0.0 <= seconds < float("inf"):
        raise ValueError(f"{name} is {seconds}: give a number of seconds, 0 or more")
    whole = int(seconds)
    nanos = round((seconds - whole) * 1e9)
    return Duration(seconds=whole + nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


def to_seconds(duration: Duration) -> float:
    """A Duration in seconds."""
    return duration.seconds + duration.nanos * 1e-9


def to_timestamp(name: str, instant: datetime) -> Timestamp:
    """An aware datetime as a Timestamp.

    Raises:
        ValueError: it has no time zone; names the argument.
    """
    if instant.utcoffset() is None:
        raise ValueError(f"{name} has no time zone: write datetime(..., tzinfo=UTC)")
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def to_datetime(stamp: Timestamp) -> datetime:
    """A Timestamp as an aware datetime, UTC, cut to the microsecond."""
    return stamp.ToDatetime(tzinfo=UTC)
