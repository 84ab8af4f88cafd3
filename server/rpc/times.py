# SPDX-License-Identifier: Apache-2.0
"""Instants and spans for the wire."""

from datetime import datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(instant: datetime) -> Timestamp:
    """The instant, to the microsecond."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def duration(seconds: float) -> Duration:
    """The span, to the nanosecond."""
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message
