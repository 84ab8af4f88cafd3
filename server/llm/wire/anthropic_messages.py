# SPDX-License-Identifier: Apache-2.0
"""Anthropic Messages."""

from typing import Any

import jiter
from pydantic_core import to_json

from server.forecasting.forecast import AbsentReason, TokenUsage
from server.llm.completion import ChatRequest, Completion, Finish, usage_from
from server.llm.failures import Failure, Parameter
from server.llm.flavours import Flavour
from server.llm.wire.errors import Said, classify
from server.llm.wire.format import Json, merged
from server.llm.wire.headers import Headers, RateLimits, anthropic_limits
from server.llm.wire.shapes import label, table, tables, words

_FINISH = {
    "end_turn": Finish.COMPLETE,
    "stop_sequence": Finish.COMPLETE,
    "tool_use": Finish.COMPLETE,
    "max_tokens": Finish.TRUNCATED,
    "model_context_window_exceeded": Finish.TRUNCATED,
    "refusal": Finish.REFUSED,
}
_BILLING_CODES = frozenset({"enforced_spend_limit_reached", "credit_balance_exhausted"})


class AnthropicMessages:
    """``POST {base}/v1/messages``."""

    probe_path = "/v1/models"
    #: The API has dropped the temperature; for models that still take it, ``extra`` is the way.
    lacks = frozenset({"seed", "temperature"})

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def path(self, request: ChatRequest) -> str:
        """The one path."""
        return "/v1/messages"

    def headers(self, key: str) -> list[tuple[bytes, bytes]]:
        """Key and version."""
        version = (b"anthropic-version", b"2023-06-01")
        return [version, (b"x-api-key", key.encode())] if key else [version]

    def body(self, request: ChatRequest, without: frozenset[Parameter]) -> Json:
        """System text and one message. The schema goes native, or through a tool that must be called."""
        body: Json = {
            "model": request.model,
            "max_tokens": request.max_output_tokens,
            "system": request.system,
            "messages": [{"role": "user", "content": request.user}],
        }
        if request.schema is not None and Parameter.SCHEMA not in without:
            self._add_schema(body, request)
        if request.effort is not None and Parameter.EFFORT not in without:
            body.setdefault("output_config", {})["effort"] = request.effort
        if request.stream:
            body["stream"] = True
        return merged(body, request.extra)

    def _add_schema(self, body: Json, request: ChatRequest) -> None:
        schema = request.schema
        if schema is None:
            return
        if not request.through_tool:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema.schema}}
            return
        description = "Gives the forecast."
        body["tools"] = [
            {"name": schema.name, "description": description, "input_schema": schema.schema, "strict": True}
        ]
        body["tool_choice"] = {"type": "tool", "name": schema.name}

    def is_capped(self, without: frozenset[Parameter]) -> bool:
        """Always, the API wants one."""
        return True

    def completion(self, payload: Json, headers: Headers) -> Completion | Failure:
        """All text blocks, or the input of the tool that was called."""
        if payload.get("type") == "error":
            return self.failure(200, payload, headers)
        texts = [_block_text(block) for block in tables(payload.get("content"))]
        usage = payload.get("usage")
        reason = label(payload.get("stop_reason"))
        said = "".join(texts)
        return Completion(
            text=_why_refused(payload) or said if reason == "refusal" else said,
            finish=_FINISH.get(reason, Finish.ERROR),
            raw_finish=reason,
            model=label(payload.get("model") or ""),
            response_id=label(payload.get("id") or ""),
            usage=messages_usage(usage) if isinstance(usage, dict) else None,
        )

    def reader(self) -> "MessagesReader":
        """For one stream."""
        return MessagesReader(self)

    def failure(self, status: int, payload: Any, headers: Headers) -> Failure:
        """``{"type": "error", "error": {"type", "message"}}``."""
        error = payload.get("error") if isinstance(payload, dict) else None
        if not isinstance(error, dict):
            return classify(status, Said(message=payload if isinstance(payload, str) else ""), headers)
        code = str(table(error.get("details")).get("error_code") or "")
        message = str(error.get("message") or "")
        filtered = "content filtering policy" in message
        said = Said(
            message=message,
            kind="content_filter" if filtered else str(error.get("type") or ""),
            code=code,
            billing=code in _BILLING_CODES or "credit balance is too low" in message,
        )
        return classify(status, said, headers)

    def limits(self, headers: Headers) -> RateLimits | None:
        """``anthropic-ratelimit-*``."""
        return anthropic_limits(headers)


