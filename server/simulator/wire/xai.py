# SPDX-License-Identifier: Apache-2.0
"""xAI: OpenAI's two formats, with money in ticks and reasoning outside the completion tokens."""

from server.simulator.wire.exchange import Ask, Json, Reply
from server.simulator.wire.openai_chat import OpenAIChat, chat_usage
from server.simulator.wire.openai_responses import OpenAIResponses, responses_usage


def _ticks(nano_usd: int) -> Json:
    """One US dollar is ten to the tenth ticks."""
    return {"cost_in_usd_ticks": nano_usd * 10}


class XAIChat(OpenAIChat):
    """``POST /chat/completions``, marked as deprecated by xAI."""

    name = "xai_chat"
    paths: tuple[str, ...] = ("/xai/v1/chat/completions",)

    def _usage(self, ask: Ask, reply: Reply) -> Json:
        if reply.usage is None:
            return {"usage": None} if reply.null_usage else {}
        usage = chat_usage(reply.usage) | _ticks(reply.nano_usd)
        usage["completion_tokens"] -= reply.usage.reasoning
        return {"usage": usage}


class XAIResponses(OpenAIResponses):
    """``POST /responses``."""

    name = "xai_responses"
    paths: tuple[str, ...] = ("/xai/v1/responses",)

    def _usage(self, ask: Ask, reply: Reply) -> Json:
        if reply.usage is None:
            return {"usage": None} if reply.null_usage else {}
        return {"usage": responses_usage(reply.usage) | _ticks(reply.nano_usd)}
