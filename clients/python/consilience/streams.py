# SPDX-License-Identifier: Apache-2.0
"""Streams of the synchronous client."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc

from consilience._calls import Call
from consilience.errors import ConsilienceError, from_status
from consilience.market import MarketEvent, to_request
from consilience.signals import MarketReply
from consilience.v1 import stream_service_pb2

__all__ = ["MarketStream", "Stream"]

Result = TypeVar("Result")


def error_of(error: grpc.RpcError) -> ConsilienceError:
    """Our error for one of gRPC's."""
    call: Any = error
    return from_status(call.code(), call.details(), call.trailing_metadata())


class Stream(Generic[Result]):
    """Answers of the server, one by one. Leaving ``with`` cancels what is not read."""

    def __init__(self, call: Any, result: Callable[[Any], Result]) -> None:
        self._call = call
        self._result = result
        self._cancelled = False

    def __iter__(self) -> Iterator[Result]:
        return self

    def __next__(self) -> Result:
        try:
            return self._result(next(self._call))
        except grpc.RpcError as error:
            if self._cancelled:
                raise StopIteration from None
            raise error_of(error) from error

    def cancel(self) -> None:
        """End the call; the stream is then over."""
        self._cancelled = True
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


class MarketStream(Stream[MarketReply]):
    """Market events in, replies out. Reading and sending may happen in two threads."""

    def __init__(
        self,
        method: Any,
        call: Call[Any, MarketReply],
        events: Iterable[MarketEvent | Sequence[MarketEvent]] | None,
    ) -> None:
        self._queue: SimpleQueue[stream_service_pb2.StreamMarketRequest | None] | None = None
        self._failure: Exception | None = None
        if events is None:
            self._queue = SimpleQueue()
        requests = self._sent(self._queue) if self._queue is not None else self._given(events or ())
        super().__init__(method(requests, metadata=call.metadata), call.result)

    def send(self, *events: MarketEvent) -> None:
        """Queue 1 to 1,000 events as one message.

        Raises:
            RuntimeError: the stream was opened with its events.
        """
        self._writable().put(to_request(events))

    def done_sending(self) -> None:
        """Say that nothing more will come; the server then finishes."""
        self._writable().put(None)

    def cancel(self) -> None:
        """End the call; the stream is then over."""
        super().cancel()
        if self._queue is not None:
            self._queue.put(None)

    def __next__(self) -> MarketReply:
        try:
            return super().__next__()
        except (ConsilienceError, StopIteration):
            if self._failure is not None:
                raise self._failure from None
            raise

    def _writable(self) -> "SimpleQueue[stream_service_pb2.StreamMarketRequest | None]":
        if self._queue is None:
            raise RuntimeError("this stream was opened with its events: market() without any can send")
        return self._queue

    @staticmethod
    def _sent(
        queue: "SimpleQueue[stream_service_pb2.StreamMarketRequest | None]",
    ) -> Iterator[stream_service_pb2.StreamMarketRequest]:
        while (request := queue.get()) is not None:
            yield request

    def _given(
        self, events: Iterable[MarketEvent | Sequence[MarketEvent]]
    ) -> Iterator[stream_service_pb2.StreamMarketRequest]:
        # gRPC would hide what the caller's own iterator raises.
        try:
            for item in events:
                yield to_request(item)
        except Exception as error:  # noqa: BLE001 - kept, and raised where the caller reads
            self._failure = error
            self.cancel()
