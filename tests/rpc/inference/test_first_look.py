# SPDX-License-Identifier: Apache-2.0
"""A full queue refuses requests that nobody has read."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from server.inference.errors import QueueFullError
from server.inference.servable import Bounded
from server.rpc.inference.catalogue import ModelCatalogue
from server.rpc.inference.first_look import asked_for
from server.rpc.inference.infer import InferHandlers
from server.rpc.inference.protocol import SERVICE
from server.rpc.server import RpcServer
from server.rpc.settings import RpcSettings
from tests.rpc.inference.client import InferRequest
from tests.rpc.inference.models import Repeating, Source

PATH = "/inference.GRPCInferenceService/ModelInfer"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model_name": "small", "model_version": "2", "id": "x"}, ("small", "2")),
        ({"model_name": "small", "id": "x"}, ("small", "")),
        ({"model_name": "größe"}, ("größe", "")),
        ({"model_version": "2"}, None),
        ({"model_name": "n" * 127}, ("n" * 127, "")),
        ({"model_name": "n" * 128}, None),
        ({}, None),
    ],
)
def test_what_a_request_asks_for(fields, expected):
    assert asked_for(InferRequest(**fields).SerializeToString()) == expected


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\xff\xff", b"\x0a\x01a\x12"])
def test_bytes_that_are_no_request_are_left_to_the_parser(data):
    assert asked_for(data) is None


class Queue(Repeating, Bounded):
    """A model that is full where it is told to be."""

    full = True

    def refusal(self, deadline_s):
        return QueueFullError("64 items wait already", 0.25) if self.full else None


@pytest.fixture
async def model():
    return Queue()


@pytest.fixture
async def ask(model):
    handlers = InferHandlers(ModelCatalogue([Source(model)]))
    server = RpcServer(RpcSettings(listen="127.0.0.1:0", grace_s=5), [(SERVICE, [handlers])])
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = channel.unary_unary(PATH)

        async def refused(data):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(data, timeout=20)
            return caught.value

        yield refused
    await server.drain()


#: The name of the model, then bytes that no parser takes.
UNREADABLE = InferRequest(model_name="repeating").SerializeToString() + b"\xff\xff\xff"


async def test_a_full_model_refuses_what_it_has_not_read(ask):
    error = await ask(UNREADABLE)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "Exceeds maximum queue size: 64 items wait already"
    status = rpc_status.from_call(error)
    retry, info = error_details_pb2.RetryInfo(), error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert any(detail.Unpack(info) for detail in status.details)
    assert retry.retry_delay.ToNanoseconds() == 250_000_000
    assert info.reason == "OVERLOADED"


async def test_a_model_with_room_reads(ask, model):
    model.full = False
    assert (await ask(UNREADABLE)).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_another_model_or_version_is_not_refused(ask):
    for fields in ({"model_name": "other"}, {"model_name": "repeating", "model_version": "9"}):
        error = await ask(InferRequest(**fields).SerializeToString())
        assert error.code() is grpc.StatusCode.NOT_FOUND
