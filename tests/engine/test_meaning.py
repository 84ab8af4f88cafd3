# SPDX-License-Identifier: Apache-2.0
"""Free-text answers that mean the same vote together."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Forecast
from server.forecasting.prediction import Prediction
from server.forecasting.query import Query
from server.forecasting.question import FreeText, Normalization, Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Fake, Saying

ASK = PredictionRequest(Question("q1", "What is it?", kind=FreeText(Normalization.EMBEDDING)))


class Table:
    """Vectors by text; a text that is missing hangs, None is a refusal."""

    min_similarity = 0.8

    def __init__(self, vectors: Mapping[str, Sequence[float] | None]) -> None:
        self._vectors = vectors
        self.asked: list[str] = []

    async def embed(self, text: str, query: Query, deadline: Deadline) -> Sequence[float] | None:
        self.asked.append(text)
        if text not in self._vectors:
            try:
                async with deadline.timeout():
                    await asyncio.Event().wait()
            except TimeoutError:
                return None
        return self._vectors[text]


async def vote(*texts: str, embedder: Table | None = None, **choices: object) -> Prediction:
    members: dict[str, Fake] = {
        f"m{i}": Saying(Forecast((), text=text, self_confidence=0.9)) for i, text in enumerate(texts)
    }
    ensemble = ensemble_of(members, min_responses=1, min_agreement=0.0, **choices)
    ensemble.embedder = embedder
    return await engine_of(ensemble).predict(ASK)


async def test_a_model_tells_what_means_the_same() -> None:
    table = Table({"the big apple": (1.0, 0.1), "new york": (1.0, 0.0), "boston": (0.0, 1.0)})
    prediction = await vote("The Big Apple", "New York.", "Boston", embedder=table)
    assert prediction.outcome == "the big apple"
    assert prediction.votes[:2] == (2, 1)
    assert [m.forecast.group for m in prediction.members if m.forecast] == [
        "the big apple",
        "the big apple",
        "boston",
    ]
    assert prediction.members[1].forecast is not None
    assert prediction.members[1].forecast.text == "New York."


async def test_equal_answers_are_not_asked_about_twice() -> None:
    table = Table({"paris": (1.0, 0.0)})
    await vote("Paris", "paris", "PARIS.", embedder=table, execution="sequential", min_consensus=1.0)
    assert table.asked == ["paris"]


NOTHING = Table({"emmanuel macron": None, "president emmanuel macron": None, "olaf scholz": None})


SIZES = Table(
    {"emmanuel macron": (1.0, 0.0), "president emmanuel macron": (1.0,), "olaf scholz": (0.0, 1.0, 0.0)}
)


@pytest.mark.parametrize("embedder", [None, NOTHING, SIZES])
async def test_letters_decide_where_no_model_does(embedder: Table | None) -> None:
    prediction = await vote("Emmanuel Macron", "President Emmanuel Macron", "Olaf Scholz", embedder=embedder)
    assert prediction.outcome == "emmanuel macron"
    assert prediction.votes[:2] == (2, 1)


async def test_different_numbers_are_different_answers() -> None:
    table = Table({"about 12 million": (1.0, 0.0), "about 13 million": (1.0, 0.001)})
    prediction = await vote("about 12 million", "about 13 million", embedder=table)
    assert len(prediction.outcomes) == 3


async def test_an_answer_in_hand_is_not_lost_over_its_meaning() -> None:
    prediction = await vote("Paris", "Rome", embedder=Table({"paris": (1.0,)}), deadline_s=0.4)
    assert prediction.agreement.answered == 2
