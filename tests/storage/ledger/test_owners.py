# SPDX-License-Identifier: Apache-2.0
"""Reservations of processes that die, and of those that only seemed to."""

from datetime import timedelta

import pytest

from server.forecasting.forecast import Forecast
from server.forecasting.money import Budget, Payer, Refusal, Spend
from server.storage.ledger.ledger import SqlLedger
from server.storage.store import SqlPredictionStore
from tests.eventually import eventually
from tests.storage.ledger.bench import LEASE, Time, budget, charge, kinds, paid, taken
from tests.storage.ledger.conftest import OpenLedger
from tests.storage.samples import record

LONG = LEASE + timedelta(seconds=1)


@pytest.fixture
async def other(open_another: OpenLedger) -> SqlLedger:
    return await open_another()


async def set_for_all(limit: Budget, *ledgers: SqlLedger) -> None:
    """A ledger that has just looked need not know of a new budget yet."""
    await ledgers[0].set_budget(limit)
    for ledger in ledgers:
        await ledger.status()


async def test_a_dead_process_call_is_booked_at_its_upper_bound(
    ledger: SqlLedger, other: SqlLedger, time: Time
) -> None:
    await set_for_all(budget(100), ledger, other)
    lost = charge(60)
    await other.reserve(lost)
    time.now += LONG
    assert await ledger.reserve(charge(50)) == Refusal("b", 40)
    assert await taken(ledger) == (60, 0)
    assert await ledger.spend() == [Spend("", 60, 60, 0, 1)]
    assert await kinds(ledger, lost.id) == {"reserve": 60, "lost": 60}


async def test_a_dead_process_call_of_unknown_price_counts_until_better_is_known(
    ledger: SqlLedger, other: SqlLedger, time: Time
) -> None:
    made, never_made = charge(0), charge(0)
    for each in (made, never_made):
        await other.reserve(each)
    await other.status()
    time.now += LONG
    await ledger.start(None)
    assert await ledger.spend() == [Spend("", 0, 0, 0, 2, 2)]
    other.settle(never_made, None)
    other.settle(made, None, unpriced=True)
    await other.status()
    assert await ledger.spend() == [Spend("", 0, 0, 0, 1, 1)]


async def test_or_given_back_where_the_terms_say_so(open_another: OpenLedger, time: Time) -> None:
    ledger, other = [await open_another(lost_calls="release") for _ in range(2)]
    await set_for_all(budget(100), ledger, other)
    lost = charge(60)
    await other.reserve(lost)
    time.now += LONG
    assert await ledger.reserve(charge(50)) is None
    assert await taken(ledger) == (0, 50)
    assert await kinds(ledger, lost.id) == {"reserve": 60, "expire": 60}
    other.settle(lost, paid(20))
    await other.status()
    assert await taken(ledger) == (20, 50)


async def test_a_process_that_was_only_away_corrects_what_was_booked(
    ledger: SqlLedger, other: SqlLedger, time: Time
) -> None:
    await set_for_all(budget(100), ledger, other)
    away, free = charge(30), charge(30)
    await other.reserve(away)
    await other.reserve(free)
    time.now += LONG
    await ledger.reserve(charge(50))
    assert await taken(ledger) == (60, 0)
    other.settle(away, paid(20))
    other.settle(free, None)
    await other.status()
    assert await taken(ledger) == (20, 0)
    assert await ledger.spend() == [Spend("", 20, 0, 0, 1)]


async def test_a_process_in_use_keeps_its_lease(ledger: SqlLedger, other: SqlLedger, time: Time) -> None:
    await set_for_all(budget(100), ledger, other)
    await other.reserve(charge(60))
    for _ in range(8):
        time.now += LEASE / 3
        await other.reserve(charge(1))
        assert await ledger.reserve(charge(50)) is not None
    assert await taken(ledger) == (0, 68)


async def test_opening_a_ledger_closes_what_the_dead_left(open_another: OpenLedger, time: Time) -> None:
    first = await open_another(budget(100))
    await first.reserve(charge(60))
    time.now += LONG
    assert await taken(await open_another(budget(100))) == (60, 0)


async def test_a_quiet_process_beats_while_something_is_open(open_another: OpenLedger, time: Time) -> None:
    quiet = await open_another(budget(100), lease_s=0.3)
    await quiet.reserve(charge(60))
    first = quiet._terms.lease.renewed_us
    time.now += timedelta(milliseconds=200)
    await eventually(lambda: quiet._terms.lease.renewed_us > first)


PAYER = Payer("p1", "alice", request_id="r1")
FORECAST = Forecast((0.25, 0.75), rationale="because", cost=paid(5))


async def test_a_request_is_claimed_once(ledger: SqlLedger, other: SqlLedger) -> None:
    assert await ledger.claim(PAYER) == {}
    assert await ledger.claim(PAYER) == {}  # the same attempt, asked twice
    assert await other.claim(Payer("p2", "alice", request_id="r1")) is None
    assert await ledger.claim(Payer("p3", "alice", request_id="r1")) is None
    assert await other.claim(Payer("p2", "bob", request_id="r1")) == {}


@pytest.mark.parametrize("let_go", [True, False])
async def test_a_request_that_was_answered_meanwhile_is_not_claimed(
    store: SqlPredictionStore, ledger: SqlLedger, other: SqlLedger, let_go: bool
) -> None:
    if let_go:  # before its record was on disk
        await other.claim(Payer("p2", "alice", request_id="r1"))
        other.finish(Payer("p2", "alice", request_id="r1"), recorded=False)
        await other.status()
    await store.save(record("p2", caller="alice", request_id="r1"))
    assert await ledger.claim(PAYER) is None
    assert await ledger.claim(Payer("p1", "alice", request_id="r2")) == {}
    assert await ledger.claim(Payer("p1", "bob", request_id="r1")) == {}


async def test_another_attempt_gets_the_answers_that_were_paid(ledger: SqlLedger, other: SqlLedger) -> None:
    await ledger.claim(PAYER)
    ledger.keep(PAYER, "gpt", FORECAST)
    ledger.finish(PAYER, recorded=False)
    await ledger.status()
    assert await other.claim(Payer("p2", "alice", request_id="r1")) == {"gpt": FORECAST}


async def test_a_recorded_request_is_forgotten(ledger: SqlLedger, other: SqlLedger) -> None:
    await ledger.claim(PAYER)
    ledger.keep(PAYER, "gpt", FORECAST)
    ledger.finish(PAYER, recorded=True)
    await ledger.status()
    assert await other.claim(Payer("p2", "alice", request_id="r1")) == {}


async def test_a_dead_process_request_can_be_taken_over(
    ledger: SqlLedger, other: SqlLedger, time: Time
) -> None:
    await other.claim(PAYER)
    other.keep(PAYER, "gpt", FORECAST)
    await other.status()
    time.now += LONG
    again = Payer("p2", "alice", request_id="r1")
    assert await ledger.claim(again) == {"gpt": FORECAST}
    other.keep(PAYER, "late", FORECAST)  # it was only away, and is not heard any more
    other.finish(PAYER, recorded=True)
    await other.status()
    assert await other.claim(Payer("p3", "alice", request_id="r1")) is None


async def test_unfinished_requests_are_forgotten_after_a_day(
    ledger: SqlLedger, open_another: OpenLedger, time: Time
) -> None:
    await ledger.claim(PAYER)
    ledger.keep(PAYER, "gpt", FORECAST)
    ledger.finish(PAYER, recorded=False)
    await ledger.status()
    time.now += timedelta(days=1, seconds=1)
    other = await open_another()
    assert await other.claim(Payer("p2", "alice", request_id="r1")) == {}
