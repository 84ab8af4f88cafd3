# SPDX-License-Identifier: Apache-2.0
"""Start, ready, metrics, drain, exit."""

import asyncio
import urllib.request
from pathlib import Path

import grpc

from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import predict_service_pb2_grpc
from consilience.v1 import question_pb2 as q
from server.simulator.server import Simulator
from server.simulator.settings import SimulatorSettings
from tests.e2e.configs import QUESTION, RECORDED, simulated
from tests.e2e.server_process import ServerProcess
from tests.eventually import eventually

Stub = predict_service_pb2_grpc.PredictServiceStub


async def test_sigterm_finishes_calls_under_way_and_exits_0(tmp_path: Path) -> None:
    async with Simulator(SimulatorSettings()) as simulator:
        toml = simulated(simulator.url, {"slow": "sim-p0.7-500ms"}, deadline_s=60.0)
        with await asyncio.to_thread(ServerProcess, tmp_path, toml) as server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                call = Stub(channel).Predict(pb.PredictRequest(question=q.Question(text="Will it rain?")))
                answer = asyncio.ensure_future(call)
                await eventually(lambda: simulator.service.ledger.calls > 0)
                stopping = asyncio.create_task(asyncio.to_thread(server.stop))
                assert (await answer).prediction.outcome == "YES"
                assert await stopping == 0
            assert "stopped" in server.log()


def test_metrics_count_what_happened(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, RECORDED) as server:
        with grpc.insecure_channel(server.address) as channel:
            stub = Stub(channel)
            for _ in range(3):
                stub.Predict(pb.PredictRequest(question=q.Question(id=QUESTION)))
        with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=10) as page:
            text = page.read().decode()
        assert server.stop() == 0
    assert 'consilience_predictions_total{decision="proceed",ensemble="recorded"} 3.0' in text or (
        'ensemble="recorded"} 3.0' in text
    )
    assert 'consilience_member_answers_total{ensemble="recorded",member="gpt5"} 3.0' in text
