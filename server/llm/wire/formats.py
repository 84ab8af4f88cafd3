# SPDX-License-Identifier: Apache-2.0
"""The adapter for each wire format."""

from server.llm.flavours import Flavour
from server.llm.settings import Format
from server.llm.wire.format import WireFormat
from server.llm.wire.openai_chat import OpenAIChat


def make_wire(name: Format, flavour: Flavour) -> WireFormat:
    """The adapter of this name."""
    return {Format.OPENAI_CHAT: OpenAIChat}[name](flavour)
