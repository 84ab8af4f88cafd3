# SPDX-License-Identifier: Apache-2.0
"""What is gathered, what is repeated, and what is given up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from server.forecasting.money import LedgerError
from server.storage.ledger.entries import Look, Operation, RemoveBudget
from server.storage.ledger.ledger import SqlLedger
from server.storage.ledger.post import Posted
from server.storage.ledger.writer import LedgerWriter
from tests.eventually import eventually
from tests.storage.ledger.bench import budget, charge, paid, taken

AWAY = OperationalError("INSERT", {}, Exception("the database has gone away"))
AT_FAULT = IntegrityError("INSERT", {}, Exception("no such request"))


@dataclass
class Disk:
    """Takes batches; fails with what it is told to, as often as it is told."""

    failures: list[Exception] = field(default_factory=list)
    batches: list[tuple[list[Operation], bool]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, batch: Sequence[Operation], repeated: bool) -> Posted:
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append((list(batch), repeated))
        return Posted([str(operation) for operation in batch], ())


@pytest.fixture
def disk() -> Disk:
    made = Disk()
    made.gate.set()
    return made


@pytest.fixture
async def writer(disk: Disk) -> AsyncIterator[LedgerWriter]:
    made = LedgerWriter(disk.post)
    yield made
    disk.gate.set()
    await made.close()


def drop(name: str) -> RemoveBudget:
    return RemoveBudget(name)


async def test_what_comes_at_once_is_written_at_once(writer: LedgerWriter, disk: Disk) -> None:
    writer.do_soon(drop("first"))
    results = await asyncio.gather(*(writer.do(drop(f"n{number}")) for number in range(50)))
    assert results == [str(drop(f"n{number}")) for number in range(50)]
    assert [len(batch) for batch, _ in disk.batches] == [51]


async def test_what_nobody_waits_for_is_written_by_itself(writer: LedgerWriter, disk: Disk) -> None:
    writer.do_soon(drop("alone"))
    await eventually(lambda: disk.batches == [([drop("alone")], False)])


async def test_an_outage_is_waited_out_for_what_must_be_written(writer: LedgerWriter, disk: Disk) -> None:
    disk.failures = [AWAY, AWAY, AWAY]
    writer.do_soon(drop("must"))
    await eventually(lambda: disk.batches == [([drop("must")], True)])


async def test_who_waits_hears_of_the_failure(writer: LedgerWriter, disk: Disk) -> None:
    disk.failures = [AWAY, AWAY]
    with pytest.raises(LedgerError, match="gone away"):
        await writer.do(drop("waited"))
    assert await writer.do(Look()) == str(Look())


async def test_one_at_fault_takes_no_other_with_it(writer: LedgerWriter, disk: Disk) -> None:
    disk.failures = [AT_FAULT, AT_FAULT]  # the batch, then the first of it alone
    writer.do_soon(drop("at fault"))
    assert await writer.do(drop("good")) == str(drop("good"))
    assert disk.batches == [([drop("good")], True)]


async def test_closing_writes_what_is_queued(disk: Disk) -> None:
    writer = LedgerWriter(disk.post)
    writer.do_soon(drop("last"))
    await writer.close()
    assert disk.batches == [([drop("last")], False)]
    with pytest.raises(LedgerError, match="closed"):
        await writer.do(Look())


async def test_a_batch_that_was_written_unheard_is_not_written_twice(ledger: SqlLedger) -> None:
    """The commit succeeds and the word of it is lost, once, for a reservation and for a settlement."""
    await ledger.set_budget(budget(100))
    write, lost = ledger._database.write, [True]

    async def losing(work: object) -> object:
        result = await write(work)  # type: ignore[arg-type]
        if lost:
            lost.pop()
            raise AWAY
        return result

    ledger._database.write = losing  # type: ignore[method-assign]
    first, second = charge(60), charge(40)
    assert await ledger.reserve(first) is None
    assert await taken(ledger) == (0, 60)
    lost.append(True)
    ledger.settle(first, paid(25))
    assert await ledger.reserve(second) is None
    assert await taken(ledger) == (25, 40)
