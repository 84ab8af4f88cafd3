# SPDX-License-Identifier: Apache-2.0
"""Dynamic batching: requests that wait together are answered together.

A request waits until a worker is free; that worker takes what fits into one
batch, the most urgent first, so batches grow with the load by themselves and a
lone request never waits (unless ``queue_delay_s`` asks it to, for company).
Callers that were just answered tend to ask again at once: a worker gives as
many as were there a moment ago some time to come back (``company``), instead
of running off with the first of them alone.
What cannot be answered in time is refused at once, before any work was done.

The loop's thread queues, the workers take: one lock guards the queue. A caller
that leaves takes its own request with it and nobody else's.
"""

import asyncio
import heapq
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from server.inference.backend import Inputs, Outputs, Runnable
from server.inference.company import Company
from server.inference.errors import (
    InferenceError,
    InvalidInputError,
    ModelFailedError,
    ModelNotReadyError,
    QueueFullError,
    QueueTimeoutError,
)
from server.inference.statistics import Execution, Statistics
from server.inference.workers import Workers

#: Weight of the newest batch in the running mean of the time for one item.
NEWEST = 0.2
#: What part of the time that a request may wait for its turn it may wait for company.
COMPANY_SHARE = 0.5
#: Priorities are 1, the most urgent, to this.
PRIORITY_LEVELS = 16
DEFAULT_PRIORITY = 8


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How requests are gathered.

    ``max_batch`` items at most are computed together; ``queue_delay_s`` is how
    long a request may wait for company while a worker is free; ``max_queue``
    items at most wait.
    """

    max_batch: int = 16
    queue_delay_s: float = 0.0
    max_queue: int = 256


@dataclass(slots=True, eq=False)
class _Request:
    """One caller's items. Ordered by priority (lower first), then by arrival.

    ``company_until_s``: until when it may be kept for others to come, on the machine's monotonic clock.
    """

    priority: int
    number: int
    inputs: Inputs
    items: int
    answer: asyncio.Future[Outputs]
    loop: asyncio.AbstractEventLoop
    queued_ns: int
    waiting: bool = True
    company_until_s: float = math.inf
    expiry: asyncio.TimerHandle | None = None
    waited_ns: int = 0

    def __lt__(self, other: "_Request") -> bool:
        return (self.priority, self.number) < (other.priority, other.number)


@dataclass(slots=True)
class _Queue:
    """What waits for one model, and who is on the way to take it. Guarded by ``lock``."""

    company: Company
    lock: threading.Condition = field(default_factory=lambda: threading.Condition(threading.Lock()))
    requests: list[_Request] = field(default_factory=list)
    items: int = 0
    running_items: int = 0
    called: int = 0
    closed: bool = False
    lingering: int = 0


class Batcher:
    """The queue in front of one loaded model."""

    def __init__(
        self, model: Runnable, *, workers: Workers, settings: BatchSettings, statistics: Statistics
    ) -> None:
        self._model = model
        self._workers = workers
        self._settings = settings
        self._statistics = statistics
        self._queue = _Queue(Company(settings.max_batch))
        self._idle = threading.Event()
        self._idle.set()
        self._number = 0
        self._seconds_per_item = 0.0
        self._linger: asyncio.TimerHandle | None = None

    @property
    def backlog_s(self) -> float:
        """How long what waits and runs now will take, as far as the past tells."""
        items = self._queue.items + self._queue.running_items
        return items * self._seconds_per_item / self._workers.count

    async def infer(
        self,
        inputs: Inputs,
        *,
        priority: int = DEFAULT_PRIORITY,
        timeout_s: float | None = None,
        deadline_s: float | None = None,
    ) -> Outputs:
        """Answer items, each input (b, *shape).

        ``timeout_s``: how long they may wait for their turn. ``deadline_s``: in
        how long their answer is of no more use; they are not begun too late for it.

        Raises:
            InvalidInputError: more items than one batch may hold.
            QueueFullError: the queue is full, or would not be worked off in time.
            QueueTimeoutError: the time was up before its turn.
            ModelNotReadyError: the model was unloaded.
            ModelFailedError: the network raised.
        """
        loop = asyncio.get_running_loop()
        self._number += 1
        request = _Request(
            priority, self._number, inputs, len(inputs[0]), loop.create_future(), loop, time.monotonic_ns()
        )
        patience_s = self._admit(request, timeout_s, deadline_s)
        if patience_s is not None:
            request.expiry = loop.call_later(patience_s, self._expire, request)
        try:
            return await request.answer
        except asyncio.CancelledError:
            waiting = self._withdraw(request)
            self._statistics.cancelled(time.monotonic_ns() - request.queued_ns if waiting else None)
            raise
        finally:
            if request.expiry is not None:
                request.expiry.cancel()

    def refusal(
        self, *, timeout_s: float | None = None, deadline_s: float | None = None
    ) -> QueueFullError | None:
        """What one more item would be told now, counted as told; None where it may be let in.

        For callers whose request has not been read yet, so that refusing costs next to nothing.
        """
        refusal = self._refusal(1, self._patience_s(1, timeout_s, deadline_s))
        if refusal is not None:
            self._statistics.failed(0, rejected=True)
        return refusal

    def close(self) -> None:
        """Refuse what comes, and answer what was let in before. Blocks; not for the loop's thread."""
        with self._queue.lock:
            self._queue.closed = True
            self._queue.lock.notify_all()
            left_alone = bool(self._queue.requests) and not self._queue.called
            if left_alone:
                self._queue.called = 1
                self._idle.clear()
        if left_alone:
            self._workers.post(self._work)
        self._idle.wait()

    # The loop's side.

    def _admit(self, request: _Request, timeout_s: float | None, deadline_s: float | None) -> float | None:
        """Queue a request; returns how long it may wait for its turn, seconds."""
        items, settings, queue = request.items, self._settings, self._queue
        if items > settings.max_batch:
            raise InvalidInputError(f"batch: {items} items; a request holds at most {settings.max_batch}")
        with queue.lock:
            if queue.closed:
                raise ModelNotReadyError("the model was unloaded")
            patience_s = self._patience_s(items, timeout_s, deadline_s)
            refusal = self._refusal(items, patience_s)
            if refusal is None:
                if patience_s is not None:
                    request.company_until_s = time.monotonic() + COMPANY_SHARE * patience_s
                heapq.heappush(queue.requests, request)
                queue.items += items
                full = queue.items >= settings.max_batch
                if queue.lingering and queue.items >= queue.company.expected:
                    queue.lock.notify_all()
        if refusal is not None:
            self._statistics.failed(0, rejected=True)
            raise refusal
        if full or not settings.queue_delay_s:
            self._call_worker()
        elif self._linger is None:
            self._linger = request.loop.call_later(settings.queue_delay_s, self._call_worker)
        return patience_s

    def _patience_s(self, items: int, timeout_s: float | None, deadline_s: float | None) -> float | None:
        """How long items may wait: as they say, and so that the batch that they join ends in time.

        Where nobody waits or runs, a deadline is taken as it is: what was slow a
        moment ago is tried, or it would never be found to be quick again.
        """
        if deadline_s is None:
            return timeout_s
        queue = self._queue
        if queue.items or queue.running_items:
            deadline_s -= min(queue.items + items, self._settings.max_batch) * self._seconds_per_item
        return deadline_s if timeout_s is None else min(timeout_s, deadline_s)

    def _refusal(self, items: int, timeout_s: float | None) -> QueueFullError | None:
        wait = self.backlog_s
        if self._queue.items + items > self._settings.max_queue:
            return QueueFullError(f"{self._queue.items} items wait already", max(wait, 0.001))
        if timeout_s is not None and wait > timeout_s:
            return QueueFullError(
                f"what waits takes {wait:.3f} s, longer than the {timeout_s:.3f} s allowed", wait - timeout_s
            )
        return None

    def _call_worker(self) -> None:
        """Send one more worker to the queue, if one is free and something waits."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        with self._queue.lock:
            if not self._queue.requests or self._queue.called >= self._workers.count:
                return
            self._queue.called += 1
            self._idle.clear()
        self._workers.post(self._work)

    def _expire(self, request: _Request) -> None:
        if self._withdraw(request):
            waited = time.monotonic_ns() - request.queued_ns
            self._statistics.failed(waited, rejected=True)
            if not request.answer.done():
                request.answer.set_exception(QueueTimeoutError("the time was up before its turn came"))

    def _withdraw(self, request: _Request) -> bool:
        """Take a request out of the queue; False where a worker has it already."""
        with self._queue.lock:
            if not request.waiting:
                return False
            request.waiting = False
            self._queue.items -= request.items
            with suppress(ValueError):
                self._queue.requests.remove(request)
                heapq.heapify(self._queue.requests)
            return True

    # The workers' side.

    def _work(self) -> None:
        """Answer one batch; go to the end of the workers' queue where more waits."""
        self._await_company()
        batch = self._take()
        if batch:
            self._run(batch)
        with self._queue.lock:
            self._queue.running_items -= sum(request.items for request in batch)
            more = bool(self._queue.requests)
            self._queue.called -= not more
            if not self._queue.called:
                self._idle.set()
        if more:
            self._workers.post(self._work)

    def _await_company(self) -> None:
        """Wait for those who are likely to be back at once, unless another model waits for this worker."""
        queue = self._queue
        with queue.lock:
            while left_s := queue.company.left_s(queue.items, time.monotonic()):
                until_s = min(request.company_until_s for request in queue.requests)
                left_s = min(left_s, until_s - time.monotonic())
                if left_s <= 0.0 or queue.closed or self._workers.wanted:
                    return
                queue.lingering += 1
                queue.lock.wait(left_s)
                queue.lingering -= 1
                queue.company.waited(queue.items)

    def _take(self) -> list[_Request]:
        """The most urgent requests that fit into one batch."""
        batch: list[_Request] = []
        items, queue, now = 0, self._queue, time.monotonic_ns()
        with queue.lock:
            while queue.requests and items + queue.requests[0].items <= self._settings.max_batch:
                request = heapq.heappop(queue.requests)
                request.waiting = False
                request.waited_ns = now - request.queued_ns
                items += request.items
                batch.append(request)
            queue.items -= items
            queue.running_items += items
        return batch

    def _run(self, batch: list[_Request]) -> None:
        try:
            self._answer(batch)
        except Exception as error:  # noqa: BLE001 - whatever a network raises must reach its callers
            self._answer_one_by_one(batch, error)

    def _answer(self, batch: list[_Request]) -> None:
        begun = time.monotonic_ns()
        inputs = [gathered(parts) for parts in zip(*(request.inputs for request in batch), strict=True)]
        gathered_at = time.monotonic_ns()
        outputs = self._model.run(*inputs)
        computed_at = time.monotonic_ns()
        answers: list[tuple[_Request, Outputs | InferenceError]] = []
        start = 0
        for request in batch:
            stop = start + request.items
            logits, confidence, expected = outputs
            answers.append((request, (logits[start:stop], confidence[start:stop], expected[start:stop])))
            start = stop
        waited = [request.waited_ns for request in batch]
        done = time.monotonic_ns()
        self._statistics.executed(
            Execution(start, waited, gathered_at - begun, computed_at - gathered_at, done - computed_at)
        )
        with self._queue.lock:  # before they are told
            self._queue.company.answered(start, self._queue.items, (done - begun) * 1e-9, time.monotonic())
        per_item = (done - begun) * 1e-9 / start
        known = self._seconds_per_item
        self._seconds_per_item = per_item if not known else known + NEWEST * (per_item - known)
        _hand_over(answers)

    def _answer_one_by_one(self, batch: list[_Request], error: Exception) -> None:
        """A batch failed: the request at fault fails alone."""
        if len(batch) == 1:
            self._statistics.failed(batch[0].waited_ns)
            _hand_over([(batch[0], ModelFailedError(f"{type(error).__name__}: {error}"))])
            return
        for request in batch:
            self._run([request])


def gathered(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One writeable, contiguous batch; copied only where it must be."""
    if len(parts) == 1 and parts[0].flags.writeable and parts[0].flags.c_contiguous:
        return parts[0]
    return np.concatenate(parts)


def _hand_over(answers: list[tuple[_Request, Outputs | InferenceError]]) -> None:
    """Give answers to their callers, on the callers' loop."""
    loop = answers[0][0].loop
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_set_results, answers)


def _set_results(answers: list[tuple[_Request, Outputs | InferenceError]]) -> None:
    for request, answer in answers:
        if request.answer.done():
            continue
        if isinstance(answer, InferenceError):
            request.answer.set_exception(answer)
        else:
            request.answer.set_result(answer)
