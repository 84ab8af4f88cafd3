# SPDX-License-Identifier: Apache-2.0
"""Ids of predictions, and of what is paid for them."""

from server.forecasting.deadline import Clock
from server.forecasting.randomness import random_hex


def new_id(clock: Clock) -> str:
    """A unique id that sorts by time: 12 hexadecimal digits of milliseconds, 16 random ones."""
    return f"{int(clock.now().timestamp() * 1000):012x}{random_hex(8)}"
