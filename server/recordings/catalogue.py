# SPDX-License-Identifier: Apache-2.0
"""The questions that the recordings answer."""

from collections.abc import Sequence

from server.forecasting.question import Question
from server.recordings.questions import make_question
from server.recordings.tables import Tables


class RecordedCatalogue:
    """Questions by id, one for each unit.

    ``list`` shows those that enough models answered, ``get`` knows all.
    """

    def __init__(self, tables: Tables, *, min_forecasters: int = 1, frozen_prices: bool = False) -> None:
        self._tables = tables
        self._frozen_prices = frozen_prices
        self._units = {name: unit for unit, name in enumerate(tables.units.id)}
        self._listed: list[int] = (tables.units.answers >= min_forecasters).nonzero()[0].tolist()
        self._made: dict[int, Question] = {}

    def __len__(self) -> int:
        """How many questions are listed."""
        return len(self._listed)

    def get(self, question_id: str) -> Question | None:
        """The question, or None."""
        unit = self._units.get(question_id)
        return None if unit is None else self._question(unit)

    def list(self, *, category: str = "", contains: str = "") -> Sequence[Question]:
        """Listed questions in order of id.

        Args:
            category: only of this category; case does not matter.
            contains: only where id, source or text has it; case does not matter.
        """
        wanted, part = category.casefold(), contains.casefold()
        listed = (self._question(unit) for unit in self._listed)
        return [
            question
            for question in listed
            if wanted in ("", question.category.casefold()) and _mentions(question, part)
        ]

    def _question(self, unit: int) -> Question:
        question = self._made.get(unit)
        if question is None:
            question = self._made[unit] = make_question(self._tables, unit, self._frozen_prices)
        return question


def _mentions(question: Question, part: str) -> bool:
    return not part or any(part in text.casefold() for text in (question.id, question.source, question.text))
