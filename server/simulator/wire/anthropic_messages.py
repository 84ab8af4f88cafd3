# SPDX-License-Identifier: Apache-2.0
"""Anthropic Messages."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from server.simulator.faults import Fault, status_of
from server.simulator.ledger import Usage
from server.simulator.wire.exchange import (
    Ask,
    ErrorBody,
    Finish,
    Frames,
    Json,
    Limits,
    RefusedError,
    Reply,
    event,
    present,
    texts,
)

_STOP = {
    Finish.COMPLETE: "end_turn",
    Finish.TRUNCATED: "max_tokens",
    Finish.REFUSED: "refusal",
    Finish.ODD: "entropy",
}
_OWN_NAMES = {
    "temperature": ("temperature",),
    "schema": ("output_config", "format"),
    "effort": ("output_config", "effort"),
}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MESSAGES = {
    Fault.CONTEXT_LENGTH: "prompt is too long: 210000 tokens > 200000 maximum",
    Fault.CONTENT_FILTER: "Output blocked by content filtering policy",
}
_WAITS = frozenset({Fault.RATE_LIMITED, Fault.IN_FLIGHT_BUDGET})


class AnthropicMessages:
    """``POST /v1/messages``."""

    name = "anthropic_messages"
    paths: tuple[str, ...] = ("/anthropic/v1/messages",)

    def key(self, headers: Mapping[str, str]) -> str:
        """``x-api-key``."""
        return headers.get("x-api-key", "").strip()

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """The request."""
        if "anthropic-version" not in headers:
            raise RefusedError(Fault.BAD_REQUEST, "anthropic-version: header is required")
        for name, kind in (("model", str), ("messages", list), ("max_tokens", int)):
            if not isinstance(body.get(name), kind):
                raise RefusedError(Fault.BAD_REQUEST, f"{name}: Field required")
        schema, tool = _schema(body)
        return Ask(
            model=body["model"],
            prompt="\n".join((*texts(body.get("system", "")), *texts(body["messages"]))),
            schema=schema,
            stream=bool(body.get("stream")),
            max_output_tokens=body["max_tokens"],
            parameters=frozenset(word for word, own in _OWN_NAMES.items() if present(body, own)),
            through_tool=tool,
        )

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """A ``message`` object."""
        return self._message(reply) | {
            "content": self._content(ask, reply),
            "stop_reason": self._stop_reason(ask, reply),
            "usage": self._usage(reply.usage) if reply.usage else None,
        }

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """``message_start`` with a placeholder for the output, deltas, and the final counts at the end."""
        usage = reply.usage or Usage()
        start = self._message(reply) | {"content": [], "stop_reason": None}
        start["usage"] = self._usage(usage) | {"output_tokens": 1}
        tool = ask.through_tool and reply.finish is Finish.COMPLETE
        block: Json = {"type": "text", "text": ""}
        if tool:
            block = {"type": "tool_use", "id": f"toolu_{reply.id}", "name": ask.through_tool, "input": {}}
        head = (
            event("message_start", {"type": "message_start", "message": start}),
            event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}),
            self.ping(),
        )
        kind, name = ("input_json_delta", "partial_json") if tool else ("text_delta", "text")
        text = tuple(
            event(
                "content_block_delta",
                {"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: piece}},
            )
            for piece in ([] if reply.finish is Finish.REFUSED else reply.pieces())
        )
        ended = {"stop_reason": self._stop_reason(ask, reply), "stop_sequence": None}
        counts = {"output_tokens": usage.output} if reply.usage else None
        tail = (
            event("content_block_stop", {"type": "content_block_stop", "index": 0}),
            event("message_delta", {"type": "message_delta", "delta": ended, "usage": counts}),
        )
        return Frames(head, text, tail, (event("message_stop", {"type": "message_stop"}),))

    def ping(self) -> bytes:
        """A ``ping`` event."""
        return event("ping", {"type": "ping"})

    def stream_error(self) -> bytes:
        """An ``error`` event."""
        return event("error", self.error(Fault.OVERLOADED, "Overloaded", "", 0).body)

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """The usual error object, with the request's id beside it."""
        status = status_of(fault)
        own = ".".join(_OWN_NAMES.get(parameter, ()))
        said: Json = {
            "type": _KINDS[status],
            "message": f"{own}: not supported on this model" if own else _MESSAGES.get(fault, message),
        }
        if fault is Fault.QUOTA:
            said["details"] = {"error_code": "enforced_spend_limit_reached"}
        headers = {"request-id": "req_simulated"}
        if fault in _WAITS:
            headers["retry-after"] = f"{wait_s:g}"
        return ErrorBody(status, {"type": "error", "error": said, "request_id": "req_simulated"}, headers)

    def headers(self, reply_id: str, limits: Limits | None) -> dict[str, str]:
        """Request id and rate limits."""
        headers = {"request-id": f"req_{reply_id}"}
        if limits:
            reset = datetime.now(UTC) + timedelta(seconds=limits.reset_s)
            headers |= {
                "anthropic-ratelimit-requests-limit": str(limits.limit),
                "anthropic-ratelimit-requests-remaining": str(limits.remaining),
                "anthropic-ratelimit-requests-reset": reset.isoformat().replace("+00:00", "Z"),
            }
        return headers

    def _message(self, reply: Reply) -> Json:
        return {
            "id": f"msg_{reply.id}",
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "stop_sequence": None,
        }

    def _content(self, ask: Ask, reply: Reply) -> list[Json]:
        if reply.finish is Finish.REFUSED:
            return []
        thoughts: list[Json] = []
        if reply.usage and reply.usage.reasoning:
            thoughts = [{"type": "thinking", "thinking": "Simulated.", "signature": "c2ln"}]
        if ask.through_tool and (made := _object(reply.text)) is not None:
            block = {"type": "tool_use", "id": f"toolu_{reply.id}", "name": ask.through_tool, "input": made}
            return [*thoughts, block]
        return [*thoughts, {"type": "text", "text": reply.text}]

    def _stop_reason(self, ask: Ask, reply: Reply) -> str:
        if ask.through_tool and reply.finish is Finish.COMPLETE:
            return "tool_use"
        return _STOP[reply.finish]

    def _usage(self, usage: Usage) -> Json:
        return {
            "input_tokens": usage.input_uncached,
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cache_read,
            "output_tokens": usage.output,
            "output_tokens_details": {"thinking_tokens": usage.reasoning},
            "service_tier": "standard",
        }


def _object(text: str) -> Json | None:
    try:
        made = json.loads(text)
    except ValueError:
        return None
    return made if isinstance(made, dict) else None


def _schema(body: Json) -> tuple[dict[str, Any] | None, str]:
    """The schema, and the name of the tool if it came as one."""
    wanted = (body.get("output_config") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        return dict(wanted["schema"]), ""
    choice = body.get("tool_choice") or {}
    for tool in body.get("tools") or []:
        if choice.get("type") == "tool" and tool.get("name") == choice.get("name"):
            return dict(tool["input_schema"]), str(tool["name"])
    return None, ""
