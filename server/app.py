# SPDX-License-Identifier: Apache-2.0
"""The composition root: everything is put together here, started in order and stopped in reverse."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version

from server.assembly import Assembly
from server.books import Books
from server.config import Settings
from server.engine.changes import Changes
from server.engine.ensembles import Ensembles
from server.engine.market import MarketEngine
from server.engine.modes.rules import budget_left_share
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.tickets import new_id
from server.forecasting.deadline import SystemClock
from server.forecasting.money import Payer
from server.forecasting.plugins import PLUGINS
from server.forecasting.ports import PredictionObserver
from server.operation import Operation
from server.retrainings import retrainings
from server.rpc.server import RpcServer
from server.services import Parts, services
from server.telemetry.metrics import Metrics, MetricsServer
from server.tracing import Members, begin_tracing
from server.training.trainings import Trainings

VERSION = version("consilience-server")


class App:
    """A running server: faces over the engine over stores and forecasters."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self._clock = SystemClock()
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

    async def stop(self) -> None:
        """Drain the faces, then the records under way, then close what is below."""
        await self._stack.aclose()

    async def _start(self) -> None:
        settings, stack, clock = self.settings, self._stack, self._clock
        metrics = Metrics()
        books = Books(settings, stack, clock, metrics, VERSION)
        operation = self.operation = Operation(settings, stack, clock, metrics.registry)
        assembly = Assembly(settings, stack, operation.observer, operation.circuit_changed)
        ensembles = await assembly.build()  # which is long where there are networks
        await books.open(ensembles)
        self._listen_for_metrics(metrics)
        operation.begin(ensembles, lambda: budget_left_share(books.treasury.ledger.budgets))
        engine = self.engine = self._engine(assembly, ensembles, books, metrics)
        market = MarketEngine(ensembles, clock, settings.market.defaults(), VERSION, books.treasury)
        trainings = self._trainings()
        parts = Parts(
            clock,
            assembly,
            ensembles,
            books,
            operation,
            engine,
            market,
            trainings,
            VERSION,
            storage=settings.storage.url.partition(":")[0],
        )
        faces = await services(parts)
        async with books.treasury.open(Payer(new_id(clock), category="warm-up")) as account:
            await operation.warm(assembly.language_models, account.purse())
        self.rpc = RpcServer(settings.rpc, faces)
        await self.rpc.start()
        stack.push_async_callback(self.rpc.drain)
        operation.run(asyncio.to_thread(PLUGINS.look), "plug-ins")
        operation.watch(engine, ensembles, assembly.library.catalogue)
        for name, work in retrainings(settings, trainings, assembly, Changes(books.audit), clock):
            operation.run(work, f"retraining {name}")

    def _engine(
        self, assembly: Assembly, ensembles: Ensembles, books: Books, metrics: Metrics
    ) -> PredictionEngine:
        settings = self.settings
        engine = PredictionEngine(
            ensembles,
            assembly.library.catalogue,
            books.recorder,
            (metrics, self.operation.happenings, *self._traces(assembly, ensembles)),
            self._clock,
            EngineSettings(VERSION, settings.deadline.reply_margin_s, settings.transcripts.bounds),
            books.treasury,
            self.operation.answering,
        )
        engine.experiments = books.experiments if settings.experiments else None
        return engine

    def _trainings(self) -> Trainings:
        trainings = Trainings(self.settings.training, self.settings.inference.repository, self._clock)
        self._stack.push_async_callback(trainings.close)
        return trainings

    def _listen_for_metrics(self, metrics: Metrics) -> None:
        if self.settings.telemetry.metrics_listen:
            server = MetricsServer(metrics, self.settings.telemetry.metrics_listen)
            self.metrics_address = server.address
            self._stack.callback(server.close)

    def _traces(self, assembly: Assembly, ensembles: Ensembles) -> tuple[PredictionObserver, ...]:
        """Who makes traces: nobody, unless an endpoint is set."""
        settings = self.settings.telemetry
        if not settings.traces_endpoint:
            return ()
        tracing = begin_tracing(settings, Members(assembly, ensembles), self._clock, VERSION)
        self._stack.push_async_callback(asyncio.to_thread, tracing.close)
        return (tracing,)
