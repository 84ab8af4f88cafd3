# SPDX-License-Identifier: Apache-2.0
"""A store and a catalogue that hold nothing: in research, the run's own files are the record."""

from collections.abc import Sequence
from datetime import datetime

from server.forecasting.prediction import PredictionRecord
from server.forecasting.question import Question


class Nowhere:
    """Keeps no predictions; see ``PredictionStore``."""

    async def save(self, record: PredictionRecord) -> None:
        """Forget it."""

    async def get(self, prediction_id: str) -> PredictionRecord | None:
        """Nothing."""

    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        """Nothing."""

    async def list(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        question_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[PredictionRecord]:
        """Nothing."""
        del limit, before, question_id, start, end
        return ()

    async def close(self) -> None:
        """Nothing is open."""


class NoCatalogue:
    """Knows no question by id: research asks with the question itself."""

    def get(self, question_id: str) -> Question | None:
        """Nothing."""

    def list(self, *, category: str = "", contains: str = "") -> Sequence[Question]:
        """Nothing."""
        del category, contains
        return ()
