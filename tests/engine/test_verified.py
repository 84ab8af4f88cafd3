# SPDX-License-Identifier: Apache-2.0
"""Verify, then answer."""

from dataclasses import replace

import pytest

from server.engine.request import PredictionRequest
from server.engine.verified import VerifiedForecaster, judged
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import Cost, CostSource, Forecast
from server.forecasting.prediction import Prediction
from server.forecasting.query import Query
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, Question, QuestionKind
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Fake, Hanging, Saying, yes

PAID = Cost(1_000, CostSource.PROVIDER)


async def predict(
    first: Fake, judge: Fake, kind: QuestionKind | None = None, deadline_s: float = 2.0
) -> Prediction:
    question = Question("q1", "What is the capital?", kind=kind or Binary(), background="Old notes.")
    inner = {"first": ensemble_of({"a": first}, "first"), "judges": ensemble_of({"j": judge}, "judges")}
    verified = VerifiedForecaster("first", "judges", inner.__getitem__)
    outer = ensemble_of({"checked": verified}, "outer", deadline_s=deadline_s)
    return await engine_of(outer, *inner.values()).predict(PredictionRequest(question))


async def test_an_approved_answer_stands_with_the_judges_confidence() -> None:
    first, judge = yes(0.8, cost=PAID, rationale="Because."), yes(0.9, cost=PAID)
    prediction = await predict(first, judge)
    (member,) = prediction.members
    assert member.forecast is not None
    assert member.forecast.probabilities == pytest.approx((0.8, 0.2))
    assert member.forecast.self_confidence == pytest.approx(0.9)
    assert "Judged right with probability 0.90" in member.forecast.rationale
    assert prediction.cost == Cost(2_000, CostSource.PROVIDER)


async def test_what_the_judges_do_not_believe_is_withdrawn_and_paid() -> None:
    with pytest.raises(NoAnswerError, match="not_applicable"):
        await predict(yes(0.8), yes(0.2))


async def test_judges_that_do_not_answer_in_time_are_no_approval() -> None:
    first, judge = yes(0.8), Hanging()
    with pytest.raises(NoAnswerError):
        await predict(first, judge, deadline_s=0.3)
    assert judge.cancelled == 1


async def test_without_an_answer_nobody_judges() -> None:
    judge = yes(0.9)
    with pytest.raises(NoAnswerError):
        await predict(Hanging(), judge, deadline_s=0.3)
    assert not judge.asked


async def test_the_judges_weigh_a_free_text_vote() -> None:
    prediction = await predict(Saying(Forecast((), text="Paris", self_confidence=0.6)), yes(0.75), FreeText())
    assert prediction.outcome == "paris"
    assert prediction.confidence == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("kind", "forecast", "said"),
    [
        (Binary(), Forecast((0.3, 0.7)), "NO"),
        (Exclusive(("Ann", "Bob", "Cem")), Forecast((0.2, 0.5, 0.3)), "Bob"),
        (Numeric((1.0, 2.0, 3.0), "km"), Forecast((0.25, 0.5, 0.75)), "about 2 km"),
        (FreeText(), Forecast((), text="Paris"), "Paris"),
    ],
)
def test_the_judges_see_question_and_answer(kind: QuestionKind, forecast: Forecast, said: str) -> None:
    question = Question("q1", "Who wins?", kind=kind, background="Old notes.", market_probability=0.4)
    asked = judged(question, forecast)
    assert asked.kind == Binary()
    assert f"The answer: {said}" in asked.text
    assert "Who wins?" in asked.text, "also for judges who may not be shown the background"
    assert "Old notes." in asked.background
    assert asked.market_probability is None


class Measured(Saying):
    """Costs a nano dollar for each byte of the question's text and background."""

    is_free = False
    max_calls = 1

    def upper_bound(self, query: Query) -> int:
        return len(f"{query.question.text}{query.question.background}".encode())

    def expected(self, query: Query) -> int:
        return self.upper_bound(query)


@pytest.mark.parametrize(
    ("kind", "forecast"),
    [
        (Binary(), Forecast((0.3, 0.7), rationale="\u6f22" * 3_000)),
        (Exclusive(("Ann", "Beatrice", "\u00dc" * 6)), Forecast((0.2, 0.2, 0.6), rationale="r" * 3_000)),
        (Numeric((1e9, 2e9, 3e9), "km"), Forecast((0.25, 0.5, 0.75), rationale="r" * 2_000)),
        (FreeText(max_characters=40), Forecast((), text="\u6f22" * 40, rationale="r")),
    ],
)
def test_the_bound_holds_what_the_judges_read(kind: QuestionKind, forecast: Forecast) -> None:
    first, judge = Measured(forecast), Measured(Forecast((0.9, 0.1)))
    inner = {"first": ensemble_of({"a": first}, "first"), "judges": ensemble_of({"j": judge}, "judges")}
    query = Query(Question("q1", "What is it?", kind=kind, background="Old notes."))
    bound = VerifiedForecaster("first", "judges", inner.__getitem__).upper_bound(query)
    asked = replace(query, question=judged(query.question, forecast))
    assert bound is not None
    assert bound >= first.upper_bound(query) + judge.upper_bound(asked)
