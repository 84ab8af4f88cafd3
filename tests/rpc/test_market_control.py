# SPDX-License-Identifier: Apache-2.0
"""A market ensemble's weights, members and strategy change at run time, and the next signal shows it."""

from dataclasses import replace

import pytest

from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import forecast_pb2
from consilience.v1 import market_pb2 as pb
from server.forecasting.ensemble import MemberSpec, TradeRule
from server.forecasting.forecast import Forecast
from tests.fakes import Saying
from tests.rpc.conftest import Running
from tests.rpc.market_messages import sample_events
from tests.rpc.test_market_stream import send

SAID = {"n": (0.1, 0.2, 0.7), "d": (0.8, 0.1, 0.1), "u": (0.2, 0.2, 0.6)}
WEIGHTS = {"n": 0.40, "d": 0.35, "u": 0.25}


@pytest.fixture
def trio(running: Running) -> Running:
    """The market ensemble with three networks that do not agree."""
    ensemble = running.ensembles["market"]
    for name, row in SAID.items():
        ensemble.seat(name, Saying(Forecast(row)))
    members = tuple(MemberSpec(name, weight) for name, weight in WEIGHTS.items())
    ensemble.spec = replace(ensemble.spec, members=members, pooling="linear")
    return running


async def signal(running: Running) -> pb.MarketSignal:
    """The last signal of a short stream."""
    return [r.signal for r in await send(running, sample_events(200)) if r.HasField("signal")][-1]


def pooled(weights: dict[str, float]) -> list[float]:
    total = sum(weights.values())
    return [sum(w * SAID[name][c] for name, w in weights.items()) / total for c in range(3)]


async def test_a_signal_says_all_that_it_rests_on(trio: Running) -> None:
    got = await signal(trio)
    assert got.direction == "NEUTRAL"  # UP .465 leads DOWN .370 by less than 0.1
    assert list(got.probabilities) == pytest.approx(pooled(WEIGHTS))
    assert got.agreement.vote_share == pytest.approx(2 / 3)
    assert 0.0 < got.meta_confidence < got.confidence
    assert [m.member for m in got.members] == list(WEIGHTS)
    assert sum(m.weight for m in got.members) == pytest.approx(1.0)
    assert any(m.contribution != 0.0 for m in got.members)
    assert not got.should_trade
    assert got.not_traded_reason.endswith("less than 0.100")


@pytest.mark.parametrize(
    ("change", "weights"),
    [
        ({"member": "d", "weight": 0.0}, {"n": 0.40, "u": 0.25}),
        ({"member": "d", "enabled": False}, {"n": 0.40, "u": 0.25}),
        ({"member": "n", "weight": 4.0}, {"n": 4.0, "d": 0.35, "u": 0.25}),
        ({"member": "u", "min_confidence": 0.65}, {"n": 0.40, "d": 0.35}),
    ],
)
async def test_members_change_between_two_signals(
    trio: Running, change: dict[str, object], weights: dict[str, float]
) -> None:
    await signal(trio)
    wanted = admin.UpdateMemberRequest(ensemble="market", **change)  # type: ignore[arg-type]
    await trio.admin.UpdateMember(wanted)
    assert list((await signal(trio)).probabilities) == pytest.approx(pooled(weights))


async def test_without_the_dissenter_the_signal_is_traded(trio: Running) -> None:
    off = admin.UpdateMemberRequest(ensemble="market", member="d", enabled=False)
    await trio.admin.UpdateMember(off)
    got = await signal(trio)
    assert got.should_trade
    assert not got.not_traded_reason
    assert got.members[1].absent.reason == forecast_pb2.ABSENT_REASON_DISABLED


@pytest.mark.parametrize("strategy", ["weighted_vote", "majority", "unanimous", "confidence"])
async def test_the_strategy_changes_between_two_signals(trio: Running, strategy: str) -> None:
    change = admin.SetStrategyRequest(ensemble="market", pooling=strategy)
    named = (await trio.admin.SetStrategy(change)).ensemble.method.pooling
    got = await signal(trio)
    assert trio.ensembles["market"].spec.pooling == named
    if strategy == "unanimous":
        assert not got.should_trade
    assert sum(got.probabilities) == pytest.approx(1.0)


async def test_the_rule_is_the_ensembles(trio: Running) -> None:
    ensemble = trio.ensembles["market"]
    ensemble.spec = replace(ensemble.spec, trade=TradeRule(0.4, 0.0), min_agreement=0.5)
    got = await signal(trio)
    down, _, up = got.probabilities
    assert got.direction == ("UP" if up > down else "DOWN")
    assert got.should_trade == (max(up, down) >= 0.4)
    assert got.should_trade
