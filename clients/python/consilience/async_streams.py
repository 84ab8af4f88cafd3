# SPDX-License-Identifier: Apache-2.0
"""Streams of the asynchronous client."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc

from consilience._calls import Call
from consilience.errors import ConsilienceError, from_status
from consilience.market import MarketEvent, to_request
from consilience.signals import MarketReply
from consilience.v1 import stream_service_pb2

__all__ = ["AsyncMarketStream", "AsyncStream"]

Result = TypeVar("Result")
_END: object = grpc.aio.EOF  # type: ignore[attr-defined]  # unknown to the stubs
MarketSource = (
    AsyncIterable[MarketEvent | Sequence[MarketEvent]] | Iterable[MarketEvent | Sequence[MarketEvent]]
)


def error_of(error: grpc.aio.AioRpcError) -> ConsilienceError:
    """Our error for one of gRPC's."""
    call: Any = error
    return from_status(call.code(), call.details(), call.trailing_metadata())


class AsyncStream(Generic[Result]):
    """Answers of the server, one by one. Leaving ``async with`` cancels what is not read."""

    def __init__(self, call: Any, result: Callable[[Any], Result]) -> None:
        self._call = call
        self._result = result
        self._cancelled = False

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.CancelledError:
            # gRPC says the same for a cancelled call and for a cancelled task.
            if not self._cancelled or _task_is_cancelled():
                raise
            response = _END
        if response is _END:
            raise StopAsyncIteration
        return self._result(response)

    def cancel(self) -> None:
        """End the call; the stream is then over."""
        self._cancelled = True
        self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


class AsyncMarketStream(AsyncStream[MarketReply]):
    """Market events in, replies out. Reading and sending may happen in two tasks."""

    def __init__(self, method: Any, call: Call[Any, MarketReply], events: MarketSource | None) -> None:
        self._failure: Exception | None = None
        requests = None if events is None else self._given(events)
        super().__init__(method(requests, metadata=call.metadata), call.result)

    async def send(self, *events: MarketEvent) -> None:
        """Send 1 to 1,000 events as one message; waits while the server is behind."""
        try:
            await self._call.write(to_request(events))
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error

    async def done_sending(self) -> None:
        """Say that nothing more will come; the server then finishes."""
        await self._call.done_writing()

    async def __anext__(self) -> MarketReply:
        try:
            return await super().__anext__()
        except (ConsilienceError, StopAsyncIteration):
            if self._failure is not None:
                raise self._failure from None
            raise

    async def _given(self, events: MarketSource) -> AsyncIterator[stream_service_pb2.StreamMarketRequest]:
        # gRPC would hide what the caller's own iterator raises.
        try:
            if isinstance(events, AsyncIterable):
                async for item in events:
                    yield to_request(item)
            else:
                for item in events:
                    yield to_request(item)
        except Exception as error:  # noqa: BLE001 - kept, and raised where the caller reads
            self._failure = error
            self.cancel()


def _task_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
