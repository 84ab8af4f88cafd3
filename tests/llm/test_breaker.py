# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.llm.breaker import Breaker, Circuit
from server.llm.endpoint import Endpoint
from server.llm.settings import BreakerSettings, ProviderSettings
from tests.llm.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def make(clock: ManualClock, **settings: object) -> Breaker:
    return Breaker(BreakerSettings.model_validate(settings), clock)


def state(breaker: Breaker) -> Circuit:
    return breaker.state


def call(breaker: Breaker, *, ok: bool, seconds: float = 0.1) -> bool:
    """One call, if it is let through."""
    ticket = breaker.admit()
    if ticket is not None:
        breaker.record(ticket, ok=ok, seconds=seconds)
    return ticket is not None


def opened(clock: ManualClock, **settings: object) -> Breaker:
    breaker = make(clock, **settings)
    for _ in range(5):
        call(breaker, ok=False)
    assert state(breaker) is Circuit.OPEN
    return breaker


def test_failures_in_a_row_open_it(clock: ManualClock) -> None:
    breaker = make(clock)
    for _ in range(4):
        call(breaker, ok=False)
    call(breaker, ok=True)
    for _ in range(4):
        call(breaker, ok=False)
    assert state(breaker) is Circuit.CLOSED
    call(breaker, ok=False)
    assert state(breaker) is Circuit.OPEN
    assert not call(breaker, ok=True)
    assert breaker.reopens_in_s == pytest.approx(5.0)


def test_a_rate_of_failures_opens_it(clock: ManualClock) -> None:
    breaker = make(clock, consecutive_failures=100, min_calls=10, failure_rate=0.5)
    for number in range(9):
        call(breaker, ok=number % 2 == 0)
    assert state(breaker) is Circuit.CLOSED
    call(breaker, ok=False)
    assert state(breaker) is Circuit.OPEN


def test_old_failures_are_forgotten(clock: ManualClock) -> None:
    breaker = make(clock, consecutive_failures=100, min_calls=4, window_s=10)
    for _ in range(3):
        call(breaker, ok=False)
    clock.go(11)
    call(breaker, ok=False)
    call(breaker, ok=True)
    call(breaker, ok=True)
    call(breaker, ok=True)
    assert state(breaker) is Circuit.CLOSED


def test_slow_calls_open_it(clock: ManualClock) -> None:
    breaker = make(clock, slow_call_s=1.0, slow_rate=0.8, min_calls=10)
    for number in range(10):
        call(breaker, ok=True, seconds=0.1 if number < 2 else 1.5)
    assert state(breaker) is Circuit.OPEN


def test_trial_admits_one_at_a_time_then_ramps_up(clock: ManualClock) -> None:
    breaker = opened(clock, trial_calls=2, ramp_s=10.0)
    clock.go(5)
    first = breaker.admit()
    assert state(breaker) is Circuit.HALF_OPEN
    assert breaker.admit() is None
    assert first is not None
    breaker.record(first, ok=True, seconds=0.1)
    assert call(breaker, ok=True)
    assert state(breaker) is Circuit.RAMP_UP
    assert sum(call(breaker, ok=True) for _ in range(100)) == pytest.approx(10, abs=1)
    clock.go(5)
    assert sum(call(breaker, ok=True) for _ in range(100)) == pytest.approx(55, abs=1)
    clock.go(5)
    assert state(breaker) is Circuit.CLOSED
    assert sum(call(breaker, ok=True) for _ in range(100)) == 100


def test_models_that_come_back_together_take_turns(clock: ManualClock) -> None:
    settings = ProviderSettings(base_url="http://x/v1", breaker=BreakerSettings(trial_calls=1, ramp_s=10.0))
    breakers = [Endpoint(f"m{number}", settings, clock).breaker for number in range(6)]
    for breaker in breakers:
        for _ in range(5):
            call(breaker, ok=False)
    clock.go(5)
    assert all(call(breaker, ok=True) for breaker in breakers)
    assert {state(breaker) for breaker in breakers} == {Circuit.RAMP_UP}
    clock.go(4.5)
    passed = [[call(breaker, ok=True) for breaker in breakers] for _ in range(100)]
    assert sum(map(any, passed)) > 80  # in step it would be every other one
    assert sum(map(sum, passed)) == pytest.approx(0.505 * 600, abs=6)


def test_a_failed_trial_doubles_the_wait_up_to_a_limit(clock: ManualClock) -> None:
    breaker = opened(clock, open_s=5, max_open_s=15)
    for expected in (10.0, 15.0, 15.0):
        clock.go(breaker.reopens_in_s)
        call(breaker, ok=False)
        assert breaker.reopens_in_s == pytest.approx(expected)


def test_a_slow_trial_fails(clock: ManualClock) -> None:
    breaker = opened(clock, slow_call_s=1.0)
    clock.go(5)
    call(breaker, ok=True, seconds=2.0)
    assert state(breaker) is Circuit.OPEN


def test_relapse_while_ramping_up_opens_it_sooner(clock: ManualClock) -> None:
    breaker = opened(clock, trial_calls=1)
    clock.go(5)
    call(breaker, ok=True)
    clock.go(9)
    while not call(breaker, ok=False):
        pass
    while not call(breaker, ok=False):
        pass
    assert state(breaker) is Circuit.OPEN
    assert breaker.reopens_in_s == pytest.approx(10.0)


def test_a_released_trial_leaves_its_place(clock: ManualClock) -> None:
    breaker = opened(clock)
    clock.go(5)
    ticket = breaker.admit()
    assert ticket is not None
    breaker.release(ticket)
    assert breaker.admit() is not None


def test_calls_from_before_the_opening_no_longer_count(clock: ManualClock) -> None:
    breaker = make(clock)
    late = breaker.admit()
    assert late is not None
    for _ in range(5):
        call(breaker, ok=False)
    clock.go(5)
    trial = breaker.admit()
    breaker.record(late, ok=False, seconds=9.0)
    assert state(breaker) is Circuit.HALF_OPEN
    breaker.release(late)
    assert breaker.admit() is None, "the old call must not free the trial's place"
    assert trial is not None


def test_a_probe_may_let_it_try_at_once(clock: ManualClock) -> None:
    breaker = opened(clock)
    breaker.try_now()
    assert state(breaker) is Circuit.HALF_OPEN


def test_switched_off(clock: ManualClock) -> None:
    breaker = make(clock, enabled=False)
    assert all(call(breaker, ok=False) for _ in range(100))


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 5.0), st.floats(0.0, 3.0)), min_size=1, max_size=200))
def test_it_always_comes_back(history: list[tuple[bool, float, float]]) -> None:
    clock = ManualClock()
    breaker = make(clock, slow_call_s=1.0)
    for ok, pause, seconds in history:
        clock.go(pause)
        call(breaker, ok=ok, seconds=seconds)
    for _ in range(100):
        clock.go(130)
        call(breaker, ok=True)
    assert state(breaker) is Circuit.CLOSED
