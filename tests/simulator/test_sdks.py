# SPDX-License-Identifier: Apache-2.0
"""The vendors' official SDKs talk to the simulator without noticing, in every format."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as gemini_errors
from google.genai import types as gemini_types

from server.simulator.ledger import Entry
from server.simulator.server import Simulator
from tests.simulator.conftest import PLAIN, plain_client

pytestmark = pytest.mark.filterwarnings(
    # google-genai derives from aiohttp's session, which aiohttp discourages.
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"rationale": {"type": "string"}, "probability": {"type": "number"}},
    "required": ["rationale", "probability"],
    "additionalProperties": False,
}
QUESTION = "Will it rain?"


@dataclass
class Got:
    """What an SDK made of an answer: text, why it ended, and tokens (prompt with cached ones, output)."""

    text: str
    finish: str
    prompt: int
    output: int
    model: str


class OpenAIResponsesSDK:
    path = "/openai/v1"
    error = openai.APIStatusError

    @asynccontextmanager
    async def client(self, url: str) -> AsyncIterator[Any]:
        async with openai.AsyncOpenAI(
            base_url=url + self.path, api_key="sk-test", max_retries=0, http_client=plain_client()
        ) as made:
            yield made

    def _arguments(self, model: str) -> dict[str, Any]:
        wanted = {"type": "json_schema", "name": "forecast", "schema": SCHEMA, "strict": True}
        return {"model": model, "input": QUESTION, "text": {"format": wanted}, "store": False}

    async def ask(self, client: Any, model: str) -> Got:
        return self._got(await client.responses.create(**self._arguments(model)))

    async def stream(self, client: Any, model: str) -> Got:
        text, last = "", None
        async for event in await client.responses.create(**self._arguments(model), stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type in ("response.completed", "response.incomplete"):
                last = event.response
        assert last is not None
        assert last.output_text == text
        return self._got(last)

    def _got(self, made: Any) -> Got:
        return Got(
            made.output_text, made.status, made.usage.input_tokens, made.usage.output_tokens, made.model
        )

    def status(self, error: Any) -> int:
        return int(error.status_code)


class XAIResponsesSDK(OpenAIResponsesSDK):
    path = "/xai/v1"


class OpenRouterSDK(OpenAIResponsesSDK):
    path = "/openrouter/api/v1"

    def _arguments(self, model: str) -> dict[str, Any]:
        wanted = {"type": "json_schema", "json_schema": {"name": "f", "schema": SCHEMA, "strict": True}}
        messages = [{"role": "user", "content": QUESTION}]
        return {"model": model, "messages": messages, "response_format": wanted}

    async def ask(self, client: Any, model: str) -> Got:
        made = await client.chat.completions.create(**self._arguments(model))
        return Got(
            made.choices[0].message.content,
            made.choices[0].finish_reason,
            made.usage.prompt_tokens,
            made.usage.total_tokens - made.usage.prompt_tokens,
            made.model,
        )

    async def stream(self, client: Any, model: str) -> Got:
        stream = await client.chat.completions.create(
            **self._arguments(model), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        (finish,) = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
        usage = chunks[-1].usage
        return Got(
            text, finish, usage.prompt_tokens, usage.total_tokens - usage.prompt_tokens, chunks[0].model
        )


class OpenAIChatSDK(OpenRouterSDK):
    path = "/openai/v1"


class XAIChatSDK(OpenRouterSDK):
    path = "/xai/v1"


class AnthropicSDK:
    error = anthropic.APIStatusError

    @asynccontextmanager
    async def client(self, url: str) -> AsyncIterator[Any]:
        async with anthropic.AsyncAnthropic(
            base_url=f"{url}/anthropic", api_key="sk-ant", max_retries=0
        ) as made:
            yield made

    def _arguments(self, model: str) -> dict[str, Any]:
        return {
            "model": model,
            "max_tokens": 512,
            "messages": [{"role": "user", "content": QUESTION}],
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        }

    async def ask(self, client: Any, model: str) -> Got:
        return self._got(await client.messages.create(**self._arguments(model)))

    async def stream(self, client: Any, model: str) -> Got:
        async with client.messages.stream(**self._arguments(model)) as stream:
            return self._got(await stream.get_final_message())

    def _got(self, made: Any) -> Got:
        usage = made.usage
        prompt = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
        text = "".join(block.text for block in made.content if block.type == "text")
        return Got(text, made.stop_reason, prompt, usage.output_tokens, made.model)

    def status(self, error: Any) -> int:
        return int(error.status_code)


class GeminiSDK:
    error = gemini_errors.APIError

    @asynccontextmanager
    async def client(self, url: str) -> AsyncIterator[Any]:
        plain = {"verify": PLAIN}
        options = gemini_types.HttpOptions(
            base_url=f"{url}/gemini", client_args=plain, async_client_args=plain | {"ssl": PLAIN}
        )
        made = genai.Client(api_key="AIza-test", http_options=options)
        yield made
        await made.aio.aclose()
        made.close()

    def _arguments(self, model: str) -> dict[str, Any]:
        config = gemini_types.GenerateContentConfig(
            response_mime_type="application/json", response_json_schema=SCHEMA, max_output_tokens=512
        )
        return {"model": model, "contents": QUESTION, "config": config}

    async def ask(self, client: Any, model: str) -> Got:
        made = await client.aio.models.generate_content(**self._arguments(model))
        return self._got(made, made.text)

    async def stream(self, client: Any, model: str) -> Got:
        text, last = "", None
        async for last in await client.aio.models.generate_content_stream(**self._arguments(model)):
            text += last.text or ""
        return self._got(last, text)

    def _got(self, made: Any, text: str) -> Got:
        usage = made.usage_metadata
        output = usage.total_token_count - usage.prompt_token_count
        finish = made.candidates[0].finish_reason.value
        return Got(text, finish, usage.prompt_token_count, output, made.model_version)

    def status(self, error: Any) -> int:
        return int(error.code)


SDKS = [
    OpenAIChatSDK(),
    OpenAIResponsesSDK(),
    AnthropicSDK(),
    GeminiSDK(),
    XAIResponsesSDK(),
    XAIChatSDK(),
    OpenRouterSDK(),
]
FINISHED = {"stop", "completed", "end_turn", "STOP"}
CUT = {"length", "incomplete", "max_tokens", "MAX_TOKENS"}
each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: type(sdk).__name__)


def billed(simulator: Simulator) -> Entry:
    return simulator.service.ledger.entries()[-1]


@each_sdk
async def test_answers_and_their_usage(simulator: Simulator, sdk: Any) -> None:
    model = "sim-p0.73-cached50-reason10-written10"
    async with sdk.client(simulator.url) as client:
        whole = await sdk.ask(client, model)
        usage = billed(simulator).usage
        streamed = await sdk.stream(client, model)
    assert json.loads(whole.text)["probability"] == 0.73
    assert whole.finish in FINISHED
    assert (whole.prompt, whole.output, whole.model) == (usage.prompt, usage.output, model)
    assert streamed == whole


@each_sdk
async def test_cut_answers_say_so(simulator: Simulator, sdk: Any) -> None:
    async with sdk.client(simulator.url) as client:
        assert (await sdk.ask(client, "sim-truncated")).finish in CUT
        assert (await sdk.stream(client, "sim-truncated")).finish in CUT


FAULTS = (
    *("400", "401", "402", "403", "404", "408", "413", "422", "429", "429bare", "429quota"),
    *("500", "502", "503", "504", "529", "context"),
)


@each_sdk
async def test_errors_are_the_sdks_own(simulator: Simulator, sdk: Any, subtests: pytest.Subtests) -> None:
    async with sdk.client(simulator.url) as client:
        for fault in FAULTS:
            with subtests.test(fault):
                with pytest.raises(sdk.error) as caught:
                    await sdk.ask(client, f"sim-{fault}")
                assert sdk.status(caught.value) == expected_status(sdk, fault)
                assert caught.value.message


def expected_status(sdk: Any, fault: str) -> int:
    if isinstance(sdk, GeminiSDK) and fault == "401":
        return 400  # as Google answers to a bad key
    if isinstance(sdk, OpenRouterSDK) and sdk.path.startswith("/openrouter") and fault == "429quota":
        return 402
    return {"429bare": 429, "429quota": 429, "context": 400}.get(fault) or int(fault)


@each_sdk
async def test_errors_in_the_middle_of_a_stream(simulator: Simulator, sdk: Any) -> None:
    async with sdk.client(simulator.url) as client:
        with pytest.raises((openai.APIError, anthropic.APIError, gemini_errors.APIError, AssertionError)):
            await sdk.stream(client, "sim-streamerror")


async def test_anthropic_tool(simulator: Simulator) -> None:
    tool: Any = {"name": "forecast", "input_schema": SCHEMA, "strict": True}
    sdk = AnthropicSDK()
    arguments = sdk._arguments("sim-p0.4") | {
        "tools": [tool],
        "tool_choice": {"type": "tool", "name": "forecast"},
    }
    del arguments["output_config"]
    async with sdk.client(simulator.url) as client:
        whole = await client.messages.create(**arguments)
        async with client.messages.stream(**arguments) as stream:
            streamed = await stream.get_final_message()
    assert whole.stop_reason == "tool_use"
    assert whole.content[0].input["probability"] == 0.4
    assert streamed.content[0].input == whole.content[0].input


async def test_anthropic_refusal(simulator: Simulator) -> None:
    sdk = AnthropicSDK()
    async with sdk.client(simulator.url) as client:
        assert (await sdk.ask(client, "sim-refuse")).finish == "refusal"


@pytest.mark.parametrize("stream", [False, True])
async def test_gemini_blocks(simulator: Simulator, stream: bool) -> None:
    sdk = GeminiSDK()
    async with sdk.client(simulator.url) as client:
        models, arguments = client.aio.models, sdk._arguments("sim-filter")
        if stream:
            (made,) = [part async for part in await models.generate_content_stream(**arguments)]
        else:
            made = await models.generate_content(**arguments)
    assert made.prompt_feedback.block_reason.value == "PROHIBITED_CONTENT"
    assert not made.candidates


async def test_openrouter_reports_money(simulator: Simulator) -> None:
    sdk = OpenRouterSDK()
    async with sdk.client(simulator.url) as client:
        made = await client.chat.completions.create(**sdk._arguments("sim-fast"))
    assert round(made.usage.cost * 1e9) == billed(simulator).billed_nano_usd


async def test_xai_reports_ticks(simulator: Simulator) -> None:
    for sdk in (XAIChatSDK(), XAIResponsesSDK()):
        async with sdk.client(simulator.url) as client:
            create = (
                client.responses.create if "input" in sdk._arguments("x") else client.chat.completions.create
            )
            made = await create(**sdk._arguments("sim-fast-reason5"))
        assert made.usage.cost_in_usd_ticks == 10 * billed(simulator).billed_nano_usd
