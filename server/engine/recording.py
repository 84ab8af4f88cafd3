# SPDX-License-Identifier: Apache-2.0
"""The record: durable before the caller sees the answer, and one answer for one request."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Durability
from server.forecasting.errors import ConflictError, DeadlineError, RecordError
from server.forecasting.ports import PredictionStore
from server.forecasting.prediction import Prediction, PredictionRecord

log = structlog.get_logger(__name__)

#: Kept back from the deadline for sending the reply once the record is on disk.
SEND_S = 0.03


class Recorder:
    """Writes records, and remembers which requests were answered."""

    def __init__(self, store: PredictionStore) -> None:
        self._store = store
        self._under_way: dict[tuple[str, str], asyncio.Task[Prediction]] = {}
        self._behind: set[asyncio.Task[None]] = set()

    async def once(
        self,
        caller: str,
        request_id: str,
        answer: Callable[[], Awaitable[Prediction]],
        deadline: Deadline,
    ) -> Prediction:
        """Answer a request once: a repeated one gets the stored answer, or waits for the one under way.

        One caller of a shared request that hangs up does not take the answer
        from the others, and none waits beyond its own ``deadline``, for a database that hangs neither.

        Raises:
            DeadlineError: it is still being answered by then.
        """
        if not request_id:
            return await answer()
        try:
            async with deadline.timeout() as scope:
                return await self._shared((caller, request_id), answer)
        except TimeoutError:
            if not scope.expired():
                raise
            msg = "the request is still being answered; repeat it to get its answer"
            raise DeadlineError(msg) from None

    async def _shared(self, key: tuple[str, str], answer: Callable[[], Awaitable[Prediction]]) -> Prediction:
        task = self._under_way.get(key)
        if task is None:
            stored = await self.find(*key)
            if stored is not None:
                return stored
            task = self._under_way.get(key) or self._begin(key, answer)
        return await asyncio.shield(task)

    def _begin(
        self, key: tuple[str, str], answer: Callable[[], Awaitable[Prediction]]
    ) -> "asyncio.Task[Prediction]":
        async def run() -> Prediction:
            return await answer()

        task = asyncio.create_task(run(), name=f"request {key[1]}")
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._end(key, done))
        return task

    def _end(self, key: tuple[str, str], task: "asyncio.Task[Prediction]") -> None:
        del self._under_way[key]
        if not task.cancelled() and task.exception() is not None:
            log.debug("request_failed", request_id=key[1])

    async def record(
        self, record: PredictionRecord, durability: Durability, deadline: Deadline
    ) -> Prediction:
        """Store the record as far as was promised; the answer says what was.

        Raises:
            RecordError: DURABLE was wanted and the record is not on disk in time.
        """
        if durability is Durability.NONE:
            return record.prediction
        durable = replace(record, prediction=replace(record.prediction, durable=True))
        saving = asyncio.create_task(self._store.save(durable), name=f"save {record.prediction.id}")
        self._behind.add(saving)
        saving.add_done_callback(self._saved)
        await asyncio.wait({saving}, timeout=deadline.earlier(SEND_S).remaining_s())
        if saving.done():
            error = saving.exception()
            if error is None:
                return durable.prediction
            if isinstance(error, ConflictError) and (
                first := await self.find(record.caller, record.prediction.request_id)
            ):
                return first
        if durability is Durability.DEADLINE_FIRST:
            return self._unproven(record)
        raise RecordError(
            "the answer could not be written to disk in time and was to be durable; "
            "look at the disk, or ask with durability DEADLINE_FIRST"
        )

    async def find(self, caller: str, request_id: str) -> Prediction | None:
        """What was answered to this request, by whatever process."""
        stored = await self._store.find_request(caller, request_id)
        return None if stored is None else stored.prediction

    @staticmethod
    def _unproven(record: PredictionRecord) -> Prediction:
        warning = "the record was not on disk when this answer left"
        return replace(record.prediction, warnings=(*record.prediction.warnings, warning))

    def _saved(self, task: "asyncio.Task[None]") -> None:
        self._behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("record_failed", task=task.get_name(), error=str(error))

    async def close(self, grace_s: float = 30.0) -> None:
        """Wait for requests and records under way, but not for ever: a hung disk must not stop the exit."""
        pending = {*self._under_way.values(), *self._behind}
        if pending:
            _, stuck = await asyncio.wait(pending, timeout=grace_s)
            if stuck:
                log.error("records_left_behind", count=len(stuck))
