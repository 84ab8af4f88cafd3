# SPDX-License-Identifier: Apache-2.0
"""The adapter for each wire format."""

from collections.abc import Callable, Mapping

from server.llm.flavours import Flavour
from server.llm.settings import Format
from server.llm.wire.anthropic_messages import AnthropicMessages
from server.llm.wire.format import WireFormat
from server.llm.wire.gemini import Gemini
from server.llm.wire.openai_chat import OpenAIChat
from server.llm.wire.openai_responses import OpenAIResponses

_ADAPTERS: Mapping[Format, Callable[[Flavour], WireFormat]] = {
    Format.OPENAI_CHAT: OpenAIChat,
    Format.OPENAI_RESPONSES: OpenAIResponses,
    Format.ANTHROPIC_MESSAGES: AnthropicMessages,
    Format.GEMINI: Gemini,
}


def make_wire(name: Format, flavour: Flavour) -> WireFormat:
    """The adapter of this name."""
    return _ADAPTERS[name](flavour)
