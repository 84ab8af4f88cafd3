# SPDX-License-Identifier: Apache-2.0
"""Time-outs that are our own doing, or a hurried caller's, open no circuit."""

import pytest

from server.forecasting.forecast import AbsentReason
from server.llm.endpoint import Endpoint
from server.llm.failures import Failure
from server.llm.provider import Provider
from server.llm.punctuality import LATE_S, Punctuality
from server.llm.settings import ProviderSettings
from tests.llm.clock import ManualClock
from tests.llm.conftest import QUERY, Bench, Notes, deadline

TIMEOUT = Failure(AbsentReason.PROVIDER_TIMEOUT, "waited too long", billed=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def endpoint(clock: ManualClock, *latencies: float) -> Endpoint:
    made = Endpoint("m", ProviderSettings(base_url="http://x"), clock)
    for seconds in latencies:
        made.learn_latency(seconds)
    return made


def test_less_time_than_the_model_takes_proves_nothing(clock: ManualClock) -> None:
    punctuality, slow = Punctuality(), endpoint(clock, 0.9, 1.0, 1.1)
    assert not punctuality.is_fair(slow, 10.0, 10.5)
    assert punctuality.is_fair(slow, 10.0, 11.5)
    assert punctuality.is_fair(endpoint(clock), 10.0, 10.01), "whose usual time nobody knows"


def test_while_this_process_is_late_nothing_is_proven(clock: ManualClock) -> None:
    punctuality, quick = Punctuality(), endpoint(clock, 0.05)
    punctuality.fired(due_s=11.0, now_s=11.0 + LATE_S / 2)
    assert punctuality.is_fair(quick, 10.0, 11.0)
    punctuality.fired(due_s=11.0, now_s=11.5)
    assert not punctuality.is_fair(quick, 10.0, 11.0)
    assert not punctuality.is_fair(quick, 11.4, 12.4), "which was under way then"
    assert punctuality.is_fair(quick, 11.6, 12.6)


def provider_of(clock: ManualClock) -> Provider:
    settings = ProviderSettings(base_url="http://x/v1", flavour="local")
    return Provider("p", settings, clock=clock, observer=Notes())


def times_out(provider: Provider, clock: ManualClock, given_s: float, late_s: float = 0.0) -> None:
    asked = provider.endpoint("m")
    ticket = asked.breaker.admit()
    assert ticket is not None
    begun_s = clock.monotonic()
    clock.go(given_s + late_s)
    provider.judge(asked, ticket, TIMEOUT, begun_s, begun_s + given_s)


@pytest.mark.parametrize(
    ("given_s", "late_s", "state"), [(0.5, 0.0, "closed"), (2.0, 0.5, "closed"), (2.0, 0.0, "open")]
)
def test_the_breaker_counts_what_is_fair(
    clock: ManualClock, given_s: float, late_s: float, state: str
) -> None:
    provider = provider_of(clock)
    provider.endpoint("m").learn_latency(1.0)
    for _ in range(5):
        times_out(provider, clock, given_s, late_s)
    assert provider.endpoint("m").breaker.state == state


async def test_callers_in_a_hurry_open_no_circuit_for_the_others(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-p0.7-100ms"})
    member = room.forecasters["m"]
    assert (await member.forecast(QUERY, deadline())).probabilities  # type: ignore[union-attr]
    for _ in range(8):
        await member.forecast(QUERY, deadline(0.05))
    assert member.circuit == "closed"
