# SPDX-License-Identifier: Apache-2.0
"""Gemini, as Google AI Studio speaks it."""

from typing import Any
from urllib.parse import quote

import jiter

from server.forecasting.forecast import AbsentReason, TokenUsage
from server.llm.completion import ChatRequest, Completion, Finish, count, usage_from
from server.llm.failures import Failure, Parameter
from server.llm.flavours import Flavour
from server.llm.wire.errors import Said, classify
from server.llm.wire.format import Json, merged
from server.llm.wire.headers import Headers, RateLimits, duration_s
from server.llm.wire.shapes import label, table, tables, words

_REFUSED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR")
_FINISH = {
    "STOP": Finish.COMPLETE,
    "MAX_TOKENS": Finish.TRUNCATED,
    **dict.fromkeys(_REFUSED, Finish.REFUSED),
}


class Gemini:
    """``POST {base}/v1beta/models/{model}:generateContent``."""

    probe_path = "/v1beta/models?pageSize=1"
    lacks = frozenset({"schema_mode"})

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def path(self, request: ChatRequest) -> str:
        """The model is part of the path, and so is whether to stream. The key never is."""
        verb = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        return f"/v1beta/models/{quote(request.model.removeprefix('models/'), safe=':')}:{verb}"

    def headers(self, key: str) -> list[tuple[bytes, bytes]]:
        """The key."""
        return [(b"x-goog-api-key", key.encode())] if key else []

    def body(self, request: ChatRequest, without: frozenset[Parameter]) -> Json:
        """Contents and the generation's configuration."""
        config: Json = {}
        if Parameter.MAX_TOKENS not in without:
            config["maxOutputTokens"] = request.max_output_tokens
        if request.schema is not None and Parameter.SCHEMA not in without:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.schema.schema}
        if request.temperature is not None and Parameter.TEMPERATURE not in without:
            config["temperature"] = request.temperature
        if request.seed is not None and Parameter.SEED not in without:
            config["seed"] = request.seed
        if request.effort is not None and Parameter.EFFORT not in without:
            config["thinkingConfig"] = _thinking(request.effort)
        body = {
            "systemInstruction": {"parts": [{"text": request.system}]},
            "contents": [{"role": "user", "parts": [{"text": request.user}]}],
            "generationConfig": config,
        }
        return merged(body, request.extra)

    def is_capped(self, without: frozenset[Parameter]) -> bool:
        """Unless the model refuses the cap."""
        return Parameter.MAX_TOKENS not in without

    def completion(self, payload: Json, headers: Headers) -> Completion | Failure:
        """The parts of the first candidate that are no thoughts."""
        if payload.get("error"):
            return self.failure(200, payload, headers)
        candidates = tables(payload.get("candidates"))
        if not candidates:
            return self._blocked(payload)
        candidate = candidates[0]
        return self._completion(payload, part_text(candidate), label(candidate.get("finishReason")))

    def _completion(self, payload: Json, text: str, finish: str) -> Completion:
        usage = payload.get("usageMetadata")
        return Completion(
            text=text,
            finish=_FINISH.get(finish, Finish.ERROR),
            raw_finish=finish,
            model=label(payload.get("modelVersion") or ""),
            response_id=label(payload.get("responseId") or ""),
            usage=gemini_usage(usage) if isinstance(usage, dict) else None,
        )

    def _blocked(self, payload: Json) -> Completion | Failure:
        reason = table(payload.get("promptFeedback")).get("blockReason")
        if reason is None:
            return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, "the answer has no candidates", billed=True)
        return Failure(AbsentReason.PROVIDER_REFUSED, f"the prompt was blocked ({label(reason)})")

    def reader(self) -> "GeminiReader":
        """For one stream."""
        return GeminiReader(self)

    def failure(self, status: int, payload: Any, headers: Headers) -> Failure:
        """``{"error": {"code", "message", "status", "details"}}``, at times in a list of one."""
        body = payload[0] if isinstance(payload, list) and payload else payload
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return classify(status, Said(message=body if isinstance(body, str) else ""), headers)
        code = error.get("code")
        said = _said(error)
        if status == 200 and type(code) is int:
            status = code
        return classify(401 if said.code == "API_KEY_INVALID" else status, said, headers)

    def limits(self, headers: Headers) -> RateLimits | None:
        """Gemini sends none."""
        return None

    def streamed(self, reader: "GeminiReader") -> Completion | Failure:
        """What a stream amounted to."""
        if reader.blocked:
            return self._blocked(reader.last)
        return self._completion(reader.last, reader.text, reader.finish)


