# SPDX-License-Identifier: Apache-2.0
"""OpenAI Chat Completions, as OpenAI itself and local servers speak it."""

from collections.abc import Mapping
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
    data,
    texts,
)

_FINISH = {
    Finish.COMPLETE: "stop",
    Finish.TRUNCATED: "length",
    Finish.REFUSED: "stop",
    Finish.ODD: "quantum_collapse",
}

#: This format's names of the parameters that a model may reject.
_OWN_NAMES = {
    "temperature": "temperature",
    "schema": "response_format",
    "seed": "seed",
    "effort": "reasoning_effort",
    "maxtokens": "max_completion_tokens",
    "streamoptions": "stream_options",
}

UNSUPPORTED = "unsupported_parameter"
_ERRORS: dict[Fault, tuple[str, str | None]] = {
    Fault.BAD_REQUEST: ("invalid_request_error", None),
    Fault.AUTH: ("invalid_request_error", "invalid_api_key"),
    Fault.BILLING: ("billing_error", "billing_hard_limit_reached"),
    Fault.FORBIDDEN: ("permission_error", "unsupported_country_region_territory"),
    Fault.NOT_FOUND: ("invalid_request_error", "model_not_found"),
    Fault.TOO_LARGE: ("invalid_request_error", "request_too_large"),
    Fault.UNPROCESSABLE: ("invalid_request_error", None),
    Fault.RATE_LIMITED: ("requests", "rate_limit_exceeded"),
    Fault.RATE_LIMITED_SILENTLY: ("requests", "rate_limit_exceeded"),
    Fault.QUOTA: ("insufficient_quota", "insufficient_quota"),
    Fault.CONTEXT_LENGTH: ("invalid_request_error", "context_length_exceeded"),
    Fault.CONTENT_FILTER: ("invalid_request_error", "content_filter"),
}

#: Faults after which a provider says when to come back.
WAITS = frozenset({Fault.RATE_LIMITED, Fault.UNAVAILABLE, Fault.IN_FLIGHT_BUDGET})


class OpenAIChat:
    """``POST /chat/completions``."""

    name = "openai_chat"
    paths: tuple[str, ...] = (
        "/openai/v1/chat/completions",
        "/local/v1/chat/completions",
        "/v1/chat/completions",
    )

    def key(self, headers: Mapping[str, str]) -> str:
        """The bearer token."""
        return headers.get("Authorization", "").removeprefix("Bearer ").strip()

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """The request."""
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            raise RefusedError(Fault.BAD_REQUEST, "Missing required parameter: 'messages'.")
        options = body.get("stream_options") or {}
        return Ask(
            model=_text(body, "model"),
            prompt="\n".join(texts(messages)),
            schema=_schema(body),
            stream=bool(body.get("stream")),
            max_output_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            parameters=frozenset(word for word, own in _OWN_NAMES.items() if body.get(own) is not None),
            include_usage=bool(options.get("include_usage")),
        )

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """A ``chat.completion`` object."""
        refused = reply.finish is Finish.REFUSED
        message = {
            "role": "assistant",
            "content": None if refused else reply.text,
            "refusal": reply.text if refused else None,
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[reply.finish]}
        return self._envelope("chat.completion", reply) | {"choices": [choice]} | self._usage(ask, reply)

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """``chat.completion.chunk`` objects; usage in a chunk of its own, if asked for."""
        field = "refusal" if reply.finish is Finish.REFUSED else "content"
        role = {"role": "assistant", "content": "" if field == "content" else None, "refusal": None}
        tail = [self._chunk(reply, {}, _FINISH[reply.finish])]
        if ask.include_usage and (usage := self._usage(ask, reply)):
            tail.append(data(self._envelope("chat.completion.chunk", reply) | {"choices": []} | usage))
        return Frames(
            head=(self._chunk(reply, role),),
            text=tuple(self._chunk(reply, {field: piece}) for piece in reply.pieces()),
            tail=tuple(tail),
            end=(b"data: [DONE]\n\n",),
        )

    def ping(self) -> bytes:
        """A comment."""
        return b": keep-alive\n\n"

    def stream_error(self) -> bytes:
        """An error object where a chunk should be."""
        return data(self.error(Fault.SERVER_ERROR, "The server had an error", "", 0).body)

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """The usual error object."""
        kind, code = _ERRORS.get(fault, ("server_error", None))
        own = _OWN_NAMES.get(parameter)
        if fault is Fault.BAD_REQUEST and own:
            message, code = f"Unsupported parameter: '{own}' is not supported with this model.", UNSUPPORTED
        body = {"error": {"message": message, "type": kind, "param": own, "code": code}}
        headers = {"x-request-id": "req_simulated"}
        if fault in WAITS:
            headers |= {"retry-after": f"{max(1, round(wait_s))}", "retry-after-ms": f"{round(wait_s * 1e3)}"}
        return ErrorBody(status_of(fault), body, headers)

    def headers(self, reply_id: str, limits: Limits | None) -> dict[str, str]:
        """Request id and rate limits."""
        headers = {"x-request-id": f"req_{reply_id}", "openai-processing-ms": "1"}
        if limits:
            headers |= {
                "x-ratelimit-limit-requests": str(limits.limit),
                "x-ratelimit-remaining-requests": str(limits.remaining),
                "x-ratelimit-reset-requests": duration_text(limits.reset_s),
            }
        return headers

    def _envelope(self, kind: str, reply: Reply) -> Json:
        return {
            "id": f"chatcmpl-{reply.id}",
            "object": kind,
            "created": reply.created,
            "model": reply.model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        }

    def _chunk(self, reply: Reply, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return data(self._envelope("chat.completion.chunk", reply) | {"choices": [choice]})

    def _usage(self, ask: Ask, reply: Reply) -> Json:
        if reply.null_usage:
            return {"usage": None}
        return {"usage": chat_usage(reply.usage)} if reply.usage else {}


def chat_usage(usage: Usage) -> Json:
    """Token counts with cached tokens inside the prompt and reasoning inside the output."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def duration_text(seconds: float) -> str:
    """Seconds as OpenAI writes them: ``120ms``, ``1.5s``, ``6m0s``."""
    if seconds < 1:
        return f"{round(seconds * 1e3)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedError(Fault.BAD_REQUEST, f"you must provide a {name} parameter")
    return value


def _schema(body: Json) -> dict[str, Any] | None:
    wanted = body.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return None
    schema = (wanted.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        raise RefusedError(
            Fault.BAD_REQUEST, "Missing required parameter: 'response_format.json_schema.schema'."
        )
    return dict(schema)
