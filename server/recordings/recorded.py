# SPDX-License-Identifier: Apache-2.0
"""A forecaster that answers with what a model really said."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.forecasting.question import NO, YES, Question
from server.recordings.tables import Tables, instant


@dataclass(frozen=True, slots=True)
class RecordedModel:
    """A model in the recordings, and how many answers it gave."""

    name: str
    base_model: str
    provider: str
    answers: int


@dataclass(frozen=True, slots=True)
class RecordedAnswers:
    """Answers of one model, shared by its forecasters; ``rows``: question id to row of the tables."""

    model: RecordedModel
    tables: Tables
    rows: dict[str, int]

    @classmethod
    def of(cls, tables: Tables, index: int) -> "RecordedAnswers":
        """The answers of the model at ``index``."""
        start, stop = (int(row) for row in tables.models.starts[index : index + 2])
        names = (tables.units.id[unit] for unit in tables.answers.unit[start:stop].tolist())
        return cls(recorded_model(tables, index), tables, dict(zip(names, range(start, stop), strict=True)))


def recorded_model(tables: Tables, index: int) -> RecordedModel:
    """The model at ``index``."""
    models = tables.models
    count = int(models.starts[index + 1] - models.starts[index])
    return RecordedModel(models.name[index], models.base_model[index], models.provider[index], count)


class RecordedForecaster:
    """Answers by question id; nothing is told before the date for which it was said."""

    def __init__(self, answers: RecordedAnswers) -> None:
        self._answers = answers
        self._model = answers.model
        self._identity = Identity("recorded", answers.model.provider, answers.model.base_model)

    @property
    def identity(self) -> Identity:
        """Kind ``recorded``, the model's maker and the model."""
        return self._identity

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """What the model said; absent where it was not asked, or not yet."""
        del deadline
        question = query.question
        row = self._answers.rows.get(question.id)
        if row is None:
            return _not_applicable(f"{self._model.name} was not recorded on this question")
        if question.outcomes != (YES, NO):
            return _not_applicable("recorded answers are for the outcomes YES and NO")
        return self._answer(question, row)

    async def close(self) -> None:
        """Nothing to let go of: the tables are shared."""

    def _answer(self, question: Question, row: int) -> Answer:
        answers, units = self._answers.tables.answers, self._answers.tables.units
        said = instant(int(units.forecast_day[answers.unit[row]]))
        if question.as_of_time is not None and question.as_of_time < said:
            return _not_applicable(
                f"{self._model.name} answered as of {said:%Y-%m-%d}, after the time asked for"
            )
        probability = float(answers.probability[row])
        return Forecast(
            probabilities=(probability, 1.0 - probability),
            rationale=_origin(answers.conditions[answers.condition[row]], int(answers.trials[row]), said),
            model=self._model.name,
            recorded=True,
        )


def _not_applicable(detail: str) -> Absent:
    return Absent(AbsentReason.NOT_APPLICABLE, detail)


@lru_cache(maxsize=4096)
def _origin(condition: str, trials: int, said: datetime) -> str:
    samples = f", mean of {trials} samples" if trials > 1 else ""
    return f"recorded for {said:%Y-%m-%d}: {condition}{samples}"
