# SPDX-License-Identifier: Apache-2.0
"""One real question to each provider whose key is set. Costs a fraction of a cent."""

import os

import pytest

from server.forecasting.forecast import Forecast
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings
from tests.llm.conftest import QUERY, deadline

PROVIDERS = [
    ("OPENAI_API_KEY", "openai_responses", "https://api.openai.com/v1", "gpt-4.1-nano"),
    ("OPENAI_API_KEY", "openai_chat", "https://api.openai.com/v1", "gpt-4.1-nano"),
    ("ANTHROPIC_API_KEY", "anthropic_messages", "https://api.anthropic.com", "claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini", "https://generativelanguage.googleapis.com", "gemini-2.5-flash-lite"),
    ("XAI_API_KEY", "openai_responses", "https://api.x.ai/v1", "grok-4-fast-non-reasoning"),
    ("OPENROUTER_API_KEY", "openai_chat", "https://openrouter.ai/api/v1", "openai/gpt-4.1-nano"),
]


@pytest.mark.live
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("name", "form", "address", "model"), PROVIDERS)
async def test_a_real_provider(name: str, form: str, address: str, model: str, stream: bool) -> None:
    if name not in os.environ:
        pytest.skip(f"{name} is not set")
    settings = ProviderSettings.model_validate({"format": form, "base_url": address, "key": f"env:{name}"})
    chat = ChatSettings(provider="p", model=model, stream=stream)
    room = LanguageModels({"p": settings}, {"m": chat})
    answer = await room.forecasters["m"].forecast(QUERY, deadline(30.0))
    await room.close()
    assert isinstance(answer, Forecast), answer
    assert answer.usage is not None
    assert not answer.usage.estimated
