# SPDX-License-Identifier: Apache-2.0
"""What the engine needs from the rooms beside it. They fit these; it knows only these."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Answer
from server.forecasting.prediction import Prediction, PredictionRecord
from server.forecasting.query import Query
from server.forecasting.question import Question


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a forecaster is: its kind and, where there is one, provider and model."""

    kind: str
    provider: str = ""
    model: str = ""


@runtime_checkable
class Forecaster(Protocol):
    """Anything that answers: a language model, a network, a recording, a price, an ensemble."""

    @property
    def identity(self) -> Identity:
        """Who it is."""
        ...

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """Answer by the deadline.

        Expected failures are returned as ``Absent``; cancellation passes
        through; anything else raised is a fault and counts as ``INTERNAL``.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads. Called once, after the last forecast."""
        ...


class PredictionStore(Protocol):
    """Where predictions are kept."""

    async def save(self, record: PredictionRecord) -> None:
        """Return once the record is on disk, synced.

        Raises:
            RecordError: it is not, and will not be.
            ConflictError: this caller's request was answered already, by another process.
        """
        ...

    async def get(self, prediction_id: str) -> PredictionRecord | None:
        """The record, or None."""
        ...

    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        """The answer once given to this caller's request, or None."""
        ...

    async def list(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        question_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[PredictionRecord]:
        """Newest first, at most ``limit``, strictly before the (create_time, id) given."""
        ...

    async def close(self) -> None:
        """Write what is queued, then close."""
        ...


class QuestionCatalogue(Protocol):
    """Questions that the server knows by id."""

    def get(self, question_id: str) -> Question | None:
        """The question, or None."""
        ...

    def list(self, *, category: str = "", contains: str = "") -> Sequence[Question]:
        """Those that match, in order of id."""
        ...


class PredictionObserver(Protocol):
    """Told about every finished prediction: metrics and logs. Must not block or raise."""

    def predicted(self, prediction: Prediction) -> None:
        """A prediction has been answered."""
        ...

    def failed(self, ensemble: str, reason: str) -> None:
        """A prediction has failed."""
        ...
