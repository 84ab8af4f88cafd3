# SPDX-License-Identifier: Apache-2.0
"""Forecasters that answer, hang, lie and die; a store and a catalogue in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.forecasting.deadline import Deadline
from server.forecasting.errors import ConflictError, RecordError
from server.forecasting.forecast import Answer, Forecast
from server.forecasting.ports import Identity
from server.forecasting.prediction import PredictionRecord
from server.forecasting.query import Query
from server.forecasting.question import Question


class NoAuditLog:
    """Keeps nothing."""

    async def note(self, kind: str, subject: str, actor: str, content: Mapping[str, object]) -> None:
        pass


class Fake:
    """Base: counts what is asked of it, and what is still under way."""

    identity = Identity("fake", "tests", "fake")

    def __init__(self) -> None:
        self.asked: list[Query] = []
        self.was_asked = asyncio.Event()
        self.under_way = 0
        self.cancelled = 0

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        self.asked.append(query)
        self.was_asked.set()
        self.under_way += 1
        try:
            return await self.answer(query, deadline)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        raise NotImplementedError

    async def close(self) -> None:
        pass


class Saying(Fake):
    """Answers at once, or when its event is set."""

    def __init__(self, answer: Answer, when: asyncio.Event | None = None) -> None:
        super().__init__()
        self._answer, self._when = answer, when

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        if self._when is not None:
            await self._when.wait()
        return self._answer


def yes(probability: float, **more: object) -> Saying:
    return Saying(Forecast((probability, 1 - probability), **more))  # type: ignore[arg-type]


class Hanging(Fake):
    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError


class Stubborn(Fake):
    """Ignores cancellation until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        return Forecast((0.5, 0.5))


class Dying(Fake):
    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        raise ZeroDivisionError("secret detail")


@dataclass
class MemoryStore:
    """A store in memory. ``gate`` holds saves up, ``takes_s`` slows them down; ``broken`` makes them fail."""

    records: dict[str, PredictionRecord] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    broken: bool = False
    takes_s: float = 0.0

    async def save(self, record: PredictionRecord) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if self.broken:
            raise RecordError("the disk is full")
        request = (record.caller, record.prediction.request_id)
        if request[1] and await self.find_request(*request):
            raise ConflictError("answered already")
        self.records[record.prediction.id] = record

    async def get(self, prediction_id: str) -> PredictionRecord | None:
        return self.records.get(prediction_id)

    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        for record in self.records.values():
            if (record.caller, record.prediction.request_id) == (caller, request_id):
                return record
        return None

    async def list(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        question_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[PredictionRecord]:
        def key(record: PredictionRecord) -> tuple[datetime, str]:
            return record.prediction.create_time, record.prediction.id

        found = sorted(self.records.values(), key=key, reverse=True)
        return [
            record
            for record in found
            if (before is None or key(record) < before)
            and question_id in {"", record.question.id}
            and (start is None or record.prediction.create_time >= start)
            and (end is None or record.prediction.create_time < end)
        ][:limit]

    async def close(self) -> None:
        pass


class Catalogue:
    """Questions in memory."""

    def __init__(self, *questions: Question) -> None:
        self._questions = {question.id: question for question in questions}

    def get(self, question_id: str) -> Question | None:
        return self._questions.get(question_id)

    def list(self, *, category: str = "", contains: str = "") -> Sequence[Question]:
        return [
            question
            for _, question in sorted(self._questions.items())
            if category in {"", question.category} and contains.lower() in question.text.lower()
        ]
