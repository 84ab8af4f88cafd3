# SPDX-License-Identifier: Apache-2.0
"""The promise itself: an answer inside two seconds, whatever the members do."""

import asyncio
import socket
from pathlib import Path

import grpc

from consilience.v1 import forecast_pb2, predict_service_pb2_grpc
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import question_pb2 as q
from server.simulator.server import Simulator
from server.simulator.settings import SimulatorSettings
from tests.e2e.configs import simulated
from tests.e2e.server_process import ServerProcess
from tests.eventually import eventually

PREDICTIONS = 200
AT_A_TIME = 12


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_200_of_200_inside_the_deadline(tmp_path: Path) -> None:
    """One member hangs, one answers garbage, one refuses connections; the caller waits 2 s, no longer."""
    models = {"good": "sim-p0.8", "fine": "sim-p0.7", "hangs": "sim-hang", "babbles": "sim-garbage"}
    async with Simulator(SimulatorSettings()) as simulator:
        toml = simulated(simulator.url, models, closed_port(), min_responses=2)
        server = await asyncio.to_thread(ServerProcess, tmp_path, toml)
        with server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                answers = await predict_many(predict_service_pb2_grpc.PredictServiceStub(channel))
            assert await asyncio.to_thread(server.stop) == 0
        entries = simulator.service.ledger.entries
        await eventually(lambda: all(entry.outcome != "open" for entry in entries()))
        assert len(entries("sim-hang")) == PREDICTIONS
    assert len(answers) == PREDICTIONS
    for answer in answers:
        assert answer.prediction.durable
        absent = {m.member: m.absent.reason for m in answer.prediction.members if m.HasField("absent")}
        assert absent == {
            "hangs": forecast_pb2.ABSENT_REASON_DEADLINE_EXCEEDED,
            "babbles": forecast_pb2.ABSENT_REASON_PROVIDER_BAD_OUTPUT,
            "refused": forecast_pb2.ABSENT_REASON_PROVIDER_CONNECTION_FAILED,
        }


async def predict_many(stub: predict_service_pb2_grpc.PredictServiceStub) -> list[pb.PredictResponse]:
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(index: int) -> pb.PredictResponse:
        async with places:
            request = pb.PredictRequest(question=q.Question(text=f"Will it rain on day {index}?"))
            return await stub.Predict(request, timeout=2.0)

    return await asyncio.gather(*(one(index) for index in range(PREDICTIONS)))
