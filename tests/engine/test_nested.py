# SPDX-License-Identifier: Apache-2.0
import pytest

from server.engine.nested import EnsembleForecaster
from server.engine.request import PredictionRequest
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.nesting import MAX_DEPTH, check_nesting
from server.forecasting.question import Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Dying, Hanging, yes

QUESTION = Question("q1", "Will it rain?")


async def test_an_ensemble_answers_as_a_member() -> None:
    cost = Cost(1_000, CostSource.PROVIDER)
    inner = ensemble_of({"a": yes(0.9, cost=cost), "b": yes(0.7, cost=cost)}, "inner", pooling="linear")
    outer = ensemble_of(
        {"in": EnsembleForecaster("inner", lambda _: inner), "c": yes(0.6)}, "outer", pooling="linear"
    )
    prediction = await engine_of(outer, inner).predict(PredictionRequest(QUESTION))
    assert prediction.probabilities[0] == pytest.approx(0.7)
    assert prediction.cost == Cost(2_000, CostSource.PROVIDER)
    assert {name: standing.answers for name, standing in inner.standings.items()} == {"a": 1, "b": 1}
    assert inner.standings["a"].mean_cost_nano_usd == 1_000


async def test_an_abstaining_or_silent_ensemble_is_absent() -> None:
    split = ensemble_of({"a": yes(0.9), "b": yes(0.1)}, "split")
    silent = ensemble_of({"a": Dying(), "b": Hanging()}, "silent", deadline_s=0.05)
    found = {"split": split, "silent": silent}
    outer = ensemble_of(
        {
            "s": EnsembleForecaster("split", found.__getitem__),
            "t": EnsembleForecaster("silent", found.__getitem__),
            "c": yes(0.6),
        },
        "outer",
        min_responses=1,
    )
    prediction = await engine_of(outer).predict(PredictionRequest(QUESTION))
    absent = {m.member: m.absent for m in prediction.members if m.absent is not None}
    assert set(absent) == {"s", "t"}
    assert "abstained" in absent["s"].detail
    assert "internal" in absent["t"].detail
    assert [absent[name].reason.value for name in "st"] == ["not_applicable", "internal"]


def test_circles_and_towers_are_refused() -> None:
    with pytest.raises(ValueError, match="contains itself: a > b > a"):
        check_nesting({"a": ["b"], "b": ["a"]})
    with pytest.raises(ValueError, match="not defined"):
        check_nesting({"a": ["nope"]})
    tower = {str(i): [str(i + 1)] for i in range(MAX_DEPTH)} | {str(MAX_DEPTH): []}
    with pytest.raises(ValueError, match="deeper"):
        check_nesting(tower)
    check_nesting({"a": ["b", "c"], "b": ["c"], "c": []})
