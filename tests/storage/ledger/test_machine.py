# SPDX-License-Identifier: Apache-2.0
"""Any order of events leaves the ledger as a plain model of it says, on both databases."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, text

from server.forecasting.money import Budget, Charge, Payer, Refusal
from server.storage.ledger.entries import (
    Beat,
    Kind,
    Operation,
    RemoveBudget,
    Reserve,
    SetBudget,
    Settle,
    Sweep,
)
from server.storage.ledger.owners import Lease
from server.storage.ledger.post import Posted, Terms, post
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.ledger.model import Call, Model

LEASE = timedelta(seconds=10)
OWNERS = 3
AMOUNTS = st.integers(0, 40)
CALLERS = st.sampled_from(("ann", "bob"))
SCOPES = ("all", "member:a", "member:b", "category:x", "caller:ann")
WINDOWS = (None, timedelta(seconds=7), timedelta(seconds=60))
TABLES = ("ledger_entries", "reservations", "budgets", "ledger_owners")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Books(RuleBasedStateMachine):
    """Three processes that reserve, settle, repeat themselves, fall silent and come back."""

    runner: ClassVar[asyncio.Runner]
    store: ClassVar[SqlPredictionStore]
    charges = Bundle("charges")

    @initialize()
    def begin(self) -> None:
        self.model = Model(LEASE, BEGIN)
        self.number = 0
        self.terms = [
            Terms(Lease(f"owner-{owner}", LEASE // timedelta(microseconds=1)), Kind.LOST, self.time)
            for owner in range(OWNERS)
        ]
        self.write(_empty)

    def time(self, _: Connection) -> int:
        return (self.model.now - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)

    def write(self, work: Any) -> Any:
        return self.runner.run(self.store.database.write(work))

    def post(self, owner: int, *batch: Operation, repeated: bool = False) -> Sequence[Any]:
        self.model.roll()
        posted: Posted = self.write(partial(post, batch=batch, terms=self.terms[owner], repeated=repeated))
        self.statuses = {status.budget.name: status for status in posted.budgets}
        return posted.results

    @rule(
        target=charges,
        owner=st.integers(0, OWNERS - 1),
        wanted=st.lists(
            st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), CALLERS, st.integers(1, 40)),
            min_size=1, max_size=4,
        ),
        twice=st.booleans(),
    )  # fmt: skip
    def reserve(self, owner: int, wanted: list[tuple[str, str, str, int]], twice: bool) -> Any:
        batch = [Reserve(self.charge(*each)) for each in wanted]
        results = self.post(owner, *batch)
        self.model.hear(owner)
        made = []
        for operation, result in zip(batch, results, strict=True):
            charge = operation.charge
            if not self.model.has_room(charge):
                self.model.sweep(owner)
            assert result is None if self.model.has_room(charge) else isinstance(result, Refusal)
            if result is None:
                self.model.calls[charge.id] = Call(charge, owner, self.model.now, charge.nano_usd)
                made.append(charge)
        if twice and made:
            again = [Reserve(charge) for charge in made]
            assert self.post(owner, *again, repeated=True) == [None] * len(made)
        return multiple(*made)

    def charge(self, member: str, category: str, caller: str, nano_usd: int) -> Charge:
        self.number += 1
        return Charge(f"c{self.number}", Payer("p", caller, category), member, "of", nano_usd)

    @rule(charge=charges, nano_usd=AMOUNTS, estimated=st.booleans(), twice=st.booleans())
    def settle(self, charge: Charge, nano_usd: int, estimated: bool, twice: bool) -> None:
        call = self.model.calls[charge.id]
        for _ in range(1 + twice):
            self.post(call.owner, Settle(charge, nano_usd, estimated), repeated=twice)
        call.settle(nano_usd, estimated)

    @rule(
        name=st.sampled_from("pqr"), scope=st.sampled_from(SCOPES), limit=st.integers(0, 120),
        window=st.sampled_from(WINDOWS),
    )  # fmt: skip
    def set_budget(self, name: str, scope: str, limit: int, window: timedelta | None) -> None:
        budget = Budget(name, scope, limit, window)
        self.model.budgets[name] = budget
        self.model.windows[name] = datetime.fromtimestamp(0, UTC)
        self.post(0, SetBudget(budget))

    @rule(name=st.sampled_from("pqr"))
    def remove_budget(self, name: str) -> None:
        (removed,) = self.post(0, RemoveBudget(name))
        assert removed == (self.model.budgets.pop(name, None) is not None)

    @rule(seconds=st.integers(1, 12))
    def pass_time(self, seconds: int) -> None:
        self.model.now += timedelta(seconds=seconds)

    @rule(owner=st.integers(0, OWNERS - 1))
    def beat(self, owner: int) -> None:
        self.post(owner, Beat())
        self.model.hear(owner)

    @rule(owner=st.integers(0, OWNERS - 1))
    def sweep(self, owner: int) -> None:
        self.post(owner, Sweep())
        self.model.sweep(owner)

    @invariant()
    def counters_are_what_the_calls_add_up_to(self) -> None:
        self.post(0)
        assert set(self.statuses) == set(self.model.budgets)
        for name, status in self.statuses.items():
            assert (status.settled_nano_usd, status.reserved_nano_usd) == self.model.sums(name)

    @invariant()
    def entries_balance(self) -> None:
        entries, held = self.write(_entries_and_reservations)
        calls = self.model.calls.values()
        assert held == sum(call.reserved for call in calls)
        assert (
            entries.get("reserve", 0)
            - sum(entries.get(kind, 0) for kind in ("settle", "release", "lost", "expire"))
            == held
        )
        spent = sum(entries.get(kind, 0) for kind in ("settle", "excess", "late", "lost", "correct"))
        assert spent == sum(call.spent for call in calls)


def _empty(connection: Connection) -> None:
    with connection.begin():
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608


def _entries_and_reservations(connection: Connection) -> tuple[dict[str, int], int]:
    with connection.begin():
        rows = connection.execute(text("SELECT kind, SUM(nano_usd) AS n FROM ledger_entries GROUP BY kind"))
        held = connection.scalar(text("SELECT SUM(nano_usd) FROM reservations"))
        return {row.kind: int(row.n) for row in rows}, int(held or 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "examples"), [("sqlite", 40), ("postgres", 12)])
def test_any_order_of_events(request: pytest.FixtureRequest, name: str, examples: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="consilience-books-", dir=_memory()))
    try:
        with asyncio.Runner() as runner:
            storage = _settings(request, name, folder, runner)
            Books.runner, Books.store = runner, runner.run(open_store(storage))
            try:
                run_state_machine_as_test(
                    Books,
                    settings=settings(
                        max_examples=examples, stateful_step_count=30,
                        suppress_health_check=list(HealthCheck),
                    ),
                )  # fmt: skip
            finally:
                runner.run(Books.store.close())
    finally:
        shutil.rmtree(folder)


def _settings(
    request: pytest.FixtureRequest, name: str, folder: Path, runner: asyncio.Runner
) -> StorageSettings:
    if name == "sqlite":
        return StorageSettings(url=f"sqlite:///{folder}/books.db")
    cluster = request.getfixturevalue("cluster")
    runner.run(cluster.empty())
    request.getfixturevalue("monkeypatch").setenv("TEST_DATABASE_URL", cluster.url)
    return StorageSettings(url="env:TEST_DATABASE_URL")


def _memory() -> str | None:
    """A folder in memory, where there is one: nothing here asks what survives."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
