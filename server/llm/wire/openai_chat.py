# SPDX-License-Identifier: Apache-2.0
"""OpenAI Chat Completions, and everybody who speaks it: OpenRouter, xAI, local servers."""

from typing import Any

import jiter

from server.forecasting.forecast import AbsentReason, TokenUsage
from server.llm.completion import ChatRequest, Completion, Finish, usage_from
from server.llm.failures import Failure, Parameter
from server.llm.flavours import Flavour
from server.llm.wire.errors import Said, classify
from server.llm.wire.format import Json, merged
from server.llm.wire.headers import Headers, RateLimits, openai_limits
from server.llm.wire.shapes import label, table, tables, words

_FINISH = {
    "stop": Finish.COMPLETE,
    "length": Finish.TRUNCATED,
    "content_filter": Finish.REFUSED,
}


class OpenAIChat:
    """``POST {base}/chat/completions``."""

    probe_path = "/models"
    lacks = frozenset({"schema_mode"})

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def path(self, request: ChatRequest) -> str:
        """The one path."""
        return "/chat/completions"

    def headers(self, key: str) -> list[tuple[bytes, bytes]]:
        """A bearer token."""
        return [(b"authorization", b"Bearer " + key.encode())] if key else []

    def body(self, request: ChatRequest, without: frozenset[Parameter]) -> Json:
        """Messages and everything optional that the model takes."""
        body: Json = {
            "model": request.model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
        }
        if request.schema is not None and Parameter.SCHEMA not in without:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": request.schema.name, "strict": True, "schema": request.schema.schema},
            }
        self._add_optional(body, request, without)
        return merged(merged(body, self._flavour.body), request.extra)

    def _add_optional(self, body: Json, request: ChatRequest, without: frozenset[Parameter]) -> None:
        flavour = self._flavour
        # A model that refuses one name of the cap is given the other.
        refused = Parameter.MAX_TOKENS in without
        body[flavour.other_max_tokens_field if refused else flavour.max_tokens_field] = (
            request.max_output_tokens
        )
        if request.temperature is not None and Parameter.TEMPERATURE not in without:
            body["temperature"] = request.temperature
        if request.seed is not None and Parameter.SEED not in without:
            body["seed"] = request.seed
        if request.effort is not None and Parameter.EFFORT not in without:
            body |= flavour.effort(request.effort)
        if request.stream:
            body["stream"] = True
            if Parameter.STREAM_OPTIONS not in without:
                body["stream_options"] = dict(flavour.stream_options)

    def is_capped(self, without: frozenset[Parameter]) -> bool:
        """Always, by one name or the other."""
        return True

    def completion(self, payload: Json, headers: Headers) -> Completion | Failure:
        """The first choice."""
        if payload.get("error"):
            return self.failure(_status(payload), payload, headers)
        choices = tables(payload.get("choices"))
        if not choices:
            return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, "the answer has no choices", billed=True)
        choice = choices[0]
        if choice.get("error"):
            return self.failure(_status(choice), choice, headers)
        message = table(choice.get("message"))
        return self._completion(
            payload, _said(message.get("content")), words(message.get("refusal")), choice.get("finish_reason")
        )

    def _completion(self, payload: Json, text: str, refusal: str, finish: object) -> Completion:
        usage = payload.get("usage")
        return Completion(
            text=refusal or text,
            finish=Finish.REFUSED if refusal else _FINISH.get(str(finish), Finish.ERROR),
            raw_finish="refusal" if refusal else label(finish),
            model=label(payload.get("model") or ""),
            response_id=label(payload.get("id") or ""),
            usage=chat_usage(usage) if isinstance(usage, dict) else None,
            reported_nano_usd=self._flavour.reported_cost(usage) if isinstance(usage, dict) else None,
        )

    def reader(self) -> "ChatReader":
        """For one stream."""
        return ChatReader(self)

    def failure(self, status: int, payload: Any, headers: Headers) -> Failure:
        """``{"error": {"message", "type", "param", "code"}}``."""
        error = payload.get("error", payload) if isinstance(payload, dict) else payload
        return classify(status, openai_error(error), headers)

    def limits(self, headers: Headers) -> RateLimits | None:
        """``x-ratelimit-*``."""
        return openai_limits(headers)

    def streamed(self, reader: "ChatReader", finish: object) -> Completion:
        """What a stream amounted to."""
        return self._completion(reader.last, reader.text, reader.refusal, finish)


