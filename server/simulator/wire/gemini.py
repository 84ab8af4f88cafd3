# SPDX-License-Identifier: Apache-2.0
"""Gemini, as Google AI Studio speaks it."""

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
    Finish.COMPLETE: "STOP",
    Finish.TRUNCATED: "MAX_TOKENS",
    Finish.REFUSED: "SAFETY",
    Finish.ODD: "SUPERPOSITION",
}
_OWN_NAMES = {
    "temperature": ("temperature",),
    "schema": ("responseJsonSchema", "responseSchema"),
    "seed": ("seed",),
    "effort": ("thinkingConfig",),
    "maxtokens": ("maxOutputTokens",),
}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_RPC = "type.googleapis.com/google.rpc."


class Gemini:
    """``POST /v1beta/models/{model}:generateContent`` and ``:streamGenerateContent``."""

    name = "gemini"
    paths: tuple[str, ...] = (
        "/gemini/v1beta/models/{model}:{verb}",
        "/gemini/v1/models/{model}:{verb}",
    )

    def key(self, headers: Mapping[str, str]) -> str:
        """``x-goog-api-key``."""
        return headers.get("x-goog-api-key", "").strip()

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """The request."""
        if path["verb"] not in ("generateContent", "streamGenerateContent"):
            raise RefusedError(Fault.NOT_FOUND, f"no such method: {path['verb']}")
        if not isinstance(body.get("contents"), list):
            raise RefusedError(
                Fault.BAD_REQUEST, "* GenerateContentRequest.contents: contents is not specified"
            )
        config: Json = body.get("generationConfig") or {}
        if "responseSchema" in config and "responseJsonSchema" in config:
            raise RefusedError(Fault.BAD_REQUEST, "only one of response_schema and response_json_schema")
        system = body.get("systemInstruction") or {}
        return Ask(
            model=path["model"],
            prompt="\n".join((*texts(system), *texts(body["contents"]))),
            schema=_schema(config),
            stream=path["verb"] == "streamGenerateContent",
            max_output_tokens=config.get("maxOutputTokens"),
            parameters=frozenset(
                word for word, own in _OWN_NAMES.items() if any(name in config for name in own)
            ),
        )

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """A ``GenerateContentResponse``."""
        parts: list[Json] = [] if reply.finish is Finish.REFUSED else [{"text": reply.text}]
        if reply.usage and reply.usage.reasoning:
            parts.insert(0, {"text": "Simulated thought.", "thought": True})
        return self._response(reply, parts, _FINISH[reply.finish], with_usage=True)

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """Whole responses, each with a piece of the text; there is no end marker."""
        pieces = [] if reply.finish is Finish.REFUSED else reply.pieces()
        text = tuple(
            data(self._response(reply, [{"text": piece}], None, with_usage=False)) for piece in pieces
        )
        last = self._response(reply, [{"text": ""}] if pieces else [], _FINISH[reply.finish], with_usage=True)
        return Frames(head=(), text=text, tail=(), end=(data(last),))

    def ping(self) -> bytes:
        """A comment."""
        return b": keep-alive\n\n"

    def stream_error(self) -> bytes:
        """An error object where a response should be."""
        return data(self.error(Fault.UNAVAILABLE, "The model is overloaded.", "", 0).body)

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """``{"error": {"code", "message", "status", "details"}}``; a blocked prompt is no error here."""
        if fault is Fault.CONTENT_FILTER:
            return ErrorBody(200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
        status = 400 if fault is Fault.AUTH else status_of(fault)
        own = _OWN_NAMES.get(parameter, ("",))[0]
        said: Json = {
            "code": status,
            "message": f"{own} is not supported by this model" if own else self._message(fault, message),
            "status": _STATUSES[status],
        }
        if details := _details(fault, wait_s):
            said["details"] = details
        return ErrorBody(status, {"error": said})

    def headers(self, reply_id: str, limits: Limits | None) -> dict[str, str]:
        """None of use."""
        return {"server-timing": "gfet4t7; dur=1"}

    def _message(self, fault: Fault, message: str) -> str:
        if fault is Fault.AUTH:
            return f"API key not valid. Please pass a valid API key. {message}"
        if fault is Fault.CONTEXT_LENGTH:
            return "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
        return message

    def _response(self, reply: Reply, parts: list[Json], finish: str | None, *, with_usage: bool) -> Json:
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        body: Json = {
            "candidates": [candidate],
            "modelVersion": reply.model,
            "responseId": reply.id,
        }
        if with_usage and reply.usage:
            body["usageMetadata"] = _usage(reply.usage)
        return body


def _usage(usage: Usage) -> Json:
    """Cached tokens inside the prompt, thoughts outside the candidates."""
    return {
        "promptTokenCount": usage.prompt,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.prompt + usage.output,
    }


def _details(fault: Fault, wait_s: float) -> list[Json]:
    if fault is Fault.RATE_LIMITED:
        return [{"@type": f"{_RPC}RetryInfo", "retryDelay": f"{wait_s:g}s"}]
    if fault is Fault.QUOTA:
        quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        return [{"@type": f"{_RPC}QuotaFailure", "violations": [quota]}]
    if fault is Fault.AUTH:
        return [{"@type": f"{_RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
    return []


def _schema(config: Json) -> dict[str, Any] | None:
    if config.get("responseMimeType") != "application/json":
        return None
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return dict(schema) if isinstance(schema, dict) else None
