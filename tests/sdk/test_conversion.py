# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from math import isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience import (
    AbsentReason,
    Binary,
    CostSource,
    DecisionAction,
    Durability,
    Exclusive,
    FreeText,
    MarketCandle,
    MarketControl,
    MarketEvent,
    MarketHistory,
    MarketNoticeKind,
    Normalization,
    Numeric,
    NumericScale,
    OperatingMode,
    Prediction,
    PredictionState,
    Question,
    Resolution,
)
from consilience._enums import Numbers
from consilience._times import to_duration, to_seconds
from consilience.forecast import _REASONS
from consilience.options import to_nano_usd
from consilience.v1 import (
    admin_service_pb2,
    forecast_pb2,
    market_pb2,
    money_pb2,
    predict_service_pb2,
    prediction_pb2,
    question_pb2,
)

instants = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
kinds = st.one_of(
    st.just(Binary()),
    st.builds(Exclusive, st.lists(texts, min_size=2, max_size=4).map(tuple)),
    st.builds(
        Numeric,
        st.lists(st.floats(allow_nan=False), min_size=2, max_size=4).map(tuple),
        texts,
        st.sampled_from([NumericScale.LINEAR, NumericScale.LOG]),
    ),
    st.builds(FreeText, st.sampled_from(list(Normalization)), st.integers(1, 4096)),
)
questions = st.builds(
    Question,
    text=texts,
    id=texts,
    kind=kinds,
    background=texts,
    resolution_criteria=texts,
    category=texts,
    as_of_time=st.none() | instants,
    resolve_time=st.none() | instants,
    stake_usd=st.floats(0, 1e9),
    market_probability=st.none() | st.floats(0, 1),
    market_time=st.none() | instants,
    source=texts,
    url=texts,
)


@given(questions)
def test_a_question_survives_the_wire(question: Question) -> None:
    data = question.to_message().SerializeToString()
    assert Question.from_message(question_pb2.Question.FromString(data)) == question


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="as_of_time has no time zone"):
        Question("Will it?", as_of_time=datetime(2026, 1, 1)).to_message()


def test_any_zone_will_do() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    message = Question("Will it?", as_of_time=noon).to_message()
    assert message.as_of_time.ToJsonString() == "2026-01-01T10:00:00Z"


@pytest.mark.parametrize(
    "field", [{"outcome": "YES"}, {"fraction": 0.5}, {"value": 3.0}, {"annulled": True}, {"retracted": True}]
)
def test_a_resolution_has_one_result(field: dict[str, Any]) -> None:
    message = question_pb2.Resolution(question_id="q1", version=2, **field)
    assert Resolution.from_message(message) == Resolution("q1", version=2, **field)


@given(st.floats(0, 1e9))
def test_durations_keep_the_nanosecond(seconds: float) -> None:
    duration = to_duration("deadline_s", seconds)
    assert 0 <= duration.nanos < 1_000_000_000
    assert to_seconds(duration) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_duration_that_makes_no_sense_is_named(seconds: float) -> None:
    with pytest.raises(ValueError, match="deadline_s"):
        to_duration("deadline_s", seconds)


@pytest.mark.parametrize(
    ("names", "wrapper", "prefix"),
    [
        (AbsentReason, forecast_pb2.AbsentReason, "ABSENT_REASON_"),
        (CostSource, money_pb2.CostSource, "COST_SOURCE_"),
        (DecisionAction, prediction_pb2.DecisionAction, "DECISION_ACTION_"),
        (MarketNoticeKind, market_pb2.MarketNoticeKind, "MARKET_NOTICE_KIND_"),
        (Normalization, question_pb2.Normalization, "NORMALIZATION_"),
        (NumericScale, question_pb2.NumericScale, "NUMERIC_SCALE_"),
        (OperatingMode, admin_service_pb2.OperatingMode, "OPERATING_MODE_"),
        (PredictionState, predict_service_pb2.PredictionState, "PREDICTION_STATE_"),
    ],
)
def test_enumerations_are_those_of_the_contract(names: type[StrEnum], wrapper: Any, prefix: str) -> None:
    assert {name.removeprefix(prefix).lower() for name in wrapper.keys()} == set(names)  # noqa: SIM118
    assert set(Numbers(names, wrapper, prefix)) == set(wrapper.values())


def test_durabilities_are_those_of_the_contract() -> None:
    known = {name.removeprefix("DURABILITY_").lower() for name in prediction_pb2.Durability.keys()}  # noqa: SIM118
    assert known == {*Durability, "unspecified"}


def test_a_reason_from_a_newer_server_is_no_fault() -> None:
    assert _REASONS[9_999] is AbsentReason.UNSPECIFIED


def test_an_empty_prediction_can_be_read() -> None:
    prediction = Prediction.from_message(prediction_pb2.Prediction())
    assert isnan(prediction.probability)
    with pytest.raises(KeyError):
        prediction.member("gpt")


@pytest.mark.parametrize(
    ("usd", "nano"), [(0.1, 100_000_000), (1e-9, 1), (0.0000000019, 1), (3, 3_000_000_000)]
)
def test_money_is_rounded_down(usd: float, nano: int) -> None:
    assert to_nano_usd(usd) == nano


def test_history_and_wishes() -> None:
    candle = MarketCandle(1, 2.0, 3.0, 1.0, 2.5, 10.0, trade_count=4)
    message = MarketEvent("BTC", 0, MarketHistory([candle, candle], length_us=1_000_000)).to_message()
    assert [each.trade_count for each in message.history.candles] == [4, 4]
    assert (message.history.candles[0].high_ticks, message.history.length_us) == (3.0, 1_000_000)
    assert MarketEvent("BTC", 0, MarketHistory([])).to_message().WhichOneof("event") == "history"
    control = MarketEvent("BTC", 5, MarketControl(min_signal_interval_s=0.1, send_window=True)).to_message()
    assert control.control.min_signal_interval.ToMilliseconds() == 100
    assert MarketEvent("BTC", 5, MarketControl()).to_message().WhichOneof("event") == "control"
