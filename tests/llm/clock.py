# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def go(self, seconds: float) -> None:
        self.seconds += seconds
