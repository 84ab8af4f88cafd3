# SPDX-License-Identifier: Apache-2.0
import asyncio

import pytest

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import AbsentReason
from server.llm.allowance import Allowance
from server.llm.failures import Failure
from server.llm.limiter import Limiter, Permit
from server.llm.settings import LimitSettings
from server.llm.wire.headers import RateLimit, RateLimits
from tests.eventually import eventually
from tests.llm.clock import ManualClock
from tests.patience import LoopClock


def deadline(seconds: float = 30.0) -> Deadline:
    return Deadline.after(seconds, LoopClock())


def limiter(**settings: object) -> Limiter:
    return Limiter(LimitSettings.model_validate(settings), LoopClock())


async def test_without_limits_everybody_passes() -> None:
    made = limiter()
    assert all(made.try_enter(100) for _ in range(1_000))
    assert made.in_flight == 1_000


async def test_places_are_given_in_order() -> None:
    made, order = limiter(concurrency=1), []
    assert made.try_enter(1)

    async def wait(name: int) -> None:
        assert isinstance(await made.enter(1, deadline()), Permit)
        order.append(name)
        made.leave()

    async with asyncio.TaskGroup() as group:
        for name in range(5):
            group.create_task(wait(name))
        await eventually(lambda: made.waiting == 5)
        assert made.try_enter(1) is None
        made.leave()
    assert order == [0, 1, 2, 3, 4]
    assert (made.in_flight, made.waiting) == (0, 0)


async def test_the_queue_is_bounded() -> None:
    made = limiter(concurrency=1, queue=2)
    made.try_enter(1)
    waiting = [asyncio.create_task(made.enter(1, deadline())) for _ in range(2)]
    await eventually(lambda: made.waiting == 2)
    refused = await made.enter(1, deadline())
    assert isinstance(refused, Failure)
    assert refused.reason is AbsentReason.POLICY_RATE_LIMITED
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert made.waiting == 0


async def test_a_deadline_ends_the_wait() -> None:
    made = limiter(concurrency=1)
    made.try_enter(1)
    assert isinstance(await made.enter(1, deadline(0.02)), Failure)
    assert made.waiting == 0
    made.leave()
    assert made.in_flight == 0


async def test_who_cannot_wait_is_told_at_once() -> None:
    made = limiter()
    made.block(60.0)
    refused = await made.enter(1, deadline(2.0))
    assert isinstance(refused, Failure)
    assert refused.retry_after_s == pytest.approx(60.0, abs=1.0)


async def test_a_block_turns_away_those_who_wait() -> None:
    made = limiter(concurrency=1)
    made.try_enter(1)
    waiting = asyncio.create_task(made.enter(1, deadline(30.0)))
    await eventually(lambda: made.waiting == 1)
    made.block(60.0)
    assert isinstance(await waiting, Failure)


async def test_a_short_block_is_waited_for() -> None:
    made = limiter()
    made.block(0.03)
    assert made.try_enter(1) is None
    assert isinstance(await made.enter(1, deadline()), Permit)


async def test_a_cancelled_waiter_that_was_granted_gives_its_place_back() -> None:
    made = limiter(concurrency=1, requests_per_minute=2)
    made.try_enter(1)
    waiting = asyncio.create_task(made.enter(1, deadline()))
    await eventually(lambda: made.waiting == 1)
    made.leave()  # grants
    waiting.cancel()  # before it can run
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (made.in_flight, made.waiting) == (0, 0)
    assert made.try_enter(1) is not None


async def test_the_providers_headers_are_obeyed() -> None:
    made = limiter()
    permit = made.try_enter(10)
    assert permit
    made.leave()
    made.observe(RateLimits(RateLimit(100, 0, 60.0)), permit)
    assert made.wait_s(10) == pytest.approx(0.6, rel=0.05), "one of a hundred a minute"
    made.observe(RateLimits(RateLimit(100, 50, 60.0), RateLimit(1_000, 5, 60.0)), permit)
    assert made.wait_s(5) == 0.0
    assert made.wait_s(505) == pytest.approx(30.0, rel=0.1)


class TestAllowance:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    def test_unlimited(self, clock: ManualClock) -> None:
        assert Allowance(None, clock).wait_s(1e9) == 0.0

    def test_own_bucket_fills_evenly(self, clock: ManualClock) -> None:
        made = Allowance(60, clock)
        for _ in range(60):
            assert made.wait_s(1) == 0.0
            made.take(1)
        assert made.wait_s(1) == pytest.approx(1.0)
        clock.go(0.5)
        assert made.wait_s(1) == pytest.approx(0.5)
        clock.go(1_000)
        assert made.wait_s(60) == 0.0

    def test_more_than_the_whole_bucket_passes_when_it_is_full(self, clock: ManualClock) -> None:
        made = Allowance(60, clock)
        assert made.wait_s(1_000) == 0.0
        made.take(1_000)
        assert made.wait_s(1) == pytest.approx(941.0)

    def test_the_providers_word_ends_with_its_window(self, clock: ManualClock) -> None:
        made = Allowance(None, clock)
        made.observe(RateLimit(10, 0, 30.0), taken_since=0)
        assert made.wait_s(1) == pytest.approx(3.0)
        clock.go(30.0)
        assert made.wait_s(10) == 0.0

    def test_calls_on_their_way_count(self, clock: ManualClock) -> None:
        made = Allowance(None, clock)
        made.observe(RateLimit(10, 5, 30.0), taken_since=5)
        assert made.wait_s(1) > 0.0

    def test_without_a_rate_it_waits_for_the_reset(self, clock: ManualClock) -> None:
        made = Allowance(None, clock)
        made.observe(RateLimit(10, 10, 30.0), taken_since=10)
        assert made.wait_s(1) == pytest.approx(30.0)

    def test_what_is_given_back_can_be_taken_again(self, clock: ManualClock) -> None:
        made = Allowance(1, clock)
        made.observe(RateLimit(1, 1, 60.0), taken_since=0)
        made.take(1)
        assert made.wait_s(1) > 0
        made.give_back(1)
        assert made.wait_s(1) == 0.0
