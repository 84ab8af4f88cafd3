# SPDX-License-Identifier: Apache-2.0
import asyncio
from dataclasses import dataclass, field

import grpc
import pytest

from server.engine.ensembles import Ensembles
from server.engine.market import MarketDefaults, MarketEngine
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.forecasting.deadline import SystemClock
from server.inference.networks import Networks
from server.inference.settings import InferenceSettings, NetworkSettings
from server.rpc.inference import protocol
from server.rpc.inference.ensemble_base import Engines
from server.rpc.inference.face import inference_handlers
from server.rpc.server import RpcServer
from server.rpc.settings import RpcSettings
from tests.engine.conftest import ensemble_of
from tests.fakes import Catalogue, MemoryStore, yes
from tests.inference import artifacts
from tests.rpc.conftest import KNOWN
from tests.rpc.inference.client import Client
from tests.rpc.inference.models import Counting, Held, Repeating, Source


@dataclass
class Serving:
    """A real server on a real port: ensembles, networks and models made for tests."""

    address: str
    client: Client
    networks: Networks
    root: object
    repeating: Repeating = field(default_factory=Repeating)
    held: Held = field(default_factory=Held)


@pytest.fixture(scope="package")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    artifacts.write(root, version=1, seed=1)
    artifacts.write(root, version=2, seed=2)
    artifacts.write(root, name="other")
    return root


def loaded(root):
    return Networks(InferenceSettings(repository=root, max_batch=4), first=["small"])


@pytest.fixture(scope="package")
def shared_networks(weights):
    made = loaded(weights)
    yield made
    asyncio.run(made.close())


@pytest.fixture
def networks(shared_networks):
    return shared_networks


@pytest.fixture
async def serving(weights, networks):
    market = ensemble_of(
        {"network": networks.forecaster(NetworkSettings(artifact="small", horizon=10))},
        "market",
        horizon_updates=10,
        deadline_s=60.0,
    )
    quick = ensemble_of({"a": yes(0.9), "b": yes(0.7), "c": yes(0.6)}, "quick", deadline_s=60.0)
    ensembles, clock = Ensembles([quick, market], "quick", "market"), SystemClock()
    engine = PredictionEngine(
        ensembles, Catalogue(KNOWN), Recorder(MemoryStore()), (), clock, EngineSettings("test", 0.05)
    )
    repeating, held = Repeating(), Held()
    source = Source(repeating, held, Counting(sure=True), Counting(sure=False))
    markets = MarketEngine(ensembles, clock, MarketDefaults(signal_deadline_s=60.0), "test")
    handlers = inference_handlers(Engines(engine, markets), [networks.models, source])
    server = RpcServer(RpcSettings(listen="127.0.0.1:0", grace_s=5), [(protocol.SERVICE, handlers)])
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield Serving(server.address, Client(channel), networks, weights, repeating, held)
    await server.drain()


@pytest.fixture
def client(serving):
    return serving.client
