# SPDX-License-Identifier: Apache-2.0
"""A plain client of the protocol, over a real channel."""

import grpc
from google.protobuf.message_factory import GetMessageClass

from server.rpc.inference.protocol import SERVICE, message

InferRequest = message("ModelInferRequest")


class Client:
    """``await client("ModelReady", name="x")``."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def __call__(self, method, request=None, **fields):
        kind, call = self._method(method, self._channel.unary_unary)
        return await call(request if request is not None else kind(**fields), timeout=60)

    def stream(self, requests, metadata=()):
        _, call = self._method("ModelStreamInfer", self._channel.stream_stream)
        return call(requests, timeout=60, metadata=metadata)

    def _method(self, name, kind):
        method = SERVICE.methods_by_name[name]
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        path = f"/{SERVICE.full_name}/{name}"
        return request, kind(
            path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )


def request(model, *tensors, raw=(), **fields):
    """``tensors``: (name, datatype, shape) or (name, datatype, shape, contents)."""
    made = InferRequest(model_name=model, raw_input_contents=raw, **fields)
    for name, datatype, shape, *contents in tensors:
        tensor = made.inputs.add(name=name, datatype=datatype, shape=shape)
        if contents:
            tensor.contents.SetInParent()
            for field, values in contents[0].items():
                getattr(tensor.contents, field).extend(values)
    return made


async def refused(awaitable):
    """Code and text of a refusal."""
    try:
        await awaitable
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()
    raise AssertionError("it was not refused")
