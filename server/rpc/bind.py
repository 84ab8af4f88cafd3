# SPDX-License-Identifier: Apache-2.0
"""Binds handlers to grpc.aio: the one place where they meet a transport.

A handler is a plain coroutine (or asynchronous generator) of a request and a
``Call``; another transport can bind the same ones. Per call this layer adds a
closure call and no interceptor, because those cost more than a whole
``Aggregate``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.errors import NoAnswerError, UnsupportedError
from server.rpc.call import Call
from server.rpc.gate import Gate
from server.rpc.status import grpc_code, status_of
from server.rpc.wire import malformed

DETAILS_KEY = "grpc-status-details-bin"
_NO_RETRY = ("grpc-retry-pushback-ms", "-1")

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Callable[..., Any]
#: Marks handlers that do without a ``Call`` and write their answer themselves.
PURE = "pure"
#: Marks handlers with a look at the bytes of a request, which may refuse it before it is parsed.
LOOK = "look"
#: Streams that end only when a side hangs up; shutting down does not wait for them.
ENDLESS = "endless"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status ready to be sent; ``details`` is the serialised ``google.rpc.Status``."""

    code: grpc.StatusCode
    message: str
    details: bytes

    @classmethod
    def of(cls, status: status_pb2.Status) -> "Refusal":
        """The same as a status says."""
        return cls(grpc_code(status), status.message, status.SerializeToString())


#: Of the object that a handler belongs to, the bytes of a request and the seconds left for it.
Look = Callable[[Any, bytes, float | None], Refusal | None]


class _Malformed:
    """Stands for a request whose bytes could not be read."""

    def __init__(self, message: type[Message]) -> None:
        self.error = malformed(message)


def pure(handler: Handler) -> Handler:
    """Mark a plain function from the bytes of a request to the bytes of its answer."""
    setattr(handler, PURE, True)
    return handler


def looking_first(look: Look) -> Callable[[Handler], Handler]:
    """Mark a method whose requests may be refused unread, because under overload parsing them costs most."""

    def mark(handler: Handler) -> Handler:
        setattr(handler, LOOK, look)
        return handler

    return mark


def endless(handler: Handler) -> Handler:
    """Mark a stream that never ends by itself."""
    setattr(handler, ENDLESS, True)
    return handler


def bind(
    service: ServiceDescriptor, handlers: Sequence[object], gate: Gate
) -> "grpc.GenericRpcHandler[Any, Any]":
    """All methods of a service; each is an attribute, in snake case, of one of the ``handlers``.

    A method without one answers UNIMPLEMENTED with a sentence that says so; one
    that comes when the gate is closed, UNAVAILABLE.

    Raises:
        TypeError: two of the handlers answer the same method.
    """
    methods = {
        method.name: _method(method, _handler(_snake(method.name), handlers), gate)
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _handler(name: str, handlers: Sequence[object]) -> Handler | None:
    found = [handler for each in handlers if (handler := getattr(each, name, None)) is not None]
    if len(found) > 1:
        raise TypeError(f"{name} has {len(found)} handlers; it can have one")
    return found[0] if found else None


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _method(
    method: MethodDescriptor, handler: Handler | None, gate: Gate
) -> "grpc.RpcMethodHandler[Any, Any]":
    coding: dict[str, Any] = {
        "request_deserializer": _reader(method),
        "response_serializer": GetMessageClass(method.output_type).SerializeToString,
    }
    if method.client_streaming and method.server_streaming:
        return grpc.stream_stream_rpc_method_handler(_streaming(method, handler, gate), **coding)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_streaming(method, handler, gate), **coding)
    if handler is not None and getattr(handler, PURE, False):
        return grpc.unary_unary_rpc_method_handler(_pure_unary(handler, gate))
    if handler is not None and hasattr(handler, LOOK):
        return grpc.unary_unary_rpc_method_handler(_looking_unary(method, handler, gate))
    return grpc.unary_unary_rpc_method_handler(_unary(method, handler, gate), **coding)


