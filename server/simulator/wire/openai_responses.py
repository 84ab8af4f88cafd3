# SPDX-License-Identifier: Apache-2.0
"""OpenAI Responses."""

from collections.abc import Mapping
from typing import Any

from server.simulator.faults import Fault
from server.simulator.ledger import Usage
from server.simulator.wire.exchange import (
    Ask,
    ErrorBody,
    Finish,
    Frames,
    Json,
    RefusedError,
    Reply,
    event,
    present,
    texts,
)
from server.simulator.wire.openai_chat import OpenAIChat

#: Where each parameter that a model may reject stands in the body.
_OWN_NAMES = {
    "temperature": ("temperature",),
    "schema": ("text", "format"),
    "effort": ("reasoning", "effort"),
    "maxtokens": ("max_output_tokens",),
    "streamoptions": ("stream_options",),
}
_STATUS = {Finish.TRUNCATED: "incomplete", Finish.ODD: "hibernated"}


class OpenAIResponses(OpenAIChat):
    """``POST /responses``; errors and headers are those of Chat Completions."""

    name = "openai_responses"
    paths: tuple[str, ...] = ("/openai/v1/responses",)

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """The request."""
        if not isinstance(body.get("model"), str) or "input" not in body:
            raise RefusedError(Fault.BAD_REQUEST, "Missing required parameter: 'input' or 'model'.")
        prompt = "\n".join((str(body.get("instructions") or ""), *texts(body["input"])))
        return Ask(
            model=body["model"],
            prompt=prompt,
            schema=_schema(body),
            stream=bool(body.get("stream")),
            max_output_tokens=body.get("max_output_tokens"),
            parameters=frozenset(word for word, own in _OWN_NAMES.items() if present(body, own)),
        )

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """A ``response`` object."""
        return self._response(ask, reply, self._status(reply), [*self._thoughts(reply), self._message(reply)])

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """Typed events with sequence numbers; the last one holds the whole response."""
        refused = reply.finish is Finish.REFUSED
        kind, part_name = ("refusal", "refusal") if refused else ("output_text", "text")
        empty = self._response(ask, reply, "in_progress", [], with_usage=False)
        where = {"item_id": f"msg_{reply.id}", "output_index": 0, "content_index": 0}
        item = {"output_index": 0, "item": self._message(reply) | {"status": "in_progress", "content": []}}
        part = {"type": kind, part_name: "", **({} if refused else {"annotations": []})}
        logprobs: Json = {} if refused else {"logprobs": []}
        number = iter(range(10**9))

        def made(name: str, body: Json) -> bytes:
            return event(name, {"type": name, "sequence_number": next(number), **body})

        head = (
            made("response.created", {"response": empty}),
            made("response.in_progress", {"response": empty}),
            made("response.output_item.added", item),
            made("response.content_part.added", where | {"part": part}),
        )
        text = tuple(
            made(f"response.{kind}.delta", where | {"delta": piece} | logprobs) for piece in reply.pieces()
        )
        tail = (
            made(f"response.{kind}.done", where | {part_name: reply.text} | logprobs),
            made("response.output_item.done", {"output_index": 0, "item": self._message(reply)}),
        )
        ended = "incomplete" if reply.finish is Finish.TRUNCATED else "completed"
        return Frames(head, text, tail, (made(f"response.{ended}", {"response": self.answer(ask, reply)}),))

    def stream_error(self) -> bytes:
        """An ``error`` event."""
        said = {"code": "server_error", "message": "The server had an error", "param": None}
        return event("error", {"type": "error", "sequence_number": 99, **said})

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """As in Chat Completions, with this format's names of the parameters."""
        made = super().error(fault, message, parameter, wait_s)
        if parameter in _OWN_NAMES and fault is Fault.BAD_REQUEST:
            own = ".".join(_OWN_NAMES[parameter])
            made.body["error"] |= {
                "message": f"Unsupported parameter: '{own}' is not supported with this model.",
                "param": own,
            }
        return made

    def _status(self, reply: Reply) -> str:
        return _STATUS.get(reply.finish, "completed")

    def _thoughts(self, reply: Reply) -> list[Json]:
        thought = reply.usage is not None and reply.usage.reasoning > 0
        return [{"type": "reasoning", "id": f"rs_{reply.id}", "summary": []}] if thought else []

    def _message(self, reply: Reply) -> Json:
        if reply.finish is Finish.REFUSED:
            content: Json = {"type": "refusal", "refusal": reply.text}
        else:
            content = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        return {
            "type": "message",
            "id": f"msg_{reply.id}",
            "status": "incomplete" if reply.finish is Finish.TRUNCATED else "completed",
            "role": "assistant",
            "content": [content],
        }

    def _response(
        self, ask: Ask, reply: Reply, status: str, output: list[Json], *, with_usage: bool = True
    ) -> Json:
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        body: Json = {
            "id": f"resp_{reply.id}",
            "object": "response",
            "created_at": reply.created,
            "status": status,
            "error": None,
            "incomplete_details": cut,
            "instructions": None,
            "max_output_tokens": ask.max_output_tokens,
            "model": reply.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "user": None,
            "metadata": {},
        }
        return body | (self._usage(ask, reply) if with_usage else {"usage": None})

    def _usage(self, ask: Ask, reply: Reply) -> Json:
        if reply.null_usage:
            return {"usage": None}
        return {"usage": responses_usage(reply.usage)} if reply.usage else {}


def responses_usage(usage: Usage) -> Json:
    """Token counts with cached tokens inside the input and reasoning inside the output."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }


def _schema(body: Json) -> dict[str, Any] | None:
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") != "json_schema":
        return None
    if not isinstance(wanted.get("schema"), dict) or not wanted.get("name"):
        raise RefusedError(Fault.BAD_REQUEST, "Missing required parameter: 'text.format.name' or its schema.")
    return dict(wanted["schema"])
