# SPDX-License-Identifier: Apache-2.0
"""Whole engines in four processes, one budget, one provider that keeps its own bill: the simulator."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.forecasting.money import Budget, BudgetStatus, Spend
from server.simulator.server import Simulator
from server.simulator.settings import SimulatorSettings
from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings, resolved_url
from server.storage.store import open_store
from tests.engine.spending.asking_process import run
from tests.eventually import eventually
from tests.storage.conftest import cluster, postgres_settings, settings, sqlite_settings  # noqa: F401

PROCESSES = 4
REQUESTS = 250
#: Tokens of the simulator's answer, and what it bills for them at 4 USD per million.
TOKENS = 38
CHARGE = TOKENS * 4_000
LIMIT = 100 * CHARGE
#: By what becomes of lost calls. Short, so that a test need not wait long for the dead; where
#: reservations are given back, long enough that a pause of the machine makes nobody seem dead.
LEASE_S = {"book": 3.0, "release": 8.0}


#: Loads everything once; each process then begins in a moment.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.engine.spending.asking_process"])


class Asking:
    """An ``asking_process`` at the other end of a pipe."""

    def __init__(self) -> None:
        self.pipe, theirs = FORKS.Pipe()
        self.process = FORKS.Process(target=run, args=(theirs,))
        self.process.start()

    def tell(self, command: str) -> None:
        self.pipe.send(command)

    async def hear(self) -> int:
        """How many answers the last command brought; the simulator goes on meanwhile."""
        return int(await asyncio.to_thread(self.pipe.recv))

    async def obey(self, command: str) -> int:
        self.tell(command)
        return await self.hear()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Asking]]:
    """Processes for all tests of the module: they are slow to start."""
    started = [Asking() for _ in range(PROCESSES)]
    yield started
    for each in started:
        each.kill()


@pytest.fixture
def victim() -> Iterator[Asking]:
    started = Asking()
    yield started
    started.kill()


@dataclass
class Scene:
    """The budget as an onlooker's ledger sees it, and the provider."""

    url: str
    simulator: Simulator
    ledger: SqlLedger

    def opening(self, models: str = "sim-p0.73", cap: int = TOKENS) -> str:
        lost = self.ledger.lost_calls
        return f"open {self.url} {self.simulator.url} {LEASE_S[lost]} {lost} {models} {cap}"

    async def open(self, processes: list[Asking], **how: object) -> None:
        for each in processes:
            each.tell(self.opening(**how))  # type: ignore[arg-type]
        for each in processes:
            await each.hear()

    async def bills(self) -> list[int]:
        """What the provider charged, once it has heard of the end of every call."""
        entries = self.simulator.service.ledger.entries
        await eventually(lambda: all(entry.outcome != "open" for entry in entries()))
        return [entry.billed_nano_usd for entry in entries()]

    async def status(self) -> BudgetStatus:
        (found,) = await self.ledger.status()
        return found

    async def settled(self) -> int:
        """What is settled once nothing is reserved: the dead are found by the beat of the living."""
        async with asyncio.timeout(120):
            while (status := await self.status()).reserved_nano_usd:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.02)
        return status.settled_nano_usd


@pytest.fixture(params=["book"])
async def scene(
    request: pytest.FixtureRequest,
    settings: StorageSettings,  # noqa: F811
    tmp_path: Path,
) -> AsyncIterator[Scene]:
    reference = tmp_path / "url"
    reference.write_text(resolved_url(settings).render_as_string(hide_password=False), encoding="utf-8")
    free_input = SimulatorSettings(input_nano_usd=0, cache_read_nano_usd=0, cache_write_nano_usd=0)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(free_input))
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        budget = Budget("b", "all", LIMIT)
        terms = {"lease_s": LEASE_S[request.param], "lost_calls": request.param}
        ledger = await open_ledger(store.database, [budget], **terms)
        stack.push_async_callback(ledger.close)
        yield Scene(f"file:{reference}", simulator, ledger)


only_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
async def closing(workers: list[Asking]) -> AsyncIterator[list[Asking]]:
    yield workers
    for each in workers:
        each.tell("close")
    for each in workers:
        await each.hear()


