# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
from functools import partial

import pytest

from server.storage.errors import StorageError
from server.storage.lanes import Lane


async def test_jobs_run_in_order_on_one_thread() -> None:
    lane = Lane("test")
    seen: list[tuple[int, str]] = []

    def note(number: int) -> None:
        seen.append((number, threading.current_thread().name))

    jobs = [lane.submit(partial(note, n)) for n in range(5)]
    await asyncio.gather(*jobs)
    lane.stop()
    assert seen == [(n, "test-0") for n in range(5)]


async def test_an_error_reaches_the_one_who_waits() -> None:
    lane = Lane("test")

    def fail() -> None:
        msg = "no"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="no"):
        await lane.submit(fail)
    assert await lane.submit(lambda: 1) == 1
    lane.stop()


async def test_a_job_runs_though_nobody_waits() -> None:
    lane = Lane("test")
    gate, ran = threading.Event(), threading.Event()
    lane.submit(gate.wait)
    abandoned = lane.submit(ran.set)
    abandoned.cancel()
    gate.set()
    await lane.submit(lambda: None)
    lane.stop()
    assert ran.is_set()


async def test_a_stopped_lane_refuses() -> None:
    lane = Lane("test")
    lane.stop()
    with pytest.raises(StorageError, match="closed"):
        lane.submit(lambda: None)


def test_a_loop_that_is_gone_does_not_end_the_thread() -> None:
    lane = Lane("test")
    gate = threading.Event()

    async def leave() -> None:
        lane.submit(gate.wait)

    async def come_back() -> int:
        return await lane.submit(lambda: 7)

    asyncio.run(leave())
    gate.set()
    assert asyncio.run(come_back()) == 7
    lane.stop()


def test_a_stuck_job_does_not_keep_the_process() -> None:
    assert all(thread.daemon for thread in Lane("test", 2)._threads)
