# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import pytest

from consilience.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    predict_service_pb2,
    predict_service_pb2_grpc,
    stream_service_pb2,
    stream_service_pb2_grpc,
)
from server.engine.admin import Admin
from server.engine.changes import Changes
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.market import MarketDefaults, MarketEngine
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.forecasting.deadline import SystemClock
from server.forecasting.forecast import Forecast
from server.forecasting.question import Question, Resolution
from server.rpc.admin import AdminHandlers
from server.rpc.predict import PredictHandlers
from server.rpc.server import RpcServer
from server.rpc.settings import RpcSettings
from server.rpc.stream import StreamHandlers
from tests.engine.conftest import ensemble_of
from tests.fakes import Catalogue, MemoryStore, NoAuditLog, Saying, yes

KNOWN = Question(
    "known-1",
    "Did it rain?",
    category="weather",
    market_probability=0.4,
    as_of_time=datetime(2025, 1, 2, tzinfo=UTC),
    resolution=Resolution("known-1", datetime(2025, 2, 3, tzinfo=UTC), outcome="YES"),
)


@dataclass
class Running:
    server: RpcServer
    engine: PredictionEngine
    store: MemoryStore
    ensembles: dict[str, Ensemble]
    channel: grpc.aio.Channel

    @property
    def predict(self) -> predict_service_pb2_grpc.PredictServiceStub:
        return predict_service_pb2_grpc.PredictServiceStub(self.channel)

    @property
    def stream(self) -> stream_service_pb2_grpc.StreamServiceStub:
        return stream_service_pb2_grpc.StreamServiceStub(self.channel)

    @property
    def admin(self) -> admin_service_pb2_grpc.AdminServiceStub:
        return admin_service_pb2_grpc.AdminServiceStub(self.channel)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """A real server on a real port, with members that answer at once."""
    quick = ensemble_of({"a": yes(0.9), "b": yes(0.7), "c": yes(0.6)}, "quick", deadline_s=60.0)
    market = ensemble_of(
        {"n": Saying(Forecast((0.1, 0.2, 0.7)))}, "market", horizon_updates=10, deadline_s=60.0
    )
    ensembles = Ensembles([quick, market], "quick", "market")
    store, clock = MemoryStore(), SystemClock()
    catalogue = Catalogue(KNOWN, *(Question(f"more-{i:02}", f"Question {i}?") for i in range(30)))
    engine = PredictionEngine(ensembles, catalogue, Recorder(store), (), clock, EngineSettings("test", 0.05))
    defaults = MarketDefaults(signal_every_updates=1, signal_deadline_s=60.0, max_symbols=2)
    markets = MarketEngine(ensembles, clock, defaults, "test")
    admin = Admin(ensembles, engine, "test", clock.now(), "memory")
    services = [
        (
            predict_service_pb2.DESCRIPTOR.services_by_name["PredictService"],
            [PredictHandlers(engine, store, catalogue)],
        ),
        (stream_service_pb2.DESCRIPTOR.services_by_name["StreamService"], [StreamHandlers(engine, markets)]),
        (
            admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"],
            [AdminHandlers(admin, store, Changes(NoAuditLog()))],
        ),
    ]
    settings = RpcSettings(listen="127.0.0.1:0", max_receive_bytes=128 * 1024, grace_s=5)
    server = RpcServer(settings, services)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield Running(server, engine, store, {"quick": quick, "market": market}, channel)
    await server.drain()
