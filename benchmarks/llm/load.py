# SPDX-License-Identifier: Apache-2.0
"""A fixed number of calls, a fixed number of them in flight, and what they cost this process."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What ``calls`` calls took. ``latencies_s`` in order of completion."""

    calls: int
    wall_s: float
    cpu_s: float
    latencies_s: list[float]

    @property
    def cpu_us(self) -> float:
        """Processor time of one call, microseconds."""
        return self.cpu_s / self.calls * 1e6


async def run(call: Callable[[], Awaitable[None]], calls: int, in_flight: int) -> Load:
    """Closed loop: ``in_flight`` callers, each with one call after another."""
    latencies: list[float] = []
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            start = time.perf_counter()
            await call()
            latencies.append(time.perf_counter() - start)

    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    return Load(calls, time.perf_counter() - wall, time.process_time() - cpu, latencies)
