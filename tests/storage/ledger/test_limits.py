# SPDX-License-Identifier: Apache-2.0
"""Budgets from the configuration and from run time."""

from server.forecasting.money import Refusal
from server.storage.ledger.ledger import SqlLedger
from tests.storage.ledger.bench import budget, charge, paid, taken
from tests.storage.ledger.conftest import OpenLedger


async def limits(ledger: SqlLedger) -> dict[str, int]:
    return {status.budget.name: status.budget.limit_nano_usd for status in await ledger.status()}


async def test_a_new_budget_counts_what_its_window_has_cost(ledger: SqlLedger) -> None:
    first, second, third = charge(50), charge(50, member="other"), charge(20)
    for each in (first, second, third):
        await ledger.reserve(each)
    ledger.settle(first, paid(40))
    status = await ledger.set_budget(budget(100, "member:gpt"))
    assert (status.settled_nano_usd, status.reserved_nano_usd, status.left_nano_usd) == (40, 20, 40)
    ledger.settle(third, paid(10))
    assert await taken(ledger) == (50, 0)


async def test_a_lower_limit_stops_at_once(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(100))
    await ledger.reserve(charge(60))
    await ledger.set_budget(budget(50))
    assert await ledger.reserve(charge(1)) == Refusal("b", 0)


async def test_a_removed_budget_binds_nobody(ledger: SqlLedger) -> None:
    await ledger.set_budget(budget(0))
    assert await ledger.reserve(charge(1)) == Refusal("b", 0)
    assert await ledger.remove_budget("b")
    assert not await ledger.remove_budget("b")
    assert await ledger.reserve(charge(1)) is None


async def test_a_change_at_run_time_outlives_a_restart(open_another: OpenLedger) -> None:
    await (await open_another(budget(100))).set_budget(budget(7))
    assert await limits(await open_another(budget(100))) == {"b": 7}


async def test_an_edited_configuration_wins(open_another: OpenLedger) -> None:
    await (await open_another(budget(100))).set_budget(budget(7))
    assert await limits(await open_another(budget(200))) == {"b": 200}


async def test_a_configured_budget_removed_at_run_time_stays_away(open_another: OpenLedger) -> None:
    await (await open_another(budget(100))).remove_budget("b")
    assert await limits(await open_another(budget(100))) == {}
    assert await limits(await open_another(budget(101))) == {"b": 101}


async def test_what_leaves_the_configuration_goes_and_what_was_never_in_it_stays(
    open_another: OpenLedger,
) -> None:
    ledger = await open_another(budget(100), budget(5, name="c"))
    await ledger.set_budget(budget(9, name="admin"))
    assert await limits(await open_another(budget(5, name="c"))) == {"admin": 9, "c": 5}
