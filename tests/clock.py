# SPDX-License-Identifier: Apache-2.0
"""A clock that the test moves."""

from datetime import UTC, datetime, timedelta


class HandClock:
    def __init__(self) -> None:
        self._s = 1_000.0

    def monotonic(self) -> float:
        return self._s

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._s)

    def move(self, seconds: float) -> None:
        self._s += seconds
