# SPDX-License-Identifier: Apache-2.0
"""One stream of requests for tensors, which run at the same time, and its responses.

Ordinary models give one response for each request, in the order of the
requests; decoupled ones give any number, at any time. An error is a response
too, and the stream goes on, unless the caller asked otherwise in its metadata.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any

from server.inference.errors import InferenceError
from server.inference.servable import Decoupled
from server.rpc.call import Call
from server.rpc.inference.asked import Asked, answer_to
from server.rpc.inference.faults import fault
from server.rpc.inference.protocol import Pb, message
from server.rpc.inference.tensors_out import InferResponse, response
from server.rpc.status import status_of

StreamResponse = message("ModelStreamInferResponse")
FINAL = "triton_final_response"
#: Metadata with which a caller asks that the first error end the stream.
STRICT = "triton_grpc_error"
#: Requests under way, and responses not yet taken; the rest waits in the transport.
MAX_UNDER_WAY = 256

Check = Callable[[Pb], Asked]


class Conversation:
    """Works off a stream for as long as a ``with`` lasts; leaving it cancels what is under way."""

    def __init__(
        self, requests: AsyncIterator[Pb], check: Check, version_of: Callable[[Pb], str], call: Call
    ) -> None:
        """``version_of``: of the model that a request is for, as it would answer; also where it cannot."""
        self._requests = requests
        self._check = check
        self._version_of = version_of
        self._strict = call.metadata.get(STRICT, "").lower() == "true"
        self._places = asyncio.Semaphore(MAX_UNDER_WAY)
        self._responses: asyncio.Queue[Pb | None] = asyncio.Queue(MAX_UNDER_WAY)
        self._last: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    async def __aenter__(self) -> "Conversation":
        self._feeding = asyncio.ensure_future(self._feed())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feeding.cancel()
        with suppress(asyncio.CancelledError):
            await self._feeding

    async def responses(self) -> AsyncIterator[Pb]:
        """Every response, until the caller has no more requests and each has been answered.

        Raises:
            Exception: what ended the stream before that.
        """
        while (answer := await self._responses.get()) is not None:
            yield answer
        if self._error is not None:
            raise self._error

    async def _feed(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                async for request in self._requests:
                    await self._places.acquire()
                    self._begin(request, group)
        except ExceptionGroup as failed:
            self._error = failed.exceptions[0]
        await self._responses.put(None)

    def _begin(self, request: Pb, group: asyncio.TaskGroup) -> None:
        try:
            asked = self._check(request)
        except Exception as error:  # noqa: BLE001 - it becomes the request's own response
            self._in_order(self._tell(request, error, self._last), group)
            return
        if asked.form.decoupled and isinstance(asked.model, Decoupled):
            self._release(group.create_task(self._decoupled(request, asked.model, asked)))
        else:
            self._in_order(self._ordinary(request, asked, self._last), group)

    def _in_order(self, work: Coroutine[Any, Any, None], group: asyncio.TaskGroup) -> None:
        self._last = group.create_task(work)
        self._release(self._last)

    def _release(self, task: "asyncio.Task[None]") -> None:
        task.add_done_callback(lambda _: self._places.release())

    async def _ordinary(self, request: Pb, asked: Asked, before: "asyncio.Task[None] | None") -> None:
        try:
            answer = await answer_to(asked)
        except Exception as error:  # noqa: BLE001 - it becomes the request's own response
            await self._tell(request, error, before)
            return
        await _settled(before)
        await self._give(StreamResponse(infer_response=_marked(answer, final=True)))

    async def _decoupled(self, request: Pb, model: Decoupled, asked: Asked) -> None:
        final = False
        try:
            async for outputs, final in model.answers(asked.inputs, asked.wishes):
                answer = response(asked.form, asked.request_id, outputs, asked.wanted)
                await self._give(StreamResponse(infer_response=_marked(answer, final=final)))
        except InferenceError as error:
            await self._tell(request, fault(error, asked.form.name), None)
            return
        except Exception as error:  # noqa: BLE001 - it becomes the request's own response
            await self._tell(request, error, None)
            return
        if asked.empty_final and not final:
            empty = _empty(request)
            empty.model_version = str(asked.form.version)
            await self._give(StreamResponse(infer_response=_marked(empty, final=True)))

    async def _tell(self, request: Pb, error: Exception, before: "asyncio.Task[None] | None") -> None:
        await _settled(before)
        if self._strict:
            raise error
        empty = _empty(request)
        empty.model_version = self._version_of(request)
        told = StreamResponse(infer_response=_marked(empty, final=True))
        told.error_message = status_of(error).message
        await self._give(told)

    async def _give(self, answer: Pb) -> None:
        await self._responses.put(answer)


async def _settled(before: "asyncio.Task[None] | None") -> None:
    if before is not None:
        await asyncio.wait([before])


def _empty(request: Pb) -> Pb:
    return InferResponse(model_name=request.model_name, model_version=request.model_version, id=request.id)


def _marked(answer: Pb, *, final: bool) -> Pb:
    answer.parameters[FINAL].bool_param = final
    return answer
