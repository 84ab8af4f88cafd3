# SPDX-License-Identifier: Apache-2.0
"""OpenAI Responses, also spoken by xAI."""

from typing import Any

import jiter

from server.forecasting.forecast import AbsentReason, TokenUsage
from server.llm.completion import ChatRequest, Completion, Finish, usage_from
from server.llm.failures import Failure, Parameter
from server.llm.flavours import Flavour
from server.llm.wire.errors import Said, classify
from server.llm.wire.format import Json, merged
from server.llm.wire.headers import Headers
from server.llm.wire.openai_chat import OpenAIChat
from server.llm.wire.shapes import label, table, tables, words

_INCOMPLETE = {"max_output_tokens": Finish.TRUNCATED, "content_filter": Finish.REFUSED}
_TERMINAL = ("response.completed", "response.incomplete", "response.failed")


class OpenAIResponses:
    """``POST {base}/responses``. Errors, limits and keys are as in Chat Completions."""

    probe_path = "/models"
    lacks = frozenset({"schema_mode", "seed"})

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        chat = OpenAIChat(flavour)
        self.headers = chat.headers
        self.failure = chat.failure
        self.limits = chat.limits

    def path(self, request: ChatRequest) -> str:
        """The one path."""
        return "/responses"

    def body(self, request: ChatRequest, without: frozenset[Parameter]) -> Json:
        """Instructions and input; ``store`` is on unless switched off, so it is."""
        body: Json = {
            "model": request.model,
            "instructions": request.system,
            "input": request.user,
            "store": False,
        }
        if request.schema is not None and Parameter.SCHEMA not in without:
            body["text"] = {
                "format": {
                    "type": "json_schema",
                    "name": request.schema.name,
                    "schema": request.schema.schema,
                    "strict": True,
                }
            }
        self._add_optional(body, request, without)
        return merged(body, request.extra)

    def _add_optional(self, body: Json, request: ChatRequest, without: frozenset[Parameter]) -> None:
        if Parameter.MAX_TOKENS not in without:
            body["max_output_tokens"] = request.max_output_tokens
        if request.temperature is not None and Parameter.TEMPERATURE not in without:
            body["temperature"] = request.temperature
        if request.effort is not None and Parameter.EFFORT not in without:
            body["reasoning"] = {"effort": request.effort}
        if request.stream:
            body["stream"] = True
            if (
                Parameter.STREAM_OPTIONS not in without
                and "include_obfuscation" in self._flavour.stream_options
            ):
                body["stream_options"] = {"include_obfuscation": False}

    def is_capped(self, without: frozenset[Parameter]) -> bool:
        """Unless the model refuses the cap."""
        return Parameter.MAX_TOKENS not in without

    def completion(self, payload: Json, headers: Headers) -> Completion | Failure:
        """The text of all message items."""
        error = payload.get("error")
        if isinstance(error, dict) or payload.get("status") == "failed":
            return _failed(error, headers)
        texts, refusals = _contents(payload.get("output"))
        usage = payload.get("usage")
        return Completion(
            text="".join(refusals or texts),
            finish=Finish.REFUSED if refusals else _finish(payload),
            raw_finish="refusal" if refusals else _raw_finish(payload),
            model=label(payload.get("model") or ""),
            response_id=label(payload.get("id") or ""),
            usage=responses_usage(usage) if isinstance(usage, dict) else None,
            reported_nano_usd=self._flavour.reported_cost(usage) if isinstance(usage, dict) else None,
        )

    def reader(self) -> "ResponsesReader":
        """For one stream."""
        return ResponsesReader(self)


class ResponsesReader:
    """Typed events until one that holds the whole response."""

    def __init__(self, wire: OpenAIResponses) -> None:
        self._wire = wire
        self._last: Json | None = None
        self._error: Any = None
        self._model = ""
        self.text = ""
        self.finished = False
        self.bad_chunks = 0

    def feed(self, event: str, data: str) -> bool:
        """One event. What is not JSON is counted and skipped."""
        try:
            body = jiter.from_json(data.encode())
        except ValueError:
            self.bad_chunks += data != "[DONE]"
            return False
        if not isinstance(body, dict):
            return False
        kind = body.get("type") or event
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            self.text += words(body.get("delta"))
            return True
        self._state(kind, body)
        return False

    def _state(self, kind: Any, body: Json) -> None:
        response = body.get("response")
        if kind == "error":
            self._error, self.finished = body.get("error") or body, True
        elif isinstance(response, dict):
            self._model = label(response.get("model") or self._model)
            if kind in _TERMINAL:
                self._last, self.finished = response, True

    def result(self, headers: Headers) -> Completion | Failure:
        """Complete only with the terminal event."""
        if self._error is not None:
            return _failed(self._error, headers)
        if self._last is None:
            return Failure(
                AbsentReason.PROVIDER_CONNECTION_FAILED, "the stream was cut before its end", billed=True
            )
        return self._wire.completion(self._last, headers)

    def seen(self) -> Completion:
        """The text so far; usage comes only at the end."""
        return Completion(self.text, Finish.ERROR, "unfinished", self._model)


def responses_usage(usage: Json) -> TokenUsage | None:
    """Buckets from ``input_tokens`` and ``output_tokens``, cached tokens inside the input."""
    inside, outside = table(usage.get("input_tokens_details")), table(usage.get("output_tokens_details"))
    return usage_from(
        prompt=usage.get("input_tokens"),
        cached=inside.get("cached_tokens"),
        written=inside.get("cache_write_tokens"),
        output=usage.get("output_tokens"),
        reasoning=outside.get("reasoning_tokens"),
        cached_inside=True,
    )


def _contents(output: Any) -> tuple[list[str], list[str]]:
    texts: list[str] = []
    refusals: list[str] = []
    parts = [
        part
        for item in tables(output)
        if item.get("type") == "message"
        for part in tables(item.get("content"))
    ]
    for part in parts:
        if part.get("type") == "output_text":
            texts.append(words(part.get("text")))
        elif part.get("type") == "refusal":
            refusals.append(words(part.get("refusal")))
    return texts, refusals


def _raw_finish(payload: Json) -> str:
    why = table(payload.get("incomplete_details"))
    return label(why.get("reason") or payload.get("status"))


def _finish(payload: Json) -> Finish:
    if payload.get("status") == "completed":
        return Finish.COMPLETE
    return _INCOMPLETE.get(_raw_finish(payload), Finish.ERROR)


def _failed(error: Any, headers: Headers) -> Failure:
    """``{"code", "message"}`` in a response that came with status 200."""
    said = error if isinstance(error, dict) else {}
    code, message = str(said.get("code") or "server_error"), str(said.get("message") or "")
    return classify(200, Said(message=message, code=code), headers)
