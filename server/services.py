# SPDX-License-Identifier: Apache-2.0
"""The faces: every service of the contract with the objects that answer its methods."""

from dataclasses import dataclass
from types import ModuleType

from google.protobuf.descriptor import ServiceDescriptor

from consilience.v1 import admin_service_pb2, predict_service_pb2, stream_service_pb2
from server.assembly import Assembly
from server.books import Books
from server.engine.admin import Admin
from server.engine.changes import Changes
from server.engine.ensembles import Ensembles
from server.engine.market import MarketEngine
from server.engine.membership import Membership
from server.engine.performance import Performances
from server.engine.predict import PredictionEngine
from server.forecasting.deadline import Clock
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
from server.rpc.server import Service
from server.rpc.stream import StreamHandlers
from server.rpc.training import TrainingHandlers
from server.training.trainings import Trainings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the faces stand on."""

    clock: Clock
    assembly: Assembly
    ensembles: Ensembles
    books: Books
    operation: Operation
    engine: PredictionEngine
    market: MarketEngine
    trainings: Trainings
    version: str
    storage: str


async def services(parts: Parts) -> list[Service]:
    """All services.

    Raises:
        ConfigError: a network that is to be served cannot be loaded.
    """
    catalogue = parts.assembly.library.catalogue
    predict = [PredictHandlers(parts.engine, parts.books.store, catalogue), EstimateHandlers(parts.engine)]
    inference = inference_handlers(Engines(parts.engine, parts.market), await parts.assembly.models())
    return [
        (_named(predict_service_pb2, "Predict"), predict),
        (_named(stream_service_pb2, "Stream"), [StreamHandlers(parts.engine, parts.market)]),
        (_named(admin_service_pb2, "Admin"), _admin(parts)),
        (protocol.SERVICE, inference),
    ]


def _admin(parts: Parts) -> list[object]:
    books, operation, ensembles = parts.books, parts.operation, parts.ensembles
    admin = Admin(ensembles, parts.engine, parts.version, parts.clock.now(), parts.storage)
    admin.learner = books.learner
    admin.answering = operation.answering
    changes = Changes(books.audit)
    performances = Performances(books.learner, ensembles, parts.clock)
    membership = Membership(ensembles, parts.assembly.add, changes, books.experiments)
    return [
        AdminHandlers(admin, books.store, changes),
        TrainingHandlers(parts.trainings, changes),
        OperationHandlers(operation.modes, operation.happenings, changes),
        LearningHandlers(books.learner, performances, parts.clock),
        SpendHandlers(books.treasury, changes),
        AuditHandlers(books.store, books.eraser),
        ExperimentHandlers(books.experiments),
        MembershipHandlers(membership, admin),
    ]


def _named(module: ModuleType, name: str) -> ServiceDescriptor:
    found: ServiceDescriptor = module.DESCRIPTOR.services_by_name[f"{name}Service"]
    return found
