# SPDX-License-Identifier: Apache-2.0
"""Batches form while a worker is busy; nobody's trouble becomes another's."""

import asyncio
import os
import sys
import threading
from queue import SimpleQueue

import numpy as np
import pytest

from server.inference import company
from server.inference.batching import Batcher, BatchSettings, gathered
from server.inference.errors import (
    InvalidInputError,
    ModelFailedError,
    ModelNotReadyError,
    QueueFullError,
    QueueTimeoutError,
)
from server.inference.statistics import Statistics
from server.inference.workers import Workers
from tests.eventually import eventually
from tests.inference.gates import Gate, item


class Bench:
    """A batcher, its gate and its workers."""

    def __init__(self, *, held=True, workers=1, **settings):
        self.gate = Gate(held=held)
        self.workers = Workers(workers)
        self.statistics = Statistics()
        self.batcher = Batcher(
            self.gate,
            workers=self.workers,
            settings=BatchSettings(**{"max_batch": 4, "max_queue": 8, **settings}),
            statistics=self.statistics,
        )

    def ask(self, value, count=1, **options):
        return asyncio.ensure_future(self.batcher.infer(item(value, count), **options))

    async def entered(self):
        await asyncio.to_thread(self.gate.wait_until_entered)

    async def occupied(self):
        """Start one request that holds the only worker."""
        first = self.ask(0)
        await self.entered()
        return first

    async def answered_together(self):
        """Answer one caller, and then three in one batch."""
        first = await self.occupied()
        others = [self.ask(n) for n in (1, 2)]
        await asyncio.sleep(0)
        self.gate.open()
        await first
        await asyncio.gather(self.ask(3), *others)

    async def close(self):
        self.gate.open()
        await asyncio.to_thread(self.batcher.close)
        await asyncio.to_thread(self.workers.close)


@pytest.fixture
async def bench():
    benches = []

    def make(**settings):
        benches.append(Bench(**settings))
        return benches[-1]

    yield make
    for made in benches:
        await made.close()


def value_of(outputs):
    return outputs[1][:, 0].tolist()


async def test_everyone_gets_their_own_answer(bench):
    one = bench(held=False)
    answers = await asyncio.gather(*(one.ask(n) for n in range(8)))
    assert [value_of(answer) for answer in answers] == [[n] for n in range(8)]
    assert answers[3][0].shape == (1, 1, 3)


