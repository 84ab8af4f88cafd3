# SPDX-License-Identifier: Apache-2.0
"""OpenRouter: Chat Completions with costs, comments and errors of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.simulator.faults import Fault, status_of
from server.simulator.wire.exchange import Ask, ErrorBody, Frames, Json, Limits, Reply, data
from server.simulator.wire.openai_chat import WAITS, OpenAIChat, chat_usage

#: No money is 402 here, and moderation 403.
_STATUS = {Fault.QUOTA: 402, Fault.CONTENT_FILTER: 403}
_METADATA: dict[Fault, Json] = {
    Fault.IN_FLIGHT_BUDGET: {"limit_source": "openrouter_in_flight_budget"},
    Fault.QUOTA: {},
    Fault.CONTENT_FILTER: {"reasons": ["violence"], "flagged_input": "...", "provider_name": "Simulator"},
}
_NO_ENDPOINTS = (
    "No endpoints found that can handle the requested parameters. To learn more about provider routing, "
    "visit: https://openrouter.ai/docs/provider-routing"
)
_PROCESSING = b": OPENROUTER PROCESSING\n\n"


class OpenRouter(OpenAIChat):
    """``POST /api/v1/chat/completions``."""

    name = "openrouter"
    paths: tuple[str, ...] = ("/openrouter/api/v1/chat/completions",)

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """Effort by its own name."""
        ask = super().read(body, path, headers)
        effort = {"effort"} if body.get("reasoning") is not None else set()
        return replace(ask, parameters=ask.parameters | effort)

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """With the upstream's name and its own finish reason."""
        body = super().answer(ask, reply)
        choice: dict[str, Any] = body["choices"][0]
        choice["native_finish_reason"] = choice["finish_reason"]
        return body

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """A comment first, usage always."""
        # It reports usage whether or not it is asked to.
        made = super().frames(replace(ask, include_usage=True), reply)
        return Frames((_PROCESSING, *made.head), made.text, made.tail, made.end)

    def ping(self) -> bytes:
        """A comment."""
        return _PROCESSING

    def stream_error(self) -> bytes:
        """An error beside a choice that finished with one."""
        error = {"code": 502, "message": "Provider disconnected"}
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        return data(
            {"id": "gen-error", "object": "chat.completion.chunk", "error": error, "choices": [choice]}
        )

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """``code`` is the status; some faults carry metadata.

        A parameter that no upstream takes is a 404 that does not name it, as with
        ``provider.require_parameters``; all upstreams take the cap by one name or the other.
        """
        if fault is Fault.BAD_REQUEST and parameter and parameter != "maxtokens":
            return ErrorBody(404, {"error": {"code": 404, "message": _NO_ENDPOINTS}}, {})
        said = super().error(fault, message, parameter, wait_s).body["error"]
        status = _STATUS.get(fault, status_of(fault))
        metadata: Json = _METADATA.get(fault, {"provider_name": "Simulator"})
        if said["code"] and fault not in _METADATA:
            metadata = metadata | {"raw": said["code"]}
        error = {"code": status, "message": said["message"], "metadata": metadata}
        headers = {"retry-after": f"{max(1, round(wait_s))}"} if fault in WAITS else {}
        return ErrorBody(status, {"error": error, "user_id": "user_simulated"}, headers)

    def headers(self, reply_id: str, limits: Limits | None) -> dict[str, str]:
        """The id under which the cost can be looked up later."""
        return {"X-Generation-Id": f"gen-{reply_id}"}

    def _envelope(self, kind: str, reply: Reply) -> Json:
        return super()._envelope(kind, reply) | {"id": f"gen-{reply.id}", "provider": "Simulator"}

    def _usage(self, ask: Ask, reply: Reply) -> Json:
        if reply.usage is None:
            return {"usage": None} if reply.null_usage else {}
        usd = reply.nano_usd / 1e9
        costs = {"cost": usd, "cost_details": {"upstream_inference_cost": usd}, "is_byok": False}
        return {"usage": chat_usage(reply.usage) | costs}