class GeminiReader:
    """Whole responses, each with a piece of the text. Nothing marks the end but the finish reason."""

    def __init__(self, wire: Gemini) -> None:
        self._wire = wire
        self._error: Any = None
        self.text = ""
        self.finish = ""
        self.finished = False
        self.blocked = False
        self.bad_chunks = 0
        #: Model, usage and feedback as last seen.
        self.last: Json = {}

    def feed(self, event: str, data: str) -> bool:
        """One event. What is not JSON is counted and skipped."""
        try:
            body = jiter.from_json(data.encode())
        except ValueError:
            self.bad_chunks += 1
            return False
        if isinstance(body, list) and body:
            body = body[0]
        if not isinstance(body, dict):
            return False
        if body.get("error"):
            self._error, self.finished = body, True
            return False
        return self._response(body)

    def _response(self, body: Json) -> bool:
        self.last |= body
        candidates = tables(body.get("candidates"))
        if not candidates:
            self.blocked = self.blocked or "promptFeedback" in body
            return False
        piece = part_text(candidates[0])
        self.text += piece
        self.finish = label(candidates[0].get("finishReason") or self.finish)
        return bool(piece)

    def result(self, headers: Headers) -> Completion | Failure:
        """Complete only with a finish reason: a cut stream looks like one that ended."""
        if self._error is not None:
            return self._wire.failure(200, self._error, headers)
        if not self.finish and not self.blocked:
            return Failure(
                AbsentReason.PROVIDER_CONNECTION_FAILED, "the stream was cut before its end", billed=True
            )
        return self._wire.streamed(self)

    def seen(self) -> Completion:
        """The text so far."""
        made = self._wire.streamed(self)
        return made if isinstance(made, Completion) else Completion(self.text, Finish.ERROR)


def gemini_usage(usage: Json) -> TokenUsage | None:
    """Buckets: cached tokens inside the prompt, tool results and thoughts outside."""
    prompt, answer = usage.get("promptTokenCount"), usage.get("candidatesTokenCount", 0)
    thoughts, tools = count(usage.get("thoughtsTokenCount")), count(usage.get("toolUsePromptTokenCount"))
    if type(prompt) is not int or type(answer) is not int or answer < 0:
        return None
    return usage_from(
        prompt=prompt + tools,
        cached=usage.get("cachedContentTokenCount"),
        written=None,
        output=answer + thoughts,
        reasoning=thoughts,
        cached_inside=True,
    )


def part_text(candidate: Json) -> str:
    """Text of a candidate without its thoughts."""
    parts = tables(table(candidate.get("content")).get("parts"))
    return "".join(words(part.get("text")) for part in parts if not part.get("thought"))


def _thinking(effort: str) -> Json:
    """A level by name, or a budget in tokens (0 switches thinking off)."""
    if effort in ("none", "off"):
        return {"thinkingBudget": 0}
    return {"thinkingBudget": int(effort)} if effort.isdigit() else {"thinkingLevel": effort.upper()}


def _said(error: Json) -> Said:
    kind, code, wait_s, billing = str(error.get("status") or ""), "", None, False
    for detail in tables(error.get("details")):
        if "retryDelay" in detail:
            wait_s = duration_s(str(detail["retryDelay"]))
        code = str(detail.get("reason") or code)
        violations = tables(detail.get("violations"))
        billing = billing or any("PerDay" in str(violation.get("quotaId")) for violation in violations)
    return Said(str(error.get("message") or ""), kind, code, wait_s=wait_s, billing=billing)
