# SPDX-License-Identifier: Apache-2.0
"""A repeated request is charged once: in one process, across processes, and after one of them was killed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.requests import answered_elsewhere
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Durability
from server.forecasting.errors import DeadlineError, NoAnswerError
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.money import Budget, Payer
from server.forecasting.prediction import Prediction
from server.forecasting.question import Question
from server.storage.ledger.entries import Leave
from tests.engine.conftest import ensemble_of
from tests.engine.spending.conftest import Office, Offices
from tests.engine.spending.payers import CENT, Paid
from tests.eventually import eventually
from tests.fakes import Saying, yes
from tests.patience import LoopClock

ASKED = PredictionRequest(Question("q1", "Will it rain?"), caller="alice", request_id="r1")


#: Deadline of what must not run out, however busy the machine is.
PATIENCE_S = 60.0


class Gated(Paid):
    """Answers once it is let."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.let = asyncio.Event()

    async def answer(self, query, deadline):  # type: ignore[no-untyped-def]
        answer = await super().answer(query, deadline)
        await self.let.wait()
        return answer


async def calls(office: Office) -> int:
    return (await office.total()).calls


async def test_the_same_request_is_answered_and_charged_once(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a")}), budgets=(Budget("b", "all", 9 * CENT),))
    first, *others = await asyncio.gather(*(office.engine.predict(ASKED) for _ in range(5)))
    again = await office.engine.predict(ASKED)
    assert {other.id for other in (*others, again)} == {first.id}
    assert await calls(office) == 1
    assert await office.taken() == (CENT, 0)


async def test_another_caller_may_use_the_same_id(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a")}))
    await office.engine.predict(ASKED)
    await office.engine.predict(replace(ASKED, caller="bob"))
    assert await calls(office) == 2


async def test_another_process_waits_for_the_answer(offices: Offices) -> None:
    slow, other = Gated("a"), Paid("a")
    here = await offices.open(ensemble_of({"a": slow}, deadline_s=PATIENCE_S))
    there = await offices.open(ensemble_of({"a": other, "free": yes(0.6)}, deadline_s=PATIENCE_S))
    first = asyncio.create_task(here.engine.predict(ASKED))
    await slow.called.wait()
    second = asyncio.create_task(there.engine.predict(ASKED))
    await eventually(lambda: there.told.refusals == [("a", "request")])
    slow.let.set()
    assert (await first).id == (await second).id
    assert (other.calls, await calls(there)) == (0, 1)


class Late(Recorder):
    """What it reads is out of date before it is read: the other process ends in between."""

    def __init__(self, office: Office, end: Callable[[], Awaitable[object]]) -> None:
        super().__init__(office.store)
        self.end: Callable[[], Awaitable[object]] | None = end

    async def find(self, caller: str, request_id: str) -> Prediction | None:
        found = await super().find(caller, request_id)
        if found is None and self.end is not None:
            end, self.end = self.end, None
            await end()
        return found


async def test_an_answer_that_came_between_two_looks_is_not_paid_again(offices: Offices) -> None:
    slow, other = Gated("a"), Paid("a")
    here = await offices.open(ensemble_of({"a": slow}, deadline_s=PATIENCE_S))
    there = await offices.open(ensemble_of({"a": other}, deadline_s=PATIENCE_S))
    first = asyncio.create_task(here.engine.predict(ASKED))

    async def finish() -> None:
        slow.let.set()
        await first
        await here.ledger.status()

    await slow.called.wait()
    late = Late(there, finish)
    offices.stack.push_async_callback(late.close)
    account = there.treasury.open(Payer("ticket", "alice", "", "r1"))
    async with account:
        patience = Deadline.after(PATIENCE_S, LoopClock())
        assert await account.is_elsewhere(patience)
        found = await answered_elsewhere(late, account, patience)
    assert found is not None
    assert found.id == (await first).id
    assert (other.calls, await calls(there)) == (0, 1)


async def test_an_answer_that_came_before_the_request_was_taken_is_not_paid_again(offices: Offices) -> None:
    other = Paid("a")
    here = await offices.open(ensemble_of({"a": Paid("a")}, deadline_s=PATIENCE_S))
    there = await offices.open(ensemble_of({"a": other}, deadline_s=PATIENCE_S))

    async def finish() -> None:
        await here.engine.predict(ASKED)
        await here.ledger.status()

    late = there.engine._recorder = Late(there, finish)
    offices.stack.push_async_callback(late.close)
    found = await there.engine.predict(ASKED)
    assert found.id == (await here.engine.predict(ASKED)).id
    assert (other.calls, await calls(there)) == (0, 1)


async def test_it_says_so_where_the_other_is_too_slow(offices: Offices) -> None:
    slow = Gated("a")
    here = await offices.open(ensemble_of({"a": slow}, deadline_s=PATIENCE_S))
    there = await offices.open(ensemble_of({"a": Paid("a")}, deadline_s=1.0))
    first = asyncio.create_task(here.engine.predict(ASKED))
    await slow.called.wait()
    with pytest.raises(DeadlineError, match="another server"):
        await there.engine.predict(ASKED)
    slow.let.set()
    await first


async def test_what_a_dead_process_paid_for_is_used_and_not_paid_again(offices: Offices) -> None:
    """It died after one member's answer and before the other's."""
    dying = await offices.open(ensemble_of({"a": Paid("a"), "b": Paid("b")}))
    payer = Payer("dead-ticket", "alice", "", "r1")
    account = dying.treasury.open(payer)
    purse = account.purse()
    hold = await purse.reserve("a", "sim", CENT)
    hold.settle(Cost(CENT, CostSource.PROVIDER))  # type: ignore[union-attr]
    purse.keep("a", Saying(yes(0.9)._answer)._answer)  # type: ignore[arg-type]
    await dying.ledger.status()
    await end(dying)
    a, b = Paid("a"), Paid("b")
    living = await offices.open(ensemble_of({"a": a, "b": b}))
    prediction = await living.engine.predict(ASKED)
    assert (a.calls, b.calls) == (0, 1)
    assert {m.member: m.forecast.probabilities[0] for m in prediction.members if m.forecast} == {
        "a": 0.9,
        "b": 0.8,
    }
    assert await calls(living) == 2


async def end(office: Office) -> None:
    """Its lease is over, as that of a process that was killed would be after a while."""
    await office.ledger._writer.do(Leave())


async def test_what_was_paid_before_counts_in_the_limit(offices: Offices) -> None:
    dying = await offices.open(ensemble_of({"a": Paid("a")}))
    account = dying.treasury.open(Payer("dead-ticket", "alice", "", "r1"))
    purse = account.purse()
    await account.claimed("")
    purse.keep("a", yes(0.9, cost=Cost(2 * CENT, CostSource.PROVIDER))._answer)  # type: ignore[arg-type]
    await dying.ledger.status()
    await end(dying)
    members = {"a": Paid("a"), "b": Paid("b"), "c": Paid("c")}
    living = await offices.open(ensemble_of(members, max_cost_nano_usd=3 * CENT))
    prediction = await living.engine.predict(ASKED)
    assert prediction.cost is not None
    assert prediction.cost.nano_usd <= 3 * CENT
    assert members["a"].calls == 0


async def test_a_failed_attempt_lets_go_of_the_request(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a", hangs=True)}, deadline_s=0.3))
    other = await offices.open(ensemble_of({"a": Paid("a")}))
    with pytest.raises(Exception, match="no member answered"):
        await office.engine.predict(ASKED)
    await office.ledger.status()
    assert (await other.engine.predict(ASKED)).outcome == "YES"


async def test_an_answer_without_a_record_is_kept_for_the_next_attempt(offices: Offices) -> None:
    paid = Paid("a")
    office = await offices.open(ensemble_of({"a": paid}, durability=Durability.NONE))
    await office.engine.predict(ASKED)
    await office.ledger.status()
    prediction = await office.engine.predict(ASKED)
    assert paid.calls == 1
    assert prediction.cost == Cost(CENT, CostSource.PROVIDER)


async def test_a_caller_who_hangs_up_while_claiming_lets_go(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a")}))
    account = office.treasury.open(Payer("ticket", "alice", "", "r1"))
    await account.__aexit__()
    assert await account.is_elsewhere(Deadline.after(PATIENCE_S, LoopClock())) is False
    assert (await office.engine.predict(ASKED)).outcome == "YES"


@asynccontextmanager
async def hanging_disk(office: Office) -> AsyncIterator[None]:
    """Meanwhile nothing that this process writes gets to the disk."""
    works = threading.Event()
    hanging = asyncio.create_task(office.store.database.write(lambda _: works.wait()))
    try:
        yield
    finally:
        works.set()
        await hanging


async def test_a_disk_that_hangs_does_not_keep_a_request_beyond_its_deadline(offices: Offices) -> None:
    paid = Paid("a")
    office = await offices.open(
        ensemble_of({"a": paid}, deadline_s=0.3), budgets=(Budget("b", "all", 9 * CENT),)
    )
    async with hanging_disk(office):
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(office.engine.predict(ASKED), PATIENCE_S)
    assert (paid.calls, await office.taken()) == (0, (0, 0))
    assert (await office.engine.predict(ASKED)).outcome == "YES"


async def test_nor_does_it_while_another_process_has_the_request(offices: Offices) -> None:
    slow = Gated("a")
    here = await offices.open(ensemble_of({"a": slow}, deadline_s=PATIENCE_S))
    there = await offices.open(ensemble_of({"a": Paid("a")}))
    first = asyncio.create_task(here.engine.predict(ASKED))
    await slow.called.wait()
    clock = LoopClock()
    async with there.treasury.open(Payer("ticket", "alice", "", "r1")) as account:
        assert await account.is_elsewhere(Deadline.after(PATIENCE_S, clock))
        async with hanging_disk(there):
            late = answered_elsewhere(there.engine._recorder, account, Deadline.after(0.3, clock))
            with pytest.raises(DeadlineError, match="another server"):
                await asyncio.wait_for(late, PATIENCE_S)
    slow.let.set()
    await first
