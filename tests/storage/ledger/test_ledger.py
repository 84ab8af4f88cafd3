# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import timedelta

import pytest

from server.forecasting.money import MOST_NANO_USD, LedgerError, Refusal, Spend
from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.store import SqlPredictionStore
from tests.storage.interruption import Interruption
from tests.storage.ledger.bench import DAY, Time, budget, charge, guessed, kinds, paid, status_of, taken
from tests.storage.ledger.conftest import OpenLedger


async def test_a_reservation_is_settled_and_the_rest_comes_back(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    first, second = charge(60), charge(60)
    assert await ledger.reserve(first) is None
    assert await ledger.reserve(second) == Refusal("b", 40)
    ledger.settle(first, paid(30))
    assert await taken(ledger) == (30, 0)
    assert await ledger.reserve(second) is None
    assert await taken(ledger) == (30, 60)
    assert await kinds(ledger, first.id) == {"reserve": 60, "settle": 30, "release": 30}


async def test_several_budgets_are_reserved_together_or_not_at_all(ledger: SqlLedger) -> None:
    for name, scope, limit in (
        ("everything", "all", 100), ("sport", "category:sport", 50), ("bob", "caller:bob", 40),
        ("dear", "member:dear", 10),
    ):  # fmt: skip
        await ledger.set_budget(budget(limit, scope, name=name))
    assert await ledger.reserve(charge(20, caller="bob", category="sport")) is None
    assert await ledger.reserve(charge(30, caller="bob")) == Refusal("bob", 20)
    assert await ledger.reserve(charge(40, category="sport")) == Refusal("sport", 30)
    assert await ledger.reserve(charge(11, member="dear")) == Refusal("dear", 10)
    assert await ledger.reserve(charge(81)) == Refusal("everything", 80)
    reserved = {status.budget.name: status.reserved_nano_usd for status in await ledger.status()}
    assert reserved == {"everything": 20, "sport": 20, "bob": 20, "dear": 0}


async def test_without_a_budget_everything_is_allowed_and_counted(ledger: SqlLedger) -> None:
    charges = [charge(5) for _ in range(20)]
    assert await asyncio.gather(*(ledger.reserve(each) for each in charges)) == [None] * 20
    for each in charges:
        ledger.settle(each, paid(2))
    assert await ledger.spend() == [Spend("", 40, 0, 0, 20)]


async def test_more_than_was_reserved_is_booked_in_full(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    dear = charge(90)
    assert await ledger.reserve(dear) is None
    ledger.settle(dear, paid(120))
    assert await taken(ledger) == (120, 0)
    assert await kinds(ledger, dear.id) == {"reserve": 90, "settle": 90, "excess": 30}
    assert (await status_of(ledger)).left_nano_usd == 0
    assert await ledger.spend() == [Spend("", 120, 0, 0, 1)]


async def test_settling_again_changes_nothing(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    free, cheap = charge(20), charge(20)
    for each, cost in ((free, None), (cheap, paid(5))):
        await ledger.reserve(each)
        ledger.settle(each, cost)
        ledger.settle(each, paid(7))
        ledger.settle(each, guessed(9))
    assert await taken(ledger) == (5, 0)


async def test_the_truth_takes_the_place_of_an_estimate(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    cut = charge(50)
    await ledger.reserve(cut)
    ledger.settle(cut, guessed(30))
    assert await ledger.spend() == [Spend("", 30, 30, 0, 1)]
    ledger.settle(cut, guessed(35))
    ledger.settle(cut, paid(12))
    ledger.settle(cut, paid(13))
    assert await taken(ledger) == (12, 0)
    assert await ledger.spend() == [Spend("", 12, 0, 0, 1)]


async def test_a_call_of_unknown_price_is_booked_without_a_reservation(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    unknown = charge(0, reserved=False)
    ledger.settle(unknown, guessed(30))
    assert await taken(ledger) == (30, 0)
    ledger.settle(unknown, paid(20))
    assert await taken(ledger) == (20, 0)


async def test_a_call_whose_cost_nobody_knows_is_counted_once(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    unknown, never_made = charge(0), charge(0)
    for each in (unknown, never_made):
        await ledger.reserve(each)
    for _ in range(2):
        ledger.settle(unknown, None, unpriced=True)
    ledger.settle(never_made, None)
    known = charge(30)
    await ledger.reserve(known)
    ledger.settle(known, paid(20))
    assert await ledger.spend() == [Spend("", 20, 0, 0, 2, 1)]
    assert await ledger.spend("member") == [Spend("gpt", 20, 0, 0, 2, 1)]
    assert await taken(ledger) == (20, 0)


async def test_a_call_of_unknown_price_whose_cost_is_told_is_a_call_like_any_other(ledger: SqlLedger) -> None:
    told = charge(0)
    await ledger.reserve(told)
    ledger.settle(told, guessed(30))
    assert await ledger.spend() == [Spend("", 30, 30, 0, 1)]
    ledger.settle(told, paid(20))
    assert await ledger.spend() == [Spend("", 20, 0, 0, 1)]


async def test_a_cancelled_reservation_leaves_nothing_reserved(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    reserving = asyncio.create_task(ledger.reserve(charge(60)))
    await asyncio.sleep(0)
    reserving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reserving
    assert await taken(ledger) == (0, 0)


async def test_an_absurd_amount_fits_into_the_ledger(ledger: SqlLedger) -> None:
    absurd = charge(10**30)
    assert await ledger.reserve(absurd) is None
    ledger.settle(absurd, paid(10**30))
    assert await ledger.spend() == [Spend("", MOST_NANO_USD, 0, 0, 1)]


async def test_a_closed_ledger_refuses(ledger: SqlLedger) -> None:
    await ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        await ledger.reserve(charge(1))


async def test_spend_by_group_and_time(ledger: SqlLedger, time: Time) -> None:
    await ledger.set_budget(budget(1_000, "caller:bob", None))
    begin = time.now
    for member, caller, cost in (("a", "ann", 3), ("b", "bob", 5), ("a", "bob", 7)):
        each = charge(10, member=member, caller=caller, provider=f"of-{member}", category="c")
        await ledger.reserve(each)
        ledger.settle(each, guessed(cost) if cost == 5 else paid(cost))
        await ledger.status()
        time.now += timedelta(hours=1)
    await ledger.reserve(charge(9, member="c", caller="bob", category="c"))
    assert await ledger.spend("member") == [
        Spend("a", 10, 0, 0, 2), Spend("b", 5, 5, 0, 1), Spend("c", 0, 0, 9, 0),
    ]  # fmt: skip
    assert await ledger.spend("provider", begin, begin + timedelta(hours=2)) == [
        Spend("of-a", 3, 0, 0, 1), Spend("of-b", 5, 5, 0, 1),
    ]  # fmt: skip
    assert await ledger.spend("caller", start=begin + timedelta(hours=2)) == [Spend("bob", 7, 0, 9, 1)]
    assert await ledger.spend("category") == [Spend("c", 15, 5, 9, 3)]
    assert await ledger.spend("budget") == [Spend("b", 12, 5, 9, 2)]


@pytest.mark.parametrize("group_by", ["", "member"])
async def test_what_is_settled_between_two_looks_is_not_lost(
    store: SqlPredictionStore, ledger: SqlLedger, group_by: str
) -> None:
    reader = await open_ledger(store.database)
    call = charge(60)
    await ledger.reserve(call)
    await ledger.status()

    async def settle() -> None:
        ledger.settle(call, paid(20))
        await ledger.status()

    interruption = Interruption(store.database, settle, "FROM reservations", reading=True)
    (before,) = await reader.spend(group_by)
    await interruption.result()
    (after,) = await reader.spend(group_by)
    await reader.close()
    assert (before.settled_nano_usd, before.reserved_nano_usd) == (0, 60)
    assert (after.settled_nano_usd, after.reserved_nano_usd) == (20, 0)


async def test_a_budget_that_is_set_during_a_look_around_is_not_forgotten(ledger: SqlLedger) -> None:
    interruption = Interruption(
        ledger._database, lambda: ledger.set_budget(budget(50)), "FROM ledger_owners", reading=True
    )
    await ledger._look_around()
    await interruption.result()
    assert [status.budget for status in ledger.budgets] == [budget(50)]
    assert await ledger.reserve(charge(60)) == Refusal("b", 50)


async def test_a_window_begins_anew_and_calls_belong_to_their_own(ledger: SqlLedger, time: Time) -> None:
    await ledger.set_budget(budget(100, window=DAY))
    assert (await status_of(ledger)).window_start == time.now.replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    old = charge(80)
    await ledger.reserve(old)
    time.now += timedelta(hours=13)
    assert await taken(ledger) == (0, 0)
    assert await ledger.reserve(charge(90)) is None
    ledger.settle(old, paid(70))
    assert await taken(ledger) == (0, 90)
    assert await ledger.spend() == [Spend("", 70, 0, 90, 1)]


async def test_weeks_begin_on_monday(ledger: SqlLedger, time: Time) -> None:
    await ledger.set_budget(budget(100, window=timedelta(days=7)))
    start = (await status_of(ledger)).window_start
    assert start is not None
    assert (start.weekday(), start.hour) == (0, 0)
    assert timedelta(0) <= time.now - start < timedelta(days=7)


async def test_a_clock_set_back_opens_no_window_again(ledger: SqlLedger, time: Time) -> None:
    await ledger.set_budget(budget(100))
    time.now += DAY
    await ledger.reserve(charge(80))
    time.now -= 2 * DAY
    assert await ledger.reserve(charge(30)) == Refusal("b", 20)


async def test_two_ledgers_share_a_budget(ledger: SqlLedger, open_another: OpenLedger) -> None:
    await ledger.set_budget(budget(100))
    other = await open_another()
    assert await other.reserve(charge(60)) is None
    assert await ledger.reserve(charge(60)) == Refusal("b", 40)
    assert await taken(ledger) == (0, 60)


async def test_a_first_budget_of_others_is_known_with_the_next_look(
    ledger: SqlLedger, open_another: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.ledger.ledger.FRESH_S", 3_600.0)
    other = await open_another()
    await ledger.set_budget(budget(100))
    assert await other.reserve(charge(160)) is None  # it has just looked, and nothing bound it
    await other.status()
    assert await other.reserve(charge(160)) == Refusal("b", 100)
