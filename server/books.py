# SPDX-License-Identifier: Apache-2.0
"""What is kept: everything of a running server that lies in its database, opened in order."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from server.config import Settings
from server.engine.advice import learns
from server.engine.ensembles import Ensembles
from server.engine.experiments import Experiments
from server.engine.learner import Learner, longest_s, market_members
from server.engine.probation import SelectionState
from server.engine.recording import Recorder
from server.engine.school import SignalSchool
from server.engine.treasury import Treasury
from server.forecasting.deadline import Clock
from server.storage.audit.erasure import Eraser
from server.storage.audit.keys import KeyReference
from server.storage.audit.log import SqlAuditLog
from server.storage.audit.retention import Retention
from server.storage.experiments.store import SqlExperimentStore
from server.storage.ledger.ledger import open_ledger
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.store import SqlPredictionStore, open_store
from server.telemetry.metrics import Metrics
from server.telemetry.spending import BudgetCollector, SpendMetrics


class Books:
    """Predictions, outcomes, money, changes and experiments.

    Begins to open the store when it is made, beside whatever else starts;
    ``open`` needs the ensembles. Everything is closed by the stack, the store last.
    """

    def __init__(
        self, settings: Settings, stack: AsyncExitStack, clock: Clock, metrics: Metrics, version: str
    ) -> None:
        self._settings = settings
        self._stack = stack
        self._clock = clock
        self._metrics = metrics
        self._version = version
        self._opening = asyncio.create_task(open_store(settings.storage))
        stack.push_async_callback(_close, self._opening)
        self.store: SqlPredictionStore
        self.learner: Learner
        self.audit: SqlAuditLog
        self.eraser: Eraser
        self.recorder: Recorder
        self.treasury: Treasury
        self.experiments: Experiments

    async def open(self, ensembles: Ensembles) -> None:
        """Open all of them for these ensembles.

        Raises:
            ConfigError, StorageError: one cannot be opened.
        """
        self.store = await self._opening
        self.learner = self._learn(ensembles)
        self._audited()
        self.recorder = Recorder(self.store)
        self._stack.push_async_callback(self.recorder.close)
        self.treasury = await self._treasury(ensembles)
        self.experiments = await self._experiments(ensembles)

    def _learn(self, ensembles: Ensembles) -> Learner:
        """Begins to learn from the stored past; nobody waits for it."""
        learner = Learner(
            SqlOutcomeStore(self.store.database, self.store.trail),
            self._clock,
            market_members(ensembles),
            longest_s=longest_s(ensembles),
            code_version=self._version,
            poll_s=self._settings.learning.poll_s,
        )
        learner.watches = any(learns(ensemble.spec) for ensemble in ensembles)
        for ensemble in ensembles:
            ensemble.adviser = ensemble.experienced = learner
            if ensemble.spec.horizon_updates:
                ensemble.adviser = ensemble.school = SignalSchool(self._clock)
            ensemble.roll_call.listeners.append(partial(_tell, self._metrics, ensemble.spec.name))
        learner.start()
        self._stack.push_async_callback(learner.close)
        return learner

    def _audited(self) -> None:
        """The audit log and what erases; both end before the store does."""
        settings, store = self._settings, self.store
        key = KeyReference(settings.audit.key, settings.storage)
        self.audit = SqlAuditLog(store.database, store.trail, key, settings.audit.checkpoint_s)
        self._stack.push_async_callback(self.audit.close)
        self.eraser = Eraser(store.database, store.trail)
        if settings.retention.predictions_days is not None:
            self._stack.push_async_callback(Retention(self.eraser, settings.retention).close)

    async def _treasury(self, ensembles: Ensembles) -> Treasury:
        """All money of this server. The ledger is closed before the database, which is the store's."""
        settings, budgets = self._settings.spending, self._settings.budgets
        ledger = await open_ledger(
            self.store.database,
            [budget.budget(name) for name, budget in budgets.items()],
            lease_s=settings.lease_s,
            lost_calls=settings.lost_calls,
        )
        self._stack.push_async_callback(ledger.close)
        registry = self._metrics.registry
        terms = settings.terms(budgets)
        treasury = Treasury(ledger, (SpendMetrics(registry),), ensembles.switch_off, self._clock, terms)
        registry.register(BudgetCollector(treasury))
        return treasury

    async def _experiments(self, ensembles: Ensembles) -> Experiments:
        """The experiments, as was decided about them last."""
        configured = [each.experiment(name) for name, each in self._settings.experiments.items()]
        kept = SqlExperimentStore(self.store.database, self.store.trail)
        experiments = Experiments(configured, ensembles.default, kept)
        if configured:
            await experiments.start()
            self._stack.push_async_callback(experiments.close)
        return experiments


def _tell(metrics: Metrics, ensemble: str, member: str, state: SelectionState, reason: str) -> None:
    del reason  # the log has it
    metrics.selection_changed(ensemble, member, state.value)


async def _close(opening: "asyncio.Task[SqlPredictionStore]") -> None:
    """Close what has been opened; its errors have been raised where it was awaited."""
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()
