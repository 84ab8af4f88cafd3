# SPDX-License-Identifier: Apache-2.0
"""Every wire format: how our settings name it, and where the simulator speaks it."""

from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class WireCase:
    name: str
    format: str
    path: str
    flavour: str

    def provider(self, url: str, **more: Any) -> dict[str, Any]:
        return {"format": self.format, "base_url": url + self.path, "flavour": self.flavour, **more}


WIRES = [
    WireCase("openai_chat", "openai_chat", "/openai/v1", "openai"),
    WireCase("openai_responses", "openai_responses", "/openai/v1", "openai"),
    WireCase("anthropic", "anthropic_messages", "/anthropic", "anthropic"),
    WireCase("gemini", "gemini", "/gemini", "gemini"),
    WireCase("xai_responses", "openai_responses", "/xai/v1", "xai"),
    WireCase("xai_chat", "openai_chat", "/xai/v1", "xai"),
    WireCase("openrouter", "openai_chat", "/openrouter/api/v1", "openrouter"),
    WireCase("local", "openai_chat", "/local/v1", "local"),
]
each_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
each_mode = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
