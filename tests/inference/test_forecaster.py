# SPDX-License-Identifier: Apache-2.0
"""A network as a member of an ensemble."""

from dataclasses import replace

import numpy as np
import pytest

from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.forecast import AbsentReason, Forecast
from server.forecasting.ports import Forecaster
from server.forecasting.query import MarketObservation, Query
from server.forecasting.question import Binary, Exclusive, Question
from server.inference.networks import Networks
from server.inference.settings import InferenceSettings, NetworkSettings
from tests.inference import artifacts

OUTCOMES = ("DOWN", "NEUTRAL", "UP")


@pytest.fixture
async def networks(tmp_path):
    artifacts.write(tmp_path, version=1)
    made = Networks(InferenceSettings(repository=tmp_path))
    yield made
    await made.close()


def observation(**changes):
    generator = np.random.default_rng(0)
    made = MarketObservation(
        symbol="MADEUP",
        event_time_us=1,
        sequence=100,
        warm=True,
        features_warm=False,
        horizon_updates=10,
        window=generator.random((100, 20, 4), np.float32),
        feature_rows=np.full((60, 112), np.nan, np.float32),
    )
    return replace(made, **changes)


def query(outcomes=OUTCOMES, **changes):
    return Query(Question("q", kind=Exclusive(outcomes)), observation(**changes))


def soon():
    return Deadline.after(10.0, SystemClock())


def forecaster(networks, **settings):
    return networks.forecaster(NetworkSettings(artifact="small", **{"horizon": 50, **settings}))


async def test_it_is_a_forecaster_and_forecasts(networks):
    member = forecaster(networks)
    assert isinstance(member, Forecaster)
    assert (member.identity.kind, member.identity.model) == ("network", "small")
    answer = await member.forecast(query(), soon())
    assert isinstance(answer, Forecast)
    assert sum(answer.probabilities) == pytest.approx(1.0)
    assert 0 <= answer.self_confidence <= 1
    assert answer.model == "small/1"
    assert answer.expected_return_bps == 0.0
    assert answer.rationale.startswith("calls ")
    await member.close()


async def test_as_the_network_itself(networks):
    served = networks.repository.get("small")
    logits, confidence, _ = await served.infer((observation().window[None],))
    answer = await forecaster(networks).forecast(query(), soon())
    powers = np.exp(logits[0, 0].astype(float))
    assert answer.probabilities == pytest.approx(powers / powers.sum())
    assert answer.self_confidence == pytest.approx(confidence[0, 0])


async def test_a_network_with_a_memory_needs_the_history(tmp_path):
    artifacts.write(tmp_path, version=1, kind="book_memory")
    networks = Networks(InferenceSettings(repository=tmp_path))
    member = forecaster(networks)
    without = await member.forecast(query(), soon())
    assert without.reason is AbsentReason.NOT_APPLICABLE
    history = np.array([0.1, 0.2], np.float32)
    answer = await member.forecast(query(book_history=history), soon())
    assert isinstance(answer, Forecast)
    await networks.close()


async def test_outcomes_in_another_order(networks):
    member = forecaster(networks)
    straight = await member.forecast(query(), soon())
    turned = await member.forecast(query(("UP", "DOWN", "NEUTRAL")), soon())
    assert turned.probabilities == pytest.approx([straight.probabilities[i] for i in (2, 0, 1)])


async def test_the_observation_says_the_horizon_and_the_settings_where_it_does_not(networks):
    member = forecaster(networks)
    ten = await member.forecast(query(horizon_updates=10), soon())
    fifty = await member.forecast(query(horizon_updates=50), soon())
    silent = await member.forecast(query(horizon_updates=0), soon())
    assert ten.probabilities != fifty.probabilities
    assert silent.probabilities == fifty.probabilities


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        (Query(Question("q", kind=Exclusive(OUTCOMES))), "of a market observation only"),
        (Query(Question("q", kind=Binary()), observation()), "answers DOWN, NEUTRAL, UP"),
        (query(("LEFT", "RIGHT", "UP")), "answers DOWN, NEUTRAL, UP"),
        (query(horizon_updates=20), "has horizons 10, 50, not 20"),
        (query(warm=False), "history is still too short"),
    ],
)
async def test_not_its_question(networks, asked, detail):
    answer = await forecaster(networks).forecast(asked, soon())
    assert answer.reason is AbsentReason.NOT_APPLICABLE
    assert detail in answer.detail


async def test_unloaded_while_serving(networks):
    member = forecaster(networks)
    await networks.repository.unload_async("small")
    answer = await member.forecast(query(), soon())
    assert answer.reason is AbsentReason.DISABLED


async def test_a_wrong_window_is_reported_and_not_raised(networks):
    answer = await forecaster(networks).forecast(query(window=np.zeros((50, 20, 4), np.float32)), soon())
    assert answer.reason is AbsentReason.CALLER_INVALID_REQUEST


async def test_settings_that_do_not_fit(networks, tmp_path):
    with pytest.raises(ValueError, match="horizon: small has horizons 10, 50, not 30"):
        forecaster(networks, horizon=30)
    with pytest.raises(ValueError, match=r"artifact: model 'gone' is not known; .*inference -> repository: "):
        networks.forecaster(NetworkSettings(artifact="gone", horizon=10))
    with pytest.raises(ValueError, match=r"artifact: model 'small': .* holds no version 9"):
        forecaster(networks, version="9")


async def test_an_altered_network_stops_the_start(networks, tmp_path):
    (tmp_path / "small" / "1" / "model.pt").write_bytes(b"altered")
    with pytest.raises(ValueError, match=r"inference -> repository: .*model\.pt: was altered"):
        Networks(InferenceSettings(repository=tmp_path))


async def test_an_older_version_for_one_member(networks, tmp_path):
    artifacts.write(tmp_path, version=2, seed=5)
    await networks.repository.load_async("small", 2)
    newest, older = forecaster(networks), forecaster(networks, version="1")
    assert (await newest.forecast(query(), soon())).model == "small/2"
    assert (await older.forecast(query(), soon())).model == "small/1"


async def test_an_empty_repository_is_no_error(tmp_path):
    empty = Networks(InferenceSettings(repository=tmp_path / "none"))
    assert empty.repository.index() == []
    await empty.close()
