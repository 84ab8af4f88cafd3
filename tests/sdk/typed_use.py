# SPDX-License-Identifier: Apache-2.0
"""How a user's own code sees the types; mypy reads this file, nobody runs it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from consilience import (
    Aggregation,
    AsyncClient,
    BudgetStatus,
    Client,
    CostEstimate,
    MarketReply,
    Member,
    Page,
    Prediction,
    PredictionEvent,
    PredictionFailure,
    Question,
    ServerStatus,
    SpendReport,
    StoredPrediction,
)
from consilience.plugins import Candidate, Pooling, Selection


def plain(client: Client) -> None:
    assert_type(client.predict("Will it?", ensemble="e", deadline_s=1.0), Prediction)
    assert_type(
        client.batch_predict(["Will it?", Question(id="q1")]), tuple[Prediction | PredictionFailure, ...]
    )
    assert_type(client.aggregate([0.5, None]), Aggregation)
    assert_type(client.aggregate([[0.5, 0.5], None]), Aggregation)
    assert_type(client.aggregate(np.zeros((3, 2))), Aggregation)
    assert_type(client.get_prediction("p1"), StoredPrediction)
    assert_type(client.list_questions(), Page[Question])
    assert_type(client.admin.status(), ServerStatus)
    assert_type(client.admin.members(), tuple[Member, ...])
    assert_type(client.estimate_cost("Will it?", max_cost_usd=0.05), CostEstimate)
    assert_type(client.admin.spend("member"), SpendReport)
    assert_type(client.admin.set_budget("day", 20, window=timedelta(days=1)), BudgetStatus)
    assert_type(list(client.stream("Will it?")), list[PredictionEvent])
    assert_type(list(client.market([])), list[MarketReply])
    client.predict("Will it?", pool="linear")  # type: ignore[call-arg]
    client.predict("Will it?", members="gpt", deadline_s="1")  # type: ignore[arg-type]


async def awaited(client: AsyncClient) -> None:
    assert_type(await client.predict("Will it?", weights={"a": 1.0}), Prediction)
    assert_type(await client.aggregate([0.5]), Aggregation)
    assert_type([event async for event in client.stream("Will it?")], list[PredictionEvent])
    assert_type([question async for question in client.questions()], list[Question])


def mean(
    probabilities: NDArray[np.float64], weights: NDArray[np.float64], parameters: Mapping[str, float]
) -> NDArray[np.float64]:
    return np.average(probabilities, axis=0, weights=weights).astype(np.float64)


def first(candidates: Sequence[Candidate], category: str, parameters: Mapping[str, float]) -> Sequence[str]:
    return [candidates[0].name]


pooling: Pooling = mean
selection: Selection = first
wrong: Pooling = first  # type: ignore[assignment]