class MessagesReader:
    """Events until ``message_stop``."""

    def __init__(self, wire: AnthropicMessages) -> None:
        self._wire = wire
        self._message: Json = {}
        self._usage: Json = {}
        self._error: Json | None = None
        self._final_usage = False
        self.text = ""
        self.finished = False
        self.bad_chunks = 0

    def feed(self, event: str, data: str) -> bool:
        """One event. Pings, thoughts and what is not JSON bring no part of the answer."""
        try:
            body = jiter.from_json(data.encode())
        except ValueError:
            self.bad_chunks += 1
            return False
        if not isinstance(body, dict):
            return False
        kind = body.get("type") or event
        if kind == "content_block_delta":
            return self._delta(table(body.get("delta")))
        self._state(kind, body)
        return False

    def _delta(self, delta: Json) -> bool:
        piece = words(delta.get("text" if delta.get("type") == "text_delta" else "partial_json"))
        self.text += piece
        return bool(piece)

    def _state(self, kind: Any, body: Json) -> None:
        if kind == "message_start":
            self._message = dict(table(body.get("message")))
            self._usage = dict(table(self._message.get("usage")))
        elif kind == "message_delta":
            self._message |= table(body.get("delta"))
            counts = table(body.get("usage"))
            # Cumulative and final, unlike the placeholder of the start.
            self._usage |= {name: value for name, value in counts.items() if value is not None}
            self._final_usage = "output_tokens" in counts
        elif kind == "message_stop":
            self.finished = True
        elif kind == "error":
            self._error, self.finished = body, True

    def result(self, headers: Headers) -> Completion | Failure:
        """Complete once the model said why it stopped, with or without the end marker."""
        if self._error is not None:
            return self._wire.failure(200, self._error, headers)
        if self._message.get("stop_reason") is None:
            return Failure(
                AbsentReason.PROVIDER_CONNECTION_FAILED, "the stream was cut before its end", billed=True
            )
        return self._wire.completion(self._as_message(self._usage if self._final_usage else None), headers)

    def seen(self) -> Completion:
        """The text so far, and the tokens as the start told them: exact for the input alone."""
        made = self._wire.completion(self._as_message(self._usage), {})
        return made if isinstance(made, Completion) else Completion(self.text, Finish.ERROR)

    def _as_message(self, usage: Json | None) -> Json:
        return self._message | {"content": [{"type": "text", "text": self.text}], "usage": usage}


def messages_usage(usage: Json) -> TokenUsage | None:
    """Buckets: cached tokens are outside ``input_tokens``, thinking inside ``output_tokens``."""
    outside = table(usage.get("output_tokens_details"))
    return usage_from(
        prompt=usage.get("input_tokens"),
        cached=usage.get("cache_read_input_tokens"),
        written=usage.get("cache_creation_input_tokens"),
        output=usage.get("output_tokens"),
        reasoning=outside.get("thinking_tokens"),
        cached_inside=False,
    )


def _block_text(block: Json) -> str:
    if block.get("type") == "tool_use":
        return to_json(block.get("input") or {}).decode()
    return words(block.get("text")) if block.get("type") == "text" else ""


def _why_refused(payload: Json) -> str:
    details = table(payload.get("stop_details"))
    return str(details.get("explanation") or details.get("category") or "")
