# SPDX-License-Identifier: Apache-2.0
"""Ratios of things that took turns, with intervals."""

import statistics
from collections.abc import Sequence

from benchmarks.server.aggregate_overhead import median_interval


def interval(values: Sequence[float]) -> dict[str, float]:
    """The median, its distribution-free interval, and what that really covers: few values cover little."""
    low, high, level = median_interval(values)
    return {"median": statistics.median(values), "low": low, "high": high, "level": level}
