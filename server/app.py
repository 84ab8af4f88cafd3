# SPDX-License-Identifier: Apache-2.0
"""The composition root: everything is put together here, started in order and stopped in reverse."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from types import ModuleType

import structlog
import uvloop
from google.protobuf.descriptor import ServiceDescriptor

from consilience.v1 import admin_service_pb2, predict_service_pb2, stream_service_pb2
from server.assembly import Assembly
from server.config import Settings
from server.engine.admin import Admin
from server.engine.advice import learns
from server.engine.changes import Changes
from server.engine.ensembles import Ensembles
from server.engine.experiments import Experiments
from server.engine.learner import Learner, market_members
from server.engine.market import MarketEngine
from server.engine.membership import Membership
from server.engine.modes.rules import budget_left_share
from server.engine.performance import Performances
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.probation import SelectionState
from server.engine.recording import Recorder
from server.engine.school import SignalSchool
from server.engine.tickets import new_id
from server.engine.treasury import Treasury
from server.forecasting.deadline import Clock, SystemClock
from server.forecasting.money import Payer
from server.forecasting.plugins import PLUGINS
from server.forecasting.ports import PredictionObserver
from server.operation import Operation
from server.rpc.admin import AdminHandlers
from server.rpc.audit import AuditHandlers
from server.rpc.experiments import ExperimentHandlers
from server.rpc.inference import protocol
from server.rpc.inference.ensemble_base import Engines
from server.rpc.inference.face import inference_handlers
from server.rpc.learning import LearningHandlers
from server.rpc.membership import MembershipHandlers
from server.rpc.money import EstimateHandlers, SpendHandlers
from server.rpc.operation import OperationHandlers
from server.rpc.predict import PredictHandlers
from server.rpc.server import RpcServer, Service
from server.rpc.stream import StreamHandlers
from server.rpc.training import TrainingHandlers
from server.storage.audit.erasure import Eraser
from server.storage.audit.keys import KeyReference
from server.storage.audit.log import SqlAuditLog
from server.storage.audit.retention import Retention
from server.storage.experiments.store import SqlExperimentStore
from server.storage.ledger.ledger import open_ledger
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.store import SqlPredictionStore, open_store
from server.telemetry.logs import configure_logs
from server.telemetry.metrics import Metrics, MetricsServer
from server.telemetry.spending import BudgetCollector, SpendMetrics
from server.tracing import Members, begin_tracing
from server.training.trainings import Trainings

log = structlog.get_logger(__name__)
VERSION = version("consilience-server")


class App:
    """A running server: faces over the engine over stores and forecasters."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self.engine: PredictionEngine
        self.rpc: RpcServer
        self.operation: Operation
        self.metrics_address = ""

    async def start(self) -> None:
        """Open what is below first; listen last.

        Raises:
            ConfigError, StorageError, OSError: something cannot be opened; nothing stays open.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        clock = SystemClock()
        opening = asyncio.create_task(open_store(self.settings.storage))
        self._stack.push_async_callback(_close, opening)
        metrics = Metrics()
        operation = self.operation = Operation(self.settings, self._stack, clock, metrics.registry)
        assembly = Assembly(self.settings, self._stack, operation.observer, operation.circuit_changed)
        ensembles = await assembly.build()  # which is long where there are networks
        store = await opening
        learner = self._learner(store, ensembles, clock, metrics)
        audit, eraser = self._audit(store)
        recorder = Recorder(store)
        self._stack.push_async_callback(recorder.close)
        self._listen_for_metrics(metrics)
        treasury = await self._treasury(store, ensembles, metrics, clock)
        operation.begin(ensembles, lambda: budget_left_share(treasury.ledger.budgets))
        engine = self.engine = PredictionEngine(
            ensembles,
            assembly.library.catalogue,
            recorder,
            (metrics, operation.happenings, *self._traces(assembly, ensembles, clock)),
            clock,
            EngineSettings(VERSION, self.settings.deadline.reply_margin_s),
            treasury,
            operation.answering,
        )
        market = MarketEngine(ensembles, clock, self.settings.market.defaults(), VERSION, treasury)
        admin = Admin(ensembles, engine, VERSION, clock.now(), self.settings.storage.url.partition(":")[0])
        admin.learner = learner
        admin.answering = operation.answering
        performances = Performances(learner, ensembles, clock)
        changes = Changes(audit)
        experiments = await self._experiments(store, ensembles)
        engine.experiments = experiments if self.settings.experiments else None
        services: list[Service] = [
            (
                _named(predict_service_pb2, "Predict"),
                [PredictHandlers(engine, store, assembly.library.catalogue), EstimateHandlers(engine)],
            ),
            (_named(stream_service_pb2, "Stream"), [StreamHandlers(engine, market)]),
            (
                _named(admin_service_pb2, "Admin"),
                [
                    AdminHandlers(admin, store, changes),
                    TrainingHandlers(self._trainings(clock), changes),
                    OperationHandlers(operation.modes, operation.happenings, changes),
                    LearningHandlers(learner, performances, clock),
                    SpendHandlers(treasury, changes),
                    AuditHandlers(store, eraser),
                    ExperimentHandlers(experiments),
                    MembershipHandlers(Membership(ensembles, assembly.add, changes, experiments), admin),
                ],
            ),
            (
                protocol.SERVICE,
                inference_handlers(Engines(engine, market), await assembly.models()),
            ),
        ]
        async with treasury.open(Payer(new_id(clock), category="warm-up")) as account:
            await operation.warm(assembly.language_models, account.purse())
        self.rpc = RpcServer(self.settings.rpc, services)
        await self.rpc.start()
        self._stack.push_async_callback(self.rpc.drain)
        operation.run(asyncio.to_thread(PLUGINS.look), "plug-ins")
        operation.watch(engine, ensembles, assembly.library.catalogue)

    def _learner(
        self, store: SqlPredictionStore, ensembles: Ensembles, clock: Clock, metrics: Metrics
    ) -> Learner:
        """Begins to learn from the stored past; nobody waits for it."""
        learner = Learner(
            SqlOutcomeStore(store.database, store.trail),
            clock,
            market_members(ensembles),
            code_version=VERSION,
            poll_s=self.settings.learning.poll_s,
        )
        learner.watches = any(learns(ensemble.spec) for ensemble in ensembles)
        for ensemble in ensembles:
            ensemble.adviser = ensemble.experienced = learner
            if ensemble.spec.horizon_updates:
                ensemble.adviser = ensemble.school = SignalSchool(clock)
            ensemble.roll_call.listeners.append(partial(_tell, metrics, ensemble.spec.name))
        learner.start()
        self._stack.push_async_callback(learner.close)
        return learner

    async def _treasury(
        self, store: SqlPredictionStore, ensembles: Ensembles, metrics: Metrics, clock: Clock
    ) -> Treasury:
        """All money of this server. The ledger is closed before the database, which is the store's."""
        settings, budgets = self.settings.spending, self.settings.budgets
        configured = [budget.budget(name) for name, budget in budgets.items()]
        ledger = await open_ledger(
            store.database, configured, lease_s=settings.lease_s, lost_calls=settings.lost_calls
        )
        self._stack.push_async_callback(ledger.close)
        watching = SpendMetrics(metrics.registry)
        treasury = Treasury(ledger, (watching,), ensembles.switch_off, clock, settings.terms(budgets))
        metrics.registry.register(BudgetCollector(treasury))
        return treasury

    def _audit(self, store: SqlPredictionStore) -> tuple[SqlAuditLog, Eraser]:
        """The audit log and what erases; both end before the store does."""
        settings = self.settings
        key = KeyReference(settings.audit.key, settings.storage)
        audit = SqlAuditLog(store.database, store.trail, key, settings.audit.checkpoint_s)
        self._stack.push_async_callback(audit.close)
        eraser = Eraser(store.database, store.trail)
        if settings.retention.predictions_days is not None:
            self._stack.push_async_callback(Retention(eraser, settings.retention).close)
        return audit, eraser

    async def _experiments(self, store: SqlPredictionStore, ensembles: Ensembles) -> Experiments:
        """The experiments, as was decided about them last."""
        configured = [each.experiment(name) for name, each in self.settings.experiments.items()]
        experiments = Experiments(
            configured, ensembles.default, SqlExperimentStore(store.database, store.trail)
        )
        if configured:
            await experiments.start()
            self._stack.push_async_callback(experiments.close)
        return experiments

    def _trainings(self, clock: Clock) -> Trainings:
        trainings = Trainings(self.settings.training, self.settings.inference.repository, clock)
        self._stack.push_async_callback(trainings.close)
        return trainings

    def _listen_for_metrics(self, metrics: Metrics) -> None:
        if self.settings.telemetry.metrics_listen:
            server = MetricsServer(metrics, self.settings.telemetry.metrics_listen)
            self.metrics_address = server.address
            self._stack.callback(server.close)

    def _traces(
        self, assembly: Assembly, ensembles: Ensembles, clock: Clock
    ) -> tuple[PredictionObserver, ...]:
        """Who makes traces: nobody, unless an endpoint is set."""
        settings = self.settings.telemetry
        if not settings.traces_endpoint:
            return ()
        tracing = begin_tracing(settings, Members(assembly, ensembles), clock, VERSION)
        self._stack.push_async_callback(asyncio.to_thread, tracing.close)
        return (tracing,)

    async def stop(self) -> None:
        """Drain the faces, then the records under way, then close what is below."""
        await self._stack.aclose()


