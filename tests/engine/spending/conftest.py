# SPDX-License-Identifier: Apache-2.0
"""Engines that spend, over a ledger and a store in one real database."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.treasury import SpendingTerms, Treasury
from server.forecasting.money import Budget, Spend
from server.forecasting.prediction import Prediction
from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.engine.spending.payers import Told
from tests.fakes import Catalogue
from tests.patience import LoopClock


@dataclass
class Office:
    """One process's engine, store and ledger."""

    engine: PredictionEngine
    treasury: Treasury
    ledger: SqlLedger
    store: SqlPredictionStore
    told: Told

    async def spend(self, group_by: str = "") -> dict[str, Spend]:
        """Spend by group, with everything that waits written first."""
        return {spend.group: spend for spend in await self.ledger.spend(group_by)}

    async def total(self) -> Spend:
        return (await self.spend())[""]

    async def taken(self, budget: str = "b") -> tuple[int, int]:
        """Settled and reserved of one budget."""
        (found,) = [status for status in await self.ledger.status() if status.budget.name == budget]
        return found.settled_nano_usd, found.reserved_nano_usd


@dataclass
class Offices:
    """Opens offices that share one database, as processes would."""

    settings: StorageSettings
    stack: AsyncExitStack
    offices: list[Office] = field(default_factory=list)

    async def open(self, *ensembles: Ensemble, budgets: tuple[Budget, ...] = (), **terms: Any) -> Office:
        store = await open_store(self.settings)
        self.stack.push_async_callback(store.close)
        ledger = await open_ledger(store.database, budgets or None)
        self.stack.push_async_callback(ledger.close)
        found = Ensembles(ensembles, ensembles[0].spec.name)
        told, clock, recorder = Told(), LoopClock(), Recorder(store)
        self.stack.push_async_callback(recorder.close)
        treasury = Treasury(ledger, (told,), found.switch_off, clock, SpendingTerms(**terms))
        engine = PredictionEngine(
            found, Catalogue(), recorder, (), clock, EngineSettings("test", 0.05), treasury
        )
        return Office(engine, treasury, ledger, store, told)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, brought up to date once: that is the slow part of a test."""
    file = tmp_path_factory.mktemp("migrated") / "money.db"

    async def make() -> None:
        await (await open_store(StorageSettings(url=f"sqlite:///{file}"))).close()

    asyncio.run(make())
    return file


@pytest.fixture
async def offices(migrated: Path, tmp_path: Path) -> AsyncIterator[Offices]:
    file = tmp_path / "money.db"
    shutil.copy(migrated, file)
    async with AsyncExitStack() as stack:
        yield Offices(StorageSettings(url=f"sqlite:///{file}"), stack)


def absences(prediction: Prediction) -> dict[str, str]:
    return {m.member: m.absent.reason.value for m in prediction.members if m.absent is not None}
