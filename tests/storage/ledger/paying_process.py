# SPDX-License-Identifier: Apache-2.0
"""A process that pays: it reserves, adds a line to the file that stands for the provider, and settles.

Run as ``python -m tests.storage.ledger.paying_process``; one command a line on
standard input, ``done N`` after each, N being the calls that were paid:

    open URL FILE LEASE_S LOST     open a ledger
    pay N AT_ONCE RESERVED COST    N requests, so many at a time
    hold N RESERVED                reserve N and keep them
    close                          close it in good order
"""

import asyncio
import os
import sys

import structlog

from server.forecasting.forecast import Cost, CostSource
from server.forecasting.money import Charge, Payer
from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store


class Payments:
    """One process's payments."""

    def __init__(self, ledger: SqlLedger, provider: int) -> None:
        self.ledger = ledger
        self.provider = provider
        self.number = 0

    def charge(self, nano_usd: int) -> Charge:
        self.number += 1
        number = f"{os.getpid()}-{self.number}"
        return Charge(number, Payer(f"prediction-{number}", "alice", "politics"), "gpt", "openai", nano_usd)

    async def pay(self, reserved: int, cost: int) -> bool:
        """One request; True: it was paid."""
        charge = self.charge(reserved)
        if await self.ledger.reserve(charge) is not None:
            return False
        os.write(self.provider, f"{charge.id} {cost}\n".encode())
        await asyncio.sleep(0)
        self.ledger.settle(charge, Cost(cost, CostSource.PROVIDER))
        return True

    async def pay_many(self, count: int, at_once: int, reserved: int, cost: int) -> int:
        places = asyncio.Semaphore(at_once)

        async def one() -> bool:
            async with places:
                return await self.pay(reserved, cost)

        return sum(await asyncio.gather(*(one() for _ in range(count))))

    async def hold(self, count: int, reserved: int) -> int:
        results = await asyncio.gather(*(self.ledger.reserve(self.charge(reserved)) for _ in range(count)))
        return results.count(None)


async def opened(url: str, file: str, lease_s: str, lost: str) -> tuple[SqlPredictionStore, Payments]:
    store = await open_store(StorageSettings(url=url))
    terms = {"lease_s": float(lease_s), "lost_calls": lost}
    ledger = await open_ledger(store.database, **terms)
    return store, Payments(ledger, os.open(file, os.O_WRONLY | os.O_APPEND))


async def closed(store: SqlPredictionStore, payments: Payments) -> None:
    await payments.ledger.close()
    await store.close()
    os.close(payments.provider)


async def main() -> None:
    while command := (await asyncio.to_thread(sys.stdin.readline)).split():
        paid = 0
        match command:
            case ["open", *arguments]:
                store, payments = await opened(*arguments)
            case ["pay", *numbers]:
                paid = await payments.pay_many(*map(int, numbers))
            case ["hold", *numbers]:
                paid = await payments.hold(*map(int, numbers))
            case ["close"]:
                await closed(store, payments)
        say(f"done {paid}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main())
