# SPDX-License-Identifier: Apache-2.0
"""Whether a signal is worth trading on, against the rule written out plainly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.ensembles import Ensembles
from server.engine.market import MarketDefaults, MarketEngine
from server.engine.trading import call
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import MemberSpec, TradeRule
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.prediction import Action, Prediction
from server.forecasting.query import MarketObservation
from tests.engine.conftest import ensemble_of
from tests.fakes import Saying
from tests.patience import LoopClock

OBSERVATION = MarketObservation(
    symbol="MADEUP",
    event_time_us=1,
    sequence=1,
    warm=True,
    features_warm=True,
    horizon_updates=10,
    window=np.zeros((100, 20, 4), np.float32),
    feature_rows=np.zeros((60, 112), np.float32),
)
ROW = st.lists(st.integers(1, 1000), min_size=3, max_size=3).map(lambda row: tuple(x / sum(row) for x in row))


async def predicted(*answers: Answer, **choices: object) -> Prediction:
    members = {f"m{i}": Saying(answer) for i, answer in enumerate(answers)}
    choices = {"pooling": "linear", "horizon_updates": 10, **choices}
    ensemble = ensemble_of(members, "market", **choices)  # type: ignore[arg-type]
    clock = LoopClock()
    engine = MarketEngine(Ensembles([ensemble], "market", "market"), clock, MarketDefaults(), "test")
    return await engine.answer(ensemble, OBSERVATION, Deadline.after(5.0, clock))


@given(rows=st.lists(ROW, min_size=1, max_size=4), confidence=st.floats(0, 1), neutral=st.floats(0, 1))
async def test_the_rule_written_out(rows: list[tuple[float, ...]], confidence: float, neutral: float) -> None:
    prediction = await predicted(*map(Forecast, rows), min_agreement=0.6)
    found = call(prediction, TradeRule(confidence, neutral))
    down, _, up = pooled = np.mean(rows, axis=0)
    leads = np.sort(pooled)
    margins = (abs(up - down) - neutral, leads[2] - leads[1], max(down, up) - confidence)
    if min(map(abs, margins)) < 1e-9:
        return
    place = 1 if abs(up - down) < neutral else int(np.argmax(pooled))
    assert found.direction == ("DOWN", "NEUTRAL", "UP")[place]
    assert found.confidence == pytest.approx(pooled[place])
    agreed = prediction.decision.action is not Action.ABSTAIN
    assert found.should_trade == (place != 1 and pooled[place] >= confidence and agreed)
    assert bool(found.reason) != found.should_trade
    assert found.meta_confidence <= prediction.meta_confidence + 1e-12


@pytest.mark.parametrize(
    ("rows", "direction", "reason"),
    [
        ([(0.1, 0.2, 0.7)], "UP", ""),
        ([(0.7, 0.2, 0.1)], "DOWN", ""),
        ([(0.1, 0.44, 0.46)], "UP", "a confidence of 0.460 is below the threshold 0.500"),
        ([(0.45, 0.05, 0.5)], "NEUTRAL", "UP and DOWN differ by 0.050, less than 0.100"),
        ([(0.1, 0.7, 0.2)], "NEUTRAL", "no direction is the most probable"),
        ([(0.05, 0.0, 0.95), (0.55, 0.05, 0.4)], "UP", "agreement 0.50 is below the threshold 0.60"),
    ],
)
async def test_with_the_defaults(rows: list[tuple[float, ...]], direction: str, reason: str) -> None:
    found = call(await predicted(*map(Forecast, rows)), TradeRule())
    assert found.direction == direction
    assert found.should_trade == (not reason)
    assert reason in found.reason


async def test_a_member_below_its_least_confidence_is_not_heard() -> None:
    specs = (MemberSpec("m0", min_confidence=0.6), MemberSpec("m1", min_confidence=0.6))
    prediction = await predicted(
        Forecast((0.1, 0.3, 0.6)), Forecast((0.5, 0.3, 0.2)), specs=specs, min_responses=1
    )
    found = call(prediction, TradeRule())
    assert (found.direction, found.should_trade) == ("UP", True)
    assert found.confidence == pytest.approx(0.6)


async def test_nobody_answered() -> None:
    absent = Absent(AbsentReason.NOT_APPLICABLE, "not warm")
    found = call(await predicted(absent, absent), TradeRule())
    assert (found.direction, found.confidence, found.should_trade) == ("", 0.0, False)
    assert found.reason