async def test_1000_requests_from_4_processes_pay_exactly_100(closing: list[Asking], scene: Scene) -> None:
    await scene.open(closing)
    for each in closing:
        each.tell(f"ask {REQUESTS} {REQUESTS}")
    assert sum([await each.hear() for each in closing]) == 100
    assert await scene.bills() == [CHARGE] * 100
    assert await scene.settled() == LIMIT
    assert await scene.ledger.spend() == [Spend("", LIMIT, 0, 0, 100)]


@only_sqlite
async def test_what_smaller_charges_release_is_used(closing: list[Asking], scene: Scene) -> None:
    await scene.open(closing, cap=4 * TOKENS)
    for each in closing:
        each.tell("ask 100 4")
    paid = sum([await each.hear() for each in closing])
    assert paid == len(await scene.bills())
    assert paid > 25, "more calls than their reservations alone would have let through"
    assert await scene.settled() == paid * CHARGE <= LIMIT
    while more := await closing[0].obey("ask 100 4"):  # until not even one reservation fits
        paid += more
        assert await scene.settled() == paid * CHARGE <= LIMIT
    assert sum(await scene.bills()) == paid * CHARGE > LIMIT - 4 * CHARGE


@only_sqlite
async def test_kill_9_overshoots_nothing(closing: list[Asking], victim: Asking, scene: Scene) -> None:
    """What the dead process may have spent is booked as if it had been, and marked as an estimate."""
    await scene.open([victim], models="sim-p0.73-60000ms")
    await scene.open(closing, models="sim-p0.73-300ms")
    victim.tell("ask 5 5")
    await eventually(lambda: len(scene.simulator.service.ledger.entries()) == 5)
    for each in closing:
        each.tell("ask 15 5")
    await eventually(lambda: len(scene.simulator.service.ledger.entries()) >= 20)
    victim.kill()
    for each in closing:
        await each.hear()
    await scene.settled()
    for each in closing:
        each.tell("ask 50 50")
    for each in closing:
        await each.hear()
    bills = await scene.bills()
    assert await scene.settled() == LIMIT
    (spend,) = await scene.ledger.spend()
    assert spend.estimated_nano_usd > 0
    assert LIMIT - spend.estimated_nano_usd <= sum(bills) <= LIMIT


@only_sqlite
@pytest.mark.parametrize("scene", ["release"], indirect=True)
async def test_kill_9_gives_reservations_back_where_the_terms_say_so(
    closing: list[Asking], victim: Asking, scene: Scene
) -> None:
    await scene.open([victim], models="sim-hang")
    await scene.open(closing)
    victim.tell("ask 30 30")
    await eventually(lambda: len(scene.simulator.service.ledger.entries()) == 30)
    assert sum([await each.obey("ask 30 30") for each in closing]) == 70
    victim.kill()
    assert await scene.settled() == 70 * CHARGE
    assert sum([await each.obey("ask 30 30") for each in closing]) == 30
    assert await scene.settled() == LIMIT


@only_sqlite
async def test_a_request_of_a_killed_process_is_not_paid_again(
    closing: list[Asking], victim: Asking, scene: Scene
) -> None:
    """It had one answer of two; another process repeats the request and pays for the other alone."""
    how = {"models": "sim-p0.73,sim-p0.6-60000ms"}
    await scene.open([victim, *closing[:2]], **how)
    victim.tell("request r1")
    await eventually(lambda: len(scene.simulator.service.ledger.entries("sim-p0.73")) == 1)
    async with asyncio.timeout(120):
        while (await scene.ledger.spend())[0].calls < 1:  # noqa: ASYNC110 - until its answer is kept
            await asyncio.sleep(0.01)
    victim.kill()
    scene.simulator.service.behave("sim-p0.6-60000ms", "sim-p0.6")
    for each in closing[:2]:
        each.tell("request r1")
    assert [await each.hear() for each in closing[:2]] == [1, 1]
    ledger = scene.simulator.service.ledger
    assert len(ledger.entries("sim-p0.73")) == 1
    assert len(ledger.entries("sim-p0.6-60000ms")) == 2
