# SPDX-License-Identifier: Apache-2.0
"""No key in any log, trace, error, answer, metric or stored record: all of a driven server."""

import asyncio
import urllib.request
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from consilience.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    predict_service_pb2,
    predict_service_pb2_grpc,
    prediction_pb2,
    question_pb2,
    stream_service_pb2,
    stream_service_pb2_grpc,
)
from server.simulator.server import Simulator
from tests.e2e.server_process import ServerProcess

OURS = "sk-proj-Zq7LhT3vWm9XcR5bYd2KfN8s"
SECOND = "sk-proj-Hj4PwE6uVn1GtB0rMx8CzA3k"
THEIRS = "sk-ant-api03-Qe5RtY7uIo9PaS1dFg3Hj"
GATEWAY = "Bearer-gw-5f2c8e1a9b7d4c6e3f0a"
SECRETS = (OURS, SECOND, THEIRS, GATEWAY)
#: Enough of a key to be of use to somebody.
TELLING = 12

#: What succeeds, and everything that can go wrong; the worst of them send the key back.
FAULTS = """
400 401 402 403 404 429 429quota 500 503 reset hang cut stall notjson error200 garbage truncated refuse
context filter nousage
"""
MODELS = ("sim-fast", *(f"sim-{fault}" for fault in FAULTS.split()))
FORMATS = {
    "openai_chat": "openai/v1",
    "openai_responses": "openai/v1",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
}


def configuration(url: str, log_format: str) -> str:
    providers = "".join(
        f"""
[providers.{name}]
format = "{name}"
base_url = "{url}/{path}"
keys = ["env:FIRST_KEY", "env:SECOND_KEY"]
headers = {{ X-Gateway = "env:GATEWAY" }}
retries = {{ max_attempts = 2 }}
breaker = {{ enabled = false }}
"""
        for name, path in FORMATS.items()
    )
    members = {f"{name}-{model}": (name, model) for name in FORMATS for model in MODELS}
    forecasters = "".join(
        f'[forecasters."{member}"]\nkind = "chat"\nprovider = "{name}"\nmodel = "{model}"\n'
        f"stream = {'true' if index % 2 else 'false'}\nprice = {{ input = 1.0, output = 4.0 }}\n"
        for index, (member, (name, model)) in enumerate(members.items())
    )
    return f"""
[telemetry]
log_level = "debug"
log_format = "{log_format}"
{providers}
{forecasters}
[ensembles.everything]
members = {list(members)}
min_responses = 1
deadline_s = 1.5

[ensembles.nobody]
members = ["openai_chat-sim-401", "gemini-sim-401"]
deadline_s = 1.0
"""


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_no_key_gets_out(tmp_path: Path, log_format: str) -> None:
    async with Simulator() as simulator:
        toml = configuration(simulator.url, log_format)
        environment = {"FIRST_KEY": OURS, "SECOND_KEY": SECOND, "GATEWAY": GATEWAY}
        server = await asyncio.to_thread(ServerProcess, tmp_path, toml, environment)
        with server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                said = await drive(channel)
            said.append(await asyncio.to_thread(metrics_page, server.metrics))
            assert await asyncio.to_thread(server.stop) == 0
        keys = {entry.key for entry in simulator.service.ledger.entries()}
    assert len(keys) >= 3  # ours, the second and the caller's own were really used
    log = server.log()
    assert "attempt failed" in log
    places = {"log": log, "answers": "\n".join(said)}
    places |= {
        str(file.relative_to(tmp_path)): file.read_bytes().decode("latin-1")
        for file in tmp_path.rglob("*")
        if file.is_file()
    }
    assert any(name.endswith(".db") for name in places)
    found = [(name, secret[:3]) for name, text in places.items() for secret in SECRETS if tells(text, secret)]
    assert not found


def tells(text: str, secret: str) -> bool:
    """Whether any telling part of a secret is in the text."""
    return any(secret[at : at + TELLING] in text for at in range(8, len(secret) - TELLING + 1))


async def drive(channel: grpc.aio.Channel) -> list[str]:
    """Everything a caller can see: good answers, bad ones, errors, streams, records and status."""
    predict = predict_service_pb2_grpc.PredictServiceStub(channel)
    admin = admin_service_pb2_grpc.AdminServiceStub(channel)
    stream = stream_service_pb2_grpc.StreamServiceStub(channel)
    own = [(f"x-consilience-key-{name}", THEIRS) for name in FORMATS]
    said: list[str] = []
    question = question_pb2.Question(text="Will it rain tomorrow?")
    for metadata in ((), own):
        for ensemble in ("everything", "nobody", "missing"):
            options = prediction_pb2.PredictOptions(ensemble=ensemble)
            request = predict_service_pb2.PredictRequest(question=question, options=options)
            said.append(await text_of(predict.Predict(request, metadata=metadata)))
            streamed = stream_service_pb2.StreamPredictionsRequest(question=question, options=options)
            said.append(await all_of(stream.StreamPredictions(streamed, metadata=metadata)))
    bad = predict_service_pb2.PredictRequest(options=prediction_pb2.PredictOptions(min_agreement=7.0))
    said.append(await text_of(predict.Predict(bad, metadata=own)))
    stored = await admin.ListPredictions(admin_service_pb2.ListPredictionsRequest())
    said.append(str(stored))
    for listed in stored.predictions:
        prediction = getattr(listed, "prediction", listed)
        asked = predict_service_pb2.GetPredictionRequest(prediction_id=prediction.id)
        said.append(await text_of(predict.GetPrediction(asked)))
    said.append(await text_of(admin.GetStatus(admin_service_pb2.GetStatusRequest())))
    said.append(await text_of(admin.ListMembers(admin_service_pb2.ListMembersRequest())))
    said.append(await text_of(admin.GetSpend(admin_service_pb2.GetSpendRequest())))
    assert stored.predictions
    return said


async def text_of(call: grpc.aio.UnaryUnaryCall[Message, Message]) -> str:
    try:
        return str(await call)
    except grpc.aio.AioRpcError as error:
        return f"{error!r} {error.details()} {error.trailing_metadata()} {error.debug_error_string()}"


async def all_of(call: grpc.aio.UnaryStreamCall[Message, Message]) -> str:
    try:
        return "\n".join([str(message) async for message in call])
    except grpc.aio.AioRpcError as error:
        return f"{error!r} {error.details()} {error.trailing_metadata()} {error.debug_error_string()}"


def metrics_page(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics") as page:
        return str(page.read().decode())
