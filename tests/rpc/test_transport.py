# SPDX-License-Identifier: Apache-2.0
"""What comes over a wire that is not as it should be, and how the server ends."""

import asyncio
import string
from base64 import b64encode
from urllib.parse import quote

import grpc
import pytest
from google.rpc import code_pb2
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import question_pb2 as q
from server.forecasting import errors
from server.forecasting.forecast import Forecast
from server.rpc.status import CODES, StatusError, status_of
from tests.fakes import Saying
from tests.rpc.conftest import Running
from tests.rpc.errors import details


def raw(running: Running, method: str) -> "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]":
    return running.channel.unary_unary(f"/consilience.v1.PredictService/{method}")


@pytest.mark.parametrize("body", [b"\x0a\x03\x0a\x01\xff", b"\xff\xff\xff\xff", b"\x0a\x7fshort"])
@pytest.mark.parametrize("method", ["Predict", "Aggregate"])
async def test_bytes_that_are_no_message(running: Running, method: str, body: bytes) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(running, method)(body)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith("the bytes are not a valid")


async def test_an_empty_request_names_what_is_missing(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(running, "Predict")(b"")
    assert "question" in details(caught.value)[0]


async def test_an_oversized_request_is_refused(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(running, "Predict")(bytes(129 * 1024))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (
        await running.predict.Aggregate(pb.AggregateRequest(probabilities=[0.7]))
    ).confidence == pytest.approx(0.7)


async def test_what_is_not_served_yet_says_so(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.Analyze(pb.AnalyzeRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "Analyze" in str(caught.value.details())
    assert details(caught.value)[1].reason == "UNSUPPORTED"
    with pytest.raises(grpc.aio.AioRpcError) as streaming:
        async for _ in running.admin.WatchEvents(admin.WatchEventsRequest()):
            pass
    assert streaming.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_every_error_has_a_status() -> None:
    def below(root: type[errors.ConsilienceError]) -> set[type[errors.ConsilienceError]]:
        return {root}.union(*(below(child) for child in root.__subclasses__()))

    assert set(CODES) == below(errors.ConsilienceError) - {errors.ConsilienceError}
    assert all(kind.reason != "internal" for kind in CODES)


def test_an_unknown_error_says_nothing_of_its_text() -> None:
    status = status_of(ValueError("secret"))
    assert status.code == code_pb2.INTERNAL
    assert b"secret" not in status.SerializeToString()


def test_an_overload_says_when_to_come_back() -> None:
    status = status_of(errors.OverloadedError("full", retry_after_s=1.5))
    assert any("RetryInfo" in detail.type_url for detail in status.details)


async def test_health_check_and_watch(running: Running) -> None:
    stub = health_pb2_grpc.HealthStub(running.channel)
    for service in ("", "consilience.v1.PredictService"):
        state = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert state.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nope"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="nope"))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    assert (await unknown.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    running.server.health.set_all(health_pb2.HealthCheckResponse.NOT_SERVING)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    running.server.health.set_all(health_pb2.HealthCheckResponse.SERVING)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    unknown.cancel()


async def test_draining_finishes_what_is_under_way(running: Running) -> None:
    gate = asyncio.Event()
    slow = Saying(Forecast((0.8, 0.2)), gate)
    running.ensembles["quick"].forecasters["a"] = slow
    watch = health_pb2_grpc.HealthStub(running.channel).Watch(health_pb2.HealthCheckRequest())
    await watch.read()
    call = running.predict.Predict(pb.PredictRequest(question=q.Question(text="?")))
    asked = asyncio.create_task(call.wait_for_connection())
    await slow.was_asked.wait()
    draining = asyncio.create_task(running.server.drain())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    async with grpc.aio.insecure_channel(running.server.address) as late:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await late.unary_unary("/consilience.v1.PredictService/Predict")(b"", timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert details(refused.value)[1].reason == "SHUTTING_DOWN"
    gate.set()
    assert (await call).prediction.outcome == "YES"
    await draining
    await asked


async def test_callers_that_ask_again_while_draining_are_turned_away(running: Running) -> None:
    gate = asyncio.Event()
    slow = Saying(Forecast((0.8, 0.2)), gate)
    running.ensembles["quick"].forecasters["a"] = slow

    async def ask_on() -> grpc.StatusCode:
        while True:
            try:
                await running.predict.Predict(pb.PredictRequest(question=q.Question(text="?")))
            except grpc.aio.AioRpcError as error:
                return error.code()

    callers = [asyncio.create_task(ask_on()) for _ in range(16)]
    await slow.was_asked.wait()
    draining = asyncio.create_task(running.server.drain())
    gate.set()
    assert set(await asyncio.gather(*callers)) == {grpc.StatusCode.UNAVAILABLE}
    await draining


async def test_channelz_shows_the_server_and_its_calls(running: Running) -> None:
    stub = channelz_pb2_grpc.ChannelzStub(running.channel)
    await running.predict.Aggregate(pb.AggregateRequest(probabilities=[0.7]))
    servers = (await stub.GetServers(channelz_pb2.GetServersRequest())).server
    assert sum(server.data.calls_started for server in servers) >= 1


ODD = "日%\n" * 10_000
UNENCODED = string.punctuation.replace("%", "") + " "


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidRequestError(*(errors.FieldViolation(f"questions[{i}]", ODD) for i in range(1000))),
        errors.InvalidRequestError.of(ODD, "is wrong"),
        errors.NotFoundError("ensemble", ODD),
        errors.NoAnswerError({f"{ODD[:128]}{i}": "member_timeout" for i in range(256)}),
        StatusError.of(code_pb2.NOT_FOUND, ODD, []),
    ],
)
def test_no_error_is_too_long_to_arrive(error: Exception) -> None:
    status = status_of(error)
    encoded = len(quote(status.message, safe=UNENCODED)) + len(b64encode(status.SerializeToString()))
    assert encoded < 8 * 1024 - 512  # which leaves room for what else travels there


async def test_a_field_broken_by_thousands_is_named(running: Running) -> None:
    wrong = [q.Question(text="?", market_probability=2.0)] * 1000
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.BatchPredict(pb.BatchPredictRequest(questions=wrong))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    fields, info = details(caught.value)
    assert fields["questions[0].market_probability"] == "must be in 0..1, got 2"
    assert info.metadata["violations"] == "1000"


async def test_a_text_too_long_to_be_repeated_is_cut(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.Aggregate(pb.AggregateRequest(probabilities=[0.7], pooling="x" * 70_000))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "pooling" in details(caught.value)[0]
    assert str(caught.value.details()).endswith("characters more)")