class ChatReader:
    """``chat.completion.chunk`` events until ``[DONE]``."""

    def __init__(self, wire: OpenAIChat) -> None:
        self._wire = wire
        self._error: Json | None = None
        self._finish: object = None
        self.finished = False
        self.text = ""
        self.refusal = ""
        self.bad_chunks = 0
        #: Model, id and usage as last seen.
        self.last: Json = {}

    def feed(self, event: str, data: str) -> bool:
        """One event. What is not JSON is counted and skipped."""
        if data == "[DONE]":
            self.finished = True
            return False
        try:
            chunk = jiter.from_json(data.encode())
        except ValueError:
            self.bad_chunks += 1
            return False
        return self._chunk(chunk) if isinstance(chunk, dict) else False

    def _chunk(self, chunk: Json) -> bool:
        if chunk.get("error"):
            self._error, self.finished = chunk, True
            return False
        self.last |= {name: chunk[name] for name in ("model", "id", "usage") if chunk.get(name) is not None}
        choices = tables(chunk.get("choices"))
        return self._choice(choices[0]) if choices else False

    def _choice(self, choice: Json) -> bool:
        delta = table(choice.get("delta"))
        text, refusal = _said(delta.get("content")), words(delta.get("refusal"))
        self.text += text
        self.refusal += refusal
        if choice.get("finish_reason"):
            self._finish = choice["finish_reason"]
        return bool(text or refusal)

    def result(self, headers: Headers) -> Completion | Failure:
        """Complete only if the model said why it stopped: a cut stream is no answer."""
        if self._error is not None:
            return self._wire.failure(_status(self._error), self._error, headers)
        if self._finish is None:
            return Failure(
                AbsentReason.PROVIDER_CONNECTION_FAILED, "the stream was cut before its end", billed=True
            )
        return self.seen()

    def seen(self) -> Completion:
        """The text so far."""
        return self._wire.streamed(self, self._finish)


def chat_usage(usage: Json) -> TokenUsage | None:
    """Buckets from ``prompt_tokens`` and ``completion_tokens``.

    Where the total is more than both, the difference is reasoning that was
    left out of the output (seen at xAI).
    """
    inside, outside = table(usage.get("prompt_tokens_details")), table(usage.get("completion_tokens_details"))
    prompt, output, total = (
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        usage.get("total_tokens"),
    )
    if type(prompt) is int and type(output) is int and type(total) is int and total > prompt + output >= 0:
        output = total - prompt
    return usage_from(
        prompt=prompt,
        cached=inside.get("cached_tokens"),
        written=inside.get("cache_write_tokens"),
        output=output,
        reasoning=outside.get("reasoning_tokens"),
        cached_inside=True,
    )


def _said(content: Any) -> str:
    """A message's text. Some servers give it in parts, thoughts among them, as requests may."""
    if isinstance(content, list):
        return "".join(words(part.get("text")) for part in tables(content) if part.get("type") == "text")
    return words(content)


def openai_error(error: Any) -> Said:
    """An OpenAI-like error object in its parts."""
    if not isinstance(error, dict):
        return Said(message=error if isinstance(error, str) else "")
    message, code, kind = str(error.get("message") or ""), error.get("code"), str(error.get("type") or "")
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        # OpenRouter puts the upstream's own words there, and its moderation's reasons.
        message += f" ({metadata['raw']})" if isinstance(metadata.get("raw"), str) else ""
        kind = "content_filter" if metadata.get("reasons") or metadata.get("flagged_input") else kind
    return Said(
        message=message,
        kind=kind,
        code=code if isinstance(code, str) else "",
        parameter=str(error.get("param") or ""),
    )


def _status(payload: Json) -> int:
    """Status of an error that came with HTTP 200: its code, where that is a number."""
    error = payload.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 400 <= code < 600 else 200