async def test_what_waits_together_is_computed_together(bench):
    one = bench()
    first = await one.occupied()
    others = [one.ask(n) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    one.gate.open()
    await asyncio.gather(first, *others)
    assert one.gate.batches == [[0], [1, 2, 3]]


async def test_a_batch_is_no_larger_than_allowed_and_keeps_requests_whole(bench):
    one = bench()
    first = await one.occupied()
    others = [one.ask(1, 2), one.ask(2, 1), one.ask(3, 3)]
    await asyncio.sleep(0)
    one.gate.open()
    answers = await asyncio.gather(first, *others)
    assert one.gate.batches == [[0], [1, 1, 2], [3, 3, 3]]
    assert [value_of(answer) for answer in answers] == [[0], [1, 1], [2], [3, 3, 3]]


async def test_the_urgent_go_first(bench):
    one = bench(max_batch=1)
    first = await one.occupied()
    others = [one.ask(n, priority=priority) for n, priority in ((1, 9), (2, 1), (3, 5), (4, 1))]
    await asyncio.sleep(0)
    one.gate.open()
    await asyncio.gather(first, *others)
    assert one.gate.batches == [[0], [2], [4], [3], [1]]


async def test_callers_that_were_just_answered_are_waited_for(bench, monkeypatch):
    monkeypatch.setattr(company, "PATIENCE", 1e6)
    monkeypatch.setattr(company, "MOST_PATIENCE_S", 30.0)
    one = bench()
    await one.answered_together()
    lone = one.ask(4)
    await asyncio.sleep(0.01)
    assert one.gate.batches == [[0], [1, 2, 3]]
    await asyncio.gather(lone, one.ask(5), one.ask(6))
    assert one.gate.batches == [[0], [1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("limit", ["timeout_s", "deadline_s"])
async def test_nobody_is_kept_for_company_until_it_is_too_late(bench, monkeypatch, limit):
    monkeypatch.setattr(company, "PATIENCE", 1e9)
    monkeypatch.setattr(company, "MOST_PATIENCE_S", 3600.0)
    one = bench()
    await one.answered_together()
    assert value_of(await one.ask(4, **{limit: 2.0})) == [4]


async def test_a_lone_caller_is_not_made_to_wait(bench, monkeypatch):
    monkeypatch.setattr(company, "PATIENCE", 1e6)
    monkeypatch.setattr(company, "MOST_PATIENCE_S", 3600.0)
    one = bench(held=False)
    for n in range(3):
        assert value_of(await one.ask(n)) == [n]
    assert one.gate.batches == [[0], [1], [2]]


async def test_closing_does_not_wait_for_company(bench, monkeypatch):
    monkeypatch.setattr(company, "PATIENCE", 1e6)
    monkeypatch.setattr(company, "MOST_PATIENCE_S", 3600.0)
    one = bench()
    first = await one.occupied()
    others = [one.ask(n) for n in (1, 2)]
    await asyncio.sleep(0)
    one.gate.open()
    await asyncio.wait([first])
    await asyncio.to_thread(one.batcher.close)
    assert [value_of(answer) for answer in await asyncio.gather(*others)] == [[1], [2]]


async def test_a_request_may_wait_for_company(bench):
    one = bench(held=False, queue_delay_s=30.0, max_batch=2)
    lone = one.ask(1)
    await asyncio.sleep(0.01)
    assert not one.gate.batches
    await asyncio.gather(lone, one.ask(2))
    assert one.gate.batches == [[1, 2]]


async def test_company_is_not_waited_for_longer_than_allowed(bench):
    one = bench(held=False, queue_delay_s=0.001)
    assert value_of(await one.ask(1)) == [1]


async def test_a_caller_that_leaves_the_queue_harms_nobody(bench):
    one = bench()
    first = await one.occupied()
    leaving, staying = one.ask(1), one.ask(2)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    one.gate.open()
    assert value_of(await staying) == [2]
    await first
    assert one.gate.batches == [[0], [2]]
    assert leaving.cancelled()
    counts = one.statistics.snapshot()
    assert (counts.success.count, counts.fail.count, counts.cancelled) == (2, 1, 1)


async def test_a_caller_that_leaves_a_running_batch_harms_nobody(bench):
    one = bench()
    first = await one.occupied()
    leaving, staying = one.ask(1), one.ask(2)
    await asyncio.sleep(0)
    one.gate.open()
    one.gate.hold()
    await asyncio.wait([first], timeout=0)
    leaving.cancel()
    one.gate.open()
    assert value_of(await staying) == [2]
    assert value_of(await one.ask(3)) == [3]
    assert one.statistics.snapshot().cancelled == 1


async def test_the_one_at_fault_fails_alone(bench):
    one = bench()
    first = await one.occupied()
    good, bad, fine = one.ask(1), one.ask(13), one.ask(2)
    await asyncio.sleep(0)
    one.gate.open()
    assert value_of(await good) == [1]
    assert value_of(await fine) == [2]
    with pytest.raises(ModelFailedError, match="ArithmeticError: thirteen"):
        await bad
    await first
    assert one.statistics.snapshot().fail.count == 1


async def test_a_full_queue_refuses_at_once(bench):
    one = bench(max_queue=3)
    first = await one.occupied()
    waiting = [one.ask(n) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match="3 items wait already") as refused:
        await one.batcher.infer(item(4))
    assert refused.value.retry_after_s > 0
    assert one.statistics.snapshot().rejected == 1
    one.gate.open()
    await asyncio.gather(first, *waiting)
    assert value_of(await one.ask(5)) == [5]


async def test_a_place_in_the_queue_is_free_again_after_its_caller_left(bench):
    one = bench(max_queue=1)
    first = await one.occupied()
    leaving = one.ask(1)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    staying = one.ask(2)
    await asyncio.sleep(0)
    one.gate.open()
    assert value_of(await staying) == [2]
    await first


async def test_a_request_whose_time_is_up_leaves_the_queue(bench):
    one = bench()
    first = await one.occupied()
    with pytest.raises(QueueTimeoutError):
        await one.batcher.infer(item(1), timeout_s=0.005)
    one.gate.open()
    await first
    assert value_of(await one.ask(2)) == [2]
    assert one.gate.batches == [[0], [2]]
    assert one.statistics.snapshot().rejected == 1


async def test_what_cannot_be_in_time_is_refused_before_any_work(bench):
    one = bench(held=False)
    await one.ask(0)
    await one.entered()
    one.batcher._seconds_per_item = 10.0
    one.gate.hold()
    running = one.ask(1)
    await one.entered()
    with pytest.raises(QueueFullError, match=r"what waits takes 10\.000 s, longer than the 1\.000 s"):
        await one.batcher.infer(item(2), timeout_s=1.0)
    one.gate.open()
    await running


async def test_nothing_is_begun_too_late_for_its_deadline(bench):
    one = bench()
    running = await one.occupied()
    one.batcher._seconds_per_item = 1.0
    with pytest.raises(QueueFullError, match=r"what waits takes 1\.000 s, longer than the 0\.500 s"):
        await one.batcher.infer(item(1), deadline_s=1.5)
    patient = one.ask(2, deadline_s=30.0)
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match=r"what waits takes 2\.000 s, longer than the 1\.000 s"):
        await one.batcher.infer(item(3), deadline_s=3.0)
    one.gate.open()
    await asyncio.gather(running, patient)
    assert one.gate.batches == [[0], [2]]


async def test_an_idle_network_that_was_slow_is_tried_again(bench):
    one = bench(held=False)
    one.batcher._seconds_per_item = 1000.0
    assert one.batcher.refusal(deadline_s=20.0) is None
    assert value_of(await one.ask(1, deadline_s=20.0)) == [1]


async def test_what_one_more_would_be_told_is_told_and_counted(bench):
    one = bench(max_queue=1)
    first = await one.occupied()
    assert one.batcher.refusal() is None
    waiting = one.ask(1)
    await asyncio.sleep(0)
    told = one.batcher.refusal()
    assert str(told) == "1 items wait already"
    assert told.retry_after_s > 0
    assert one.statistics.snapshot().rejected == 1
    one.gate.open()
    await asyncio.gather(first, waiting)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own")
def test_networks_give_way_to_the_event_loop():
    workers = Workers(1)
    seen = SimpleQueue()
    workers.post(lambda: seen.put(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    assert seen.get(timeout=20) > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    workers.close()


async def test_closing_answers_what_was_let_in_and_refuses_the_rest(bench):
    one = bench(max_batch=1)
    running = await one.occupied()
    waiting = [one.ask(n) for n in (1, 2)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(one.batcher.close))
    await eventually(lambda: one.batcher._queue.closed)
    with pytest.raises(ModelNotReadyError):
        await one.batcher.infer(item(3))
    assert not closing.done()
    one.gate.open()
    await closing
    assert [value_of(answer) for answer in await asyncio.gather(running, *waiting)] == [[0], [1], [2]]


async def test_closing_does_not_wait_for_the_queue_delay(bench):
    one = bench(held=False, queue_delay_s=3600.0)
    waiting = one.ask(1)
    await asyncio.sleep(0)
    await asyncio.to_thread(one.batcher.close)
    assert value_of(await waiting) == [1]


async def test_too_large_a_request(bench):
    one = bench(held=False)
    with pytest.raises(InvalidInputError, match="batch: 5 items; a request holds at most 4"):
        await one.batcher.infer(item(1, 5))


async def test_statistics_count_requests_items_and_batches(bench):
    one = bench()
    first = await one.occupied()
    others = [one.ask(1, 2), one.ask(2)]
    await asyncio.sleep(0)
    one.gate.open()
    await asyncio.gather(first, *others)
    counts = one.statistics.snapshot()
    assert (counts.inference_count, counts.execution_count) == (4, 2)
    assert counts.success.count == counts.queue.count == counts.compute_infer.count == 3
    assert sorted(counts.batches) == [1, 3]
    assert counts.batches[3].compute_infer.count == 1
    assert counts.success.ns >= counts.queue.ns > 0
    assert counts.last_inference_ms > 0


async def test_several_workers_share_the_load(bench):
    one = bench(workers=2, max_batch=1)
    first, second = one.ask(1), one.ask(2)
    await one.entered()
    await one.entered()
    one.gate.open()
    await asyncio.gather(first, second)
    assert sorted(one.gate.batches) == [[1], [2]]


def test_a_lone_array_is_not_copied_unless_it_must_be():
    (lone,) = item(1)
    assert gathered([lone]) is lone
    fixed = np.frombuffer(lone.tobytes(), np.float32).reshape(1, 1)
    assert gathered([fixed]).flags.writeable
    assert gathered([*item(1), *item(2)]).tolist() == [[1], [2]]