async def _close(opening: "asyncio.Task[SqlPredictionStore]") -> None:
    """Close what has been opened; its errors have been raised where it was awaited."""
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


def _tell(metrics: Metrics, ensemble: str, member: str, state: SelectionState, reason: str) -> None:
    del reason  # the log has it
    metrics.selection_changed(ensemble, member, state.value)


def _named(module: ModuleType, name: str) -> ServiceDescriptor:
    found: ServiceDescriptor = module.DESCRIPTOR.services_by_name[f"{name}Service"]
    return found


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's sight.

    It never becomes garbage, and walking it again and again was a third of the
    processor time of small calls. Not even once: that takes a third of a second.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


async def serve(settings: Settings, ready: Callable[[App], None]) -> None:
    """Run a server until SIGTERM or SIGINT, then drain it. ``ready`` is called once it serves."""
    app = App(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await app.start()
    settle_memory()
    log.info("serving", address=app.rpc.address, metrics=app.metrics_address)
    ready(app)
    await stopped.wait()
    log.info("draining")
    await app.stop()
    log.info("stopped")


def run(settings: Settings, ready: Callable[[App], None]) -> None:
    """Run a server in this process until it is told to stop.

    Raises:
        ConfigError, StorageError, OSError: it cannot be started.
    """
    configure_logs(settings.telemetry)
    if sys.platform == "win32":
        asyncio.run(serve(settings, ready))
    else:
        uvloop.run(serve(settings, ready))
