# SPDX-License-Identifier: Apache-2.0
"""Records to store: one that looks like life, and every one that can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast, TokenUsage
from server.forecasting.prediction import (
    Action,
    Agreement,
    Decision,
    Interval,
    MemberAnswer,
    Method,
    Prediction,
    PredictionRecord,
)
from server.forecasting.question import Question

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def record(
    prediction_id: str = "",
    *,
    question_id: str = "question-1",
    after: timedelta = timedelta(0),
    caller: str = "alice",
    request_id: str = "",
) -> PredictionRecord:
    """A dozen members asked, two of them absent."""
    members = tuple(_member(number) for number in range(12))
    prediction = Prediction(
        id=prediction_id or str(uuid4()),
        question_id=question_id,
        ensemble="quickstart",
        outcomes=("YES", "NO"),
        probabilities=(0.1 + 0.2, 0.7),
        raw_probabilities=(1 / 3, 2 / 3),
        outcome="NO",
        confidence=0.7,
        meta_confidence=0.58,
        agreement=Agreement(0.9, 0.02, 3.2, 0.61, 10, 12),
        interval=Interval(0.2, 0.4, 0.9, "bootstrap"),
        decision=Decision(Action.PROCEED, 1.0, "agreement 0.90"),
        members=members,
        cost=Cost(1_234_567, CostSource.PRICE_TABLE),
        create_time=NOON + after,
        elapsed_s=0.8123456789,
        method=Method("log_odds", parameters={"exponent": 1.5}),
        request_id=request_id,
        durable=True,
        explanation="The members agree. " * 10,
        tags={"desk": "macro"},
    )
    question = Question(
        question_id,
        "Will the index close higher?",
        background="Background. " * 40,
        category="markets",
        resolve_time=NOON + timedelta(days=3),
        market_probability=0.41,
    )
    return PredictionRecord(prediction, question, caller)


def with_prediction(base: PredictionRecord, **changes: Any) -> PredictionRecord:
    """The record with other values in its prediction."""
    return replace(base, prediction=replace(base.prediction, **changes))


def _member(number: int) -> MemberAnswer:
    if number >= 10:
        absent = Absent(AbsentReason.PROVIDER_TIMEOUT, "no answer in 1.5 s", attempts=1)
        return MemberAnswer(f"member-{number}", absent, 1.0)
    forecast = Forecast(
        ((number + 1) / 13, 1 - (number + 1) / 13),
        self_confidence=0.5,
        rationale="because " * 20,
        model="model-x",
        raw='{"probability": 0.3}',
        usage=TokenUsage(900, 0, 0, 120, 40),
        cost=Cost(123_456, CostSource.PROVIDER),
    )
    return MemberAnswer(f"member-{number}", forecast, 1.0, 0.1, 0.01, 0.25 + number / 100)