def _reader(method: MethodDescriptor) -> Callable[[bytes], Message | _Malformed]:
    message = GetMessageClass(method.input_type)
    parse = message.FromString

    def read(data: bytes) -> Message | _Malformed:
        try:
            return parse(data)
        except DecodeError:
            return _Malformed(message)

    return read


def _pure_unary(handler: Callable[[bytes], bytes], gate: Gate) -> Callable[..., Awaitable[bytes]]:
    async def answer(request: bytes, context: Context) -> bytes:
        try:
            if gate.closed:
                gate.check()
            return handler(request)
        except Exception as error:  # noqa: BLE001 - the border: every error becomes a status
            return await _abort(context, error)

    return answer


def _unary(
    method: MethodDescriptor, handler: Handler | None, gate: Gate
) -> Callable[..., Awaitable[Message]]:
    async def answer(request: Message | _Malformed, context: Context) -> Message:
        try:
            with gate:
                return await _checked(method, handler)(_readable(request), call_of(context))  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - the border: every error becomes a status
            return await _abort(context, error)

    return answer


def _looking_unary(method: MethodDescriptor, handler: Any, gate: Gate) -> Callable[..., Awaitable[bytes]]:
    look = partial(getattr(handler, LOOK), handler.__self__)
    read, answer_read = _reader(method), _unary(method, handler, gate)

    async def answer(request: bytes, context: Context) -> bytes:
        try:
            refusal = None if gate.closed else look(request, context.time_remaining())
        except Exception as error:  # noqa: BLE001 - the border: every error becomes a status
            return await _abort(context, error)
        if refusal is None:
            response = await answer_read(read(request), context)
            return response.SerializeToString()
        # Not aborted: an exception on the way out of a coroutine costs more than all the rest of this.
        context.set_code(refusal.code)
        context.set_details(refusal.message)
        context.set_trailing_metadata(((DETAILS_KEY, refusal.details),))
        return b""

    return answer


def _streaming(
    method: MethodDescriptor, handler: Handler | None, gate: Gate
) -> Callable[..., AsyncIterator[Message]]:
    waits: AbstractContextManager[None] = nullcontext() if getattr(handler, ENDLESS, False) else gate

    async def answer(request: Any, context: Context) -> AsyncIterator[Message]:
        try:
            gate.check()
            with waits:
                given = _each_readable(request) if method.client_streaming else _readable(request)
                async for response in _checked(method, handler)(given, call_of(context)):
                    yield response
        except Exception as error:  # noqa: BLE001 - the border: every error becomes a status
            await _abort(context, error)

    return answer


def _checked(method: MethodDescriptor, handler: Handler | None) -> Handler:
    if handler is None:
        raise UnsupportedError(
            f"{method.full_name} is part of the contract, but this server does not serve it yet"
        )
    return handler


def _readable(request: Message | _Malformed) -> Message:
    if isinstance(request, _Malformed):
        raise request.error
    return request


async def _each_readable(requests: AsyncIterator[Message | _Malformed]) -> AsyncIterator[Message]:
    async for request in requests:
        yield _readable(request)


def call_of(context: Context) -> Call:
    """What the transport knows of the caller."""
    metadata: Mapping[str, str] = {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }
    remaining_s = context.time_remaining()
    deadline = None if remaining_s is None else Deadline.after(remaining_s, SystemClock())
    return Call(deadline, metadata=metadata)


async def _abort(context: Context, error: Exception) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    status = status_of(error)
    # UNAVAILABLE invites gRPC to repeat the call, but these members have been asked, and some were paid.
    answered = (_NO_RETRY,) if isinstance(error, NoAnswerError) else ()
    trailing = ((DETAILS_KEY, status.SerializeToString()), *answered)
    await context.abort(grpc_code(status), status.message, trailing)
    raise AssertionError("abort returned")
