# SPDX-License-Identifier: Apache-2.0
"""Group commit against a disk that the test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from server.forecasting.errors import RecordError
from server.storage.commit import GroupCommit
from server.storage.inserts import Outcome
from server.storage.records import Rows, rows_of
from tests.storage.samples import record

MIB = 1 << 20


class Disk:
    """Writes when it is told to, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.faults: list[Exception | Sequence[Outcome]] = []
        self.turns = asyncio.Semaphore(0)
        self.asked = asyncio.Semaphore(0)

    async def write(self, batch: Sequence[Rows]) -> Sequence[Outcome]:
        self.batches.append([rows.prediction.id for rows in batch])
        self.asked.release()
        await self.turns.acquire()
        fault = self.faults.pop(0) if self.faults else [None] * len(batch)
        if isinstance(fault, Exception):
            raise fault
        return fault

    def turn(self, times: int = 1) -> None:
        """Let so many batches through."""
        for _ in range(times):
            self.turns.release()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def commit(disk: Disk) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(disk.write, queue_records=8, queue_bytes=MIB, batch_records=3)
    yield commit
    disk.turn(100)
    await commit.close()


def save(commit: GroupCommit, *names: str) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(commit.save(rows_of(record(name)))) for name in names]


async def test_what_comes_during_a_commit_shares_the_next(commit: GroupCommit, disk: Disk) -> None:
    first = save(commit, "a")
    await disk.asked.acquire()
    rest = save(commit, "b", "c", "d", "e")
    disk.turn(3)
    await asyncio.gather(*first, *rest)
    assert disk.batches == [["a"], ["b", "c", "d"], ["e"]]


async def test_nobody_is_released_before_the_commit(commit: GroupCommit, disk: Disk) -> None:
    saves = save(commit, "a")
    await disk.asked.acquire()
    assert (saves[0].done(), commit.pending) == (False, 1)
    disk.turn()
    await saves[0]
    assert commit.pending == 0


async def test_a_failing_commit_fails_its_batch_and_no_other(commit: GroupCommit, disk: Disk) -> None:
    disk.faults = [OSError("disk on fire")]
    first = save(commit, "a", "b")
    await disk.asked.acquire()
    second = save(commit, "c")
    disk.turn(2)
    outcomes = await asyncio.gather(*first, *second, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes[:2]] == [
        "prediction 'a' is not on disk: disk on fire",
        "prediction 'b' is not on disk: disk on fire",
    ]
    assert all(isinstance(outcome, RecordError) for outcome in outcomes[:2])
    assert outcomes[2] is None


async def test_each_gets_the_outcome_of_its_own(commit: GroupCommit, disk: Disk) -> None:
    disk.faults = [[None, RecordError("b"), None]]
    saves = save(commit, "a", "b", "c")
    disk.turn()
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["None", "b", "None"]


async def test_a_cancelled_caller_is_written_and_blocks_nobody(commit: GroupCommit, disk: Disk) -> None:
    saves = save(commit, "a", "b", "c")
    await disk.asked.acquire()
    saves[1].cancel()
    disk.turn()
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert disk.batches == [["a", "b", "c"]]
    assert (outcomes[0], outcomes[2], saves[1].cancelled()) == (None, None, True)


async def test_the_failure_of_a_cancelled_caller_harms_nobody(commit: GroupCommit, disk: Disk) -> None:
    disk.faults = [[RecordError("a"), None]]
    saves = save(commit, "a", "b")
    await disk.asked.acquire()
    saves[0].cancel()
    disk.turn()
    await saves[1]
    assert commit.pending == 0


async def test_a_full_queue_refuses_at_once(commit: GroupCommit, disk: Disk) -> None:
    accepted = save(commit, *"abcdefgh")
    await disk.asked.acquire()
    with pytest.raises(RecordError, match=r"8 records wait.*storage\.queue_records"):
        await commit.save(rows_of(record("i")))
    disk.turn(3)
    await asyncio.gather(*accepted)
    disk.turn()
    await asyncio.gather(*save(commit, "j"))
    assert sum(map(len, disk.batches)) == 9


async def test_the_queue_is_bounded_in_bytes_too(disk: Disk) -> None:
    rows = rows_of(record("a"))
    commit = GroupCommit(disk.write, queue_records=100, queue_bytes=rows.size - 1, batch_records=3)
    saves = save(commit, "a")  # larger than the queue, but alone
    await disk.asked.acquire()
    with pytest.raises(RecordError, match="1 records wait"):
        await commit.save(rows_of(record("b")))
    disk.turn()
    await saves[0]
    await commit.close()


async def test_close_waits_for_what_was_accepted(commit: GroupCommit, disk: Disk) -> None:
    saves = save(commit, *"abcd")
    await disk.asked.acquire()
    closing = asyncio.create_task(commit.close())
    await asyncio.sleep(0)
    with pytest.raises(RecordError, match="closed"):
        await commit.save(rows_of(record("late")))
    assert not closing.done()
    disk.turn(2)
    await closing
    await asyncio.gather(*saves)
    assert disk.batches == [["a", "b", "c"], ["d"]]


async def test_a_cancelled_close_does_not_stop_the_writer(commit: GroupCommit, disk: Disk) -> None:
    saves = save(commit, "a")
    await disk.asked.acquire()
    closing = asyncio.create_task(commit.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    disk.turn()
    await saves[0]
