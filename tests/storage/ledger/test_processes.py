# SPDX-License-Identifier: Apache-2.0
"""A budget holds across processes, whatever becomes of one of them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.forecasting.money import Spend
from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings, resolved_url
from tests.eventually import eventually
from tests.storage.conftest import Opener
from tests.storage.ledger.bench import budget, taken

ROOT = Path(__file__).parents[3]
PRICE = 1_000
LIMIT = 100 * PRICE
PROCESSES = 4
REQUESTS = 250
#: By what becomes of lost calls. Short, so that a test need not wait long for the dead; where
#: reservations are given back, long enough that a pause of the machine makes nobody seem dead.
LEASE_S = {"book": 3.0, "release": 8.0}


class Paying:
    """A ``paying_process`` at the other end of two pipes."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.storage.ledger.paying_process"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)  # noqa: S603

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def hear(self) -> int:
        """The number of calls that the last command paid."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline().split()[1])

    def obey(self, command: str) -> int:
        self.tell(command)
        return self.hear()

    def kill(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Paying]]:
    """Processes for all tests of the module: they are slow to start."""
    started = [Paying() for _ in range(PROCESSES)]
    yield started
    for each in started:
        each.kill()


@pytest.fixture
def victim() -> Iterator[Paying]:
    started = Paying()
    yield started
    started.kill()


@pytest.fixture
def provider(tmp_path: Path) -> Path:
    """The file in which every paid call is a line."""
    file = tmp_path / "provider"
    file.touch()
    return file


@pytest.fixture
def terms(settings: StorageSettings, tmp_path: Path, provider: Path, watcher: SqlLedger) -> str:
    """What to open, in the words of the process; a URL with a password goes by file."""
    reference = tmp_path / "url"
    reference.write_text(resolved_url(settings).render_as_string(hide_password=False), encoding="utf-8")
    return f"file:{reference} {provider} {LEASE_S[watcher.lost_calls]} {watcher.lost_calls}"


@pytest.fixture
def processes(workers: list[Paying], terms: str) -> Iterator[list[Paying]]:
    for each in workers:
        each.obey(f"open {terms}")
    yield workers
    for each in workers:
        each.obey("close")


def bills(provider: Path) -> list[int]:
    return [int(line.split()[1]) for line in provider.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=["book"])
async def watcher(
    opener: Opener, settings: StorageSettings, request: pytest.FixtureRequest
) -> AsyncIterator[SqlLedger]:
    """A ledger of the test's own, which sets the budget; the parameter is what it does about lost calls."""
    store = await opener(settings)
    terms = {"lease_s": LEASE_S[request.param], "lost_calls": request.param}
    ledger = await open_ledger(store.database, [budget(LIMIT, window=None)], **terms)
    yield ledger
    await ledger.close()


async def test_1000_requests_from_4_processes_pay_exactly_100(
    processes: list[Paying], provider: Path, watcher: SqlLedger
) -> None:
    for each in processes:
        each.tell(f"pay {REQUESTS} {REQUESTS} {PRICE} {PRICE}")
    assert sum(each.hear() for each in processes) == 100
    assert bills(provider) == [PRICE] * 100
    await until_nothing_is_reserved(watcher)
    assert await taken(watcher) == (LIMIT, 0)
    assert await watcher.spend() == [Spend("", LIMIT, 0, 0, 100)]


async def test_what_smaller_charges_release_is_used(
    processes: list[Paying], provider: Path, watcher: SqlLedger
) -> None:
    cost = PRICE // 4
    for each in processes:
        each.tell(f"pay {REQUESTS} 8 {PRICE} {cost}")
    paid = sum(each.hear() for each in processes)
    assert paid * cost == sum(bills(provider)) <= LIMIT
    assert paid * PRICE > LIMIT  # more calls than their reservations alone would have let through
    await until_nothing_is_reserved(watcher)
    again = f"pay {REQUESTS} 8 {PRICE} {cost}"
    while more := processes[0].obey(again):  # until not even one reservation fits
        paid += more
        await until_nothing_is_reserved(watcher)
    assert await taken(watcher) == (paid * cost, 0)
    assert LIMIT - PRICE < paid * cost == sum(bills(provider)) <= LIMIT


async def test_kill_9_overshoots_nothing(
    processes: list[Paying], victim: Paying, terms: str, provider: Path, watcher: SqlLedger
) -> None:
    """Nobody knows which of a dead process's calls were paid: what is not known is booked as if."""
    victim.obey(f"open {terms}")
    assert victim.obey(f"hold 20 {PRICE}") == 20
    for each in (victim, *processes):
        each.tell(f"pay 15 2 {PRICE} {PRICE}")
    await eventually(lambda: len(bills(provider)) >= 10)
    victim.kill()
    for each in processes:
        each.hear()
    await until_nothing_is_reserved(watcher)
    for each in processes:
        each.obey(f"pay {REQUESTS} {REQUESTS} {PRICE} {PRICE}")
    await until_nothing_is_reserved(watcher)
    assert await taken(watcher) == (LIMIT, 0)
    (spend,) = await watcher.spend()
    assert spend.estimated_nano_usd >= 20 * PRICE
    assert LIMIT - spend.estimated_nano_usd <= sum(bills(provider)) <= LIMIT - 20 * PRICE


@pytest.mark.parametrize("watcher", ["release"], indirect=True)
async def test_kill_9_gives_reservations_back_where_the_terms_say_so(
    processes: list[Paying], victim: Paying, terms: str, provider: Path, watcher: SqlLedger
) -> None:
    victim.obey(f"open {terms}")
    assert victim.obey(f"hold 30 {PRICE}") == 30
    assert sum(each.obey(f"pay 50 50 {PRICE} {PRICE}") for each in processes) == 70
    victim.kill()
    await until_nothing_is_reserved(watcher)
    assert sum(each.obey(f"pay 50 50 {PRICE} {PRICE}") for each in processes) == 30
    assert bills(provider) == [PRICE] * 100
    await until_nothing_is_reserved(watcher)
    assert await taken(watcher) == (LIMIT, 0)


async def until_nothing_is_reserved(watcher: SqlLedger) -> None:
    """Settlements are written within moments; the dead are found with the beat of any living ledger."""
    async with asyncio.timeout(120):
        while (await taken(watcher))[1]:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.02)
