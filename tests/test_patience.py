# SPDX-License-Identifier: Apache-2.0
import asyncio
import time

from tests.patience import STEP_S, LoopClock


def be_kept(seconds: float) -> None:
    """As a process is that the machine does not let run."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        pass


async def test_a_pause_uses_up_no_deadline() -> None:
    async with asyncio.timeout(0.1):
        be_kept(0.3)
        await asyncio.sleep(0)


async def test_the_clock_never_goes_back() -> None:
    seen = [LoopClock().monotonic()]
    for seconds in (0.0, 5 * STEP_S, 0.0, 5 * STEP_S):
        be_kept(seconds)
        seen.append(LoopClock().monotonic())
        await asyncio.sleep(STEP_S)
        seen.append(LoopClock().monotonic())
    assert seen == sorted(seen)
    assert seen[-1] - seen[0] >= 4 * STEP_S


async def test_who_waits_waits_as_long_as_asked() -> None:
    begun_s = time.monotonic()
    await asyncio.sleep(5 * STEP_S)
    assert time.monotonic() - begun_s >= 5 * STEP_S
