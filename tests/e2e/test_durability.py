# SPDX-License-Identifier: Apache-2.0
"""What was answered is on disk: through SIGKILL, and never claimed over a broken disk."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import grpc
import pytest

from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import predict_service_pb2_grpc, prediction_pb2
from consilience.v1 import question_pb2 as q
from tests.e2e.configs import QUESTION, RECORDED
from tests.e2e.server_process import ServerProcess
from tests.storage import faulty_disk

Stub = predict_service_pb2_grpc.PredictServiceStub
ASK = pb.PredictRequest(question=q.Question(id=QUESTION))


async def test_kill_9_loses_no_answer(tmp_path: Path) -> None:
    answered: list[str] = []

    async def keep_asking(stub: Stub) -> None:
        while server.process.poll() is None:
            with contextlib.suppress(grpc.aio.AioRpcError):  # on a busy machine one may be late
                answered.append((await stub.Predict(ASK)).prediction.id)
            if len(answered) == 500:
                server.process.kill()

    with ServerProcess(tmp_path, RECORDED) as server:
        async with grpc.aio.insecure_channel(server.address) as channel, asyncio.timeout(120):
            await asyncio.gather(*(keep_asking(Stub(channel)) for _ in range(16)))
    assert len(answered) >= 500
    with sqlite3.connect(server.database) as database:
        stored = {row[0] for row in database.execute("SELECT id FROM predictions")}
    assert set(answered) <= stored
    with ServerProcess(tmp_path, RECORDED) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            again = await Stub(channel).GetPrediction(pb.GetPredictionRequest(prediction_id=answered[-1]))
            assert again.prediction.id == answered[-1]


@pytest.mark.skipif(bool(faulty_disk.why_unavailable()), reason=faulty_disk.why_unavailable())
@pytest.mark.parametrize("fault", ["fail", "hang"])
async def test_a_broken_disk_is_never_durable(tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    disk = faulty_disk.FaultyDisk(faulty_disk.build(tmp_path), folder=folder, control=tmp_path / "disk")
    relaxed = prediction_pb2.PredictOptions(durability=prediction_pb2.DURABILITY_DEADLINE_FIRST)
    quick = pb.PredictRequest(question=q.Question(id=QUESTION), options=relaxed)
    with ServerProcess(tmp_path, RECORDED, disk.environment) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub = Stub(channel)
            assert (await stub.Predict(ASK)).prediction.durable
            getattr(disk, fault)()
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Predict(ASK, timeout=5)
            answer = await stub.Predict(quick, timeout=60)
            assert not answer.prediction.durable
            assert answer.prediction.warnings
            disk.heal()
        server.kill()
