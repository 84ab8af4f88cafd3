# SPDX-License-Identifier: Apache-2.0
"""The official SDK talks to the simulator without noticing."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from server.simulator.server import Simulator
from tests.simulator.conftest import plain_client

MESSAGES: Any = [{"role": "user", "content": "Will it rain?"}]
SCHEMA: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "forecast",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"rationale": {"type": "string"}, "probability": {"type": "number"}},
            "required": ["rationale", "probability"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    url = f"{simulator.url}/openai/v1"
    async with openai.AsyncOpenAI(
        base_url=url, api_key="sk-test", max_retries=0, http_client=plain_client()
    ) as made:
        yield made


async def test_structured_answer(client: openai.AsyncOpenAI, simulator: Simulator) -> None:
    answer = await client.chat.completions.create(
        model="sim-p0.73-cached50-reason10", messages=MESSAGES, response_format=SCHEMA
    )
    assert json.loads(answer.choices[0].message.content or "")["probability"] == 0.73
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 10
    (entry,) = simulator.service.ledger.entries()
    assert entry.usage.prompt == answer.usage.prompt_tokens
    assert entry.usage.output == answer.usage.completion_tokens
    assert entry.billed_nano_usd == (
        entry.usage.input_uncached * 1_000 + entry.usage.cache_read * 100 + entry.usage.output * 4_000
    )


async def test_stream_gives_the_same_text_and_usage(client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="sim-p0.2", messages=MESSAGES, response_format=SCHEMA)
    stream = await client.chat.completions.create(
        model="sim-p0.2",
        messages=MESSAGES,
        response_format=SCHEMA,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert (
        json.loads(text)["probability"] == json.loads(whole.choices[0].message.content or "")["probability"]
    )
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].usage == whole.usage


async def test_stream_has_no_usage_unless_asked(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="sim-fast", messages=MESSAGES, stream=True)
    assert all(chunk.usage is None for chunk in [chunk async for chunk in stream])


async def test_refusal(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="sim-refuse", messages=MESSAGES)
    assert answer.choices[0].message.refusal
    assert answer.choices[0].message.content is None


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("sim-400", openai.BadRequestError, None),
        ("sim-401", openai.AuthenticationError, "invalid_api_key"),
        ("sim-403", openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ("sim-404", openai.NotFoundError, "model_not_found"),
        ("sim-422", openai.UnprocessableEntityError, None),
        ("sim-429", openai.RateLimitError, "rate_limit_exceeded"),
        ("sim-429quota", openai.RateLimitError, "insufficient_quota"),
        ("sim-500", openai.InternalServerError, None),
        ("sim-503", openai.InternalServerError, None),
        ("sim-context", openai.BadRequestError, "context_length_exceeded"),
        ("sim-filter", openai.BadRequestError, "content_filter"),
        ("sim-nonsense", openai.NotFoundError, "model_not_found"),
    ],
)
async def test_errors_are_the_sdks_own(
    client: openai.AsyncOpenAI, model: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model=model, messages=MESSAGES)
    assert caught.value.code == code


async def test_retry_after(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="sim-429-wait250ms", messages=MESSAGES)
    assert caught.value.response.headers["retry-after-ms"] == "250"


async def test_rejected_parameter_is_named(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="sim-notemperature", messages=MESSAGES, temperature=0.0)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "temperature")
    await client.chat.completions.create(model="sim-notemperature", messages=MESSAGES)


@pytest.mark.parametrize("model", ["sim-reset", "sim-cut"])
async def test_broken_connections(client: openai.AsyncOpenAI, model: str) -> None:
    with pytest.raises(openai.APIConnectionError):
        await client.chat.completions.create(model=model, messages=MESSAGES)


@pytest.mark.parametrize("model", ["sim-hang", "sim-stall", "sim-slowstart"])
async def test_silences(client: openai.AsyncOpenAI, model: str, simulator: Simulator) -> None:
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model=model, messages=MESSAGES, timeout=0.2)


async def test_error_in_the_middle_of_a_stream(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="sim-streamerror", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError):
        _ = [chunk async for chunk in stream]


async def test_rate_limit_by_the_minute(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="sim-rpm2", messages=MESSAGES)
    assert raw.headers["x-ratelimit-limit-requests"] == "2"
    assert raw.headers["x-ratelimit-remaining-requests"] == "1"
    await client.chat.completions.create(model="sim-rpm2", messages=MESSAGES)
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(model="sim-rpm2", messages=MESSAGES)
