# SPDX-License-Identifier: Apache-2.0
"""The official SDKs as oracles: they accept our requests, and read the same out of the same bytes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import jiter
import openai
import pytest
from anthropic.types import Message, message_create_params
from google.genai import types as gemini
from openai.types.chat import ChatCompletion, completion_create_params
from openai.types.responses import Response, response_create_params
from pydantic import TypeAdapter

from server.forecasting.deadline import SystemClock
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, QuestionKind
from server.llm.attempts import AttemptLog
from server.llm.completion import ChatRequest, Completion, Finish
from server.llm.failures import Parameter
from server.llm.flavours import FLAVOURS
from server.llm.provider import Provider
from server.llm.schemas import answer_schema
from server.llm.settings import Format, ProviderSettings
from server.llm.wire.format import WireFormat
from server.llm.wire.formats import make_wire
from server.llm.wire.headers import fold
from server.simulator.server import Simulator
from tests.llm.wires import WIRES, WireCase, each_wire
from tests.simulator.conftest import PLAIN

KINDS: list[QuestionKind] = [Binary(), Exclusive(("a", "b", "c")), Numeric((0.0, 1.0)), FreeText()]
MODEL = "sim-p0.73-cached40-reason9-written10"


@dataclass
class Recorder(httpx2.AsyncBaseTransport):
    """Passes bytes through and keeps them."""

    inner: httpx2.AsyncBaseTransport = field(default_factory=lambda: httpx2.AsyncHTTPTransport(verify=PLAIN))
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.inner.handle_async_request(request)
        self.body = await response.aread()
        await response.aclose()
        self.headers = fold(response.headers.raw)
        return httpx2.Response(
            response.status_code, headers=response.headers, content=self.body, request=request
        )

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    made = Recorder()
    yield made
    await made.aclose()


def wire_of(case: WireCase) -> WireFormat:
    return make_wire(Format(case.format), FLAVOURS[case.flavour])


def request(kind: QuestionKind = KINDS[0], **more: Any) -> ChatRequest:
    schema = answer_schema(kind, numbers_first=False)
    return ChatRequest(MODEL, "You are careful.", "Will it rain? Größe ≈ 数", schema, 300, **more)


def full(kind: QuestionKind, case: WireCase, *, stream: bool) -> ChatRequest:
    effort = {"anthropic_messages": "low", "gemini": "0"}.get(case.format, "low")
    return request(kind, temperature=0.5, seed=7, effort=effort, stream=stream)


@each_wire
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@pytest.mark.parametrize("stream", [False, True])
def test_requests_fit_the_sdks_types(wire: WireCase, kind: QuestionKind, stream: bool) -> None:
    body = wire_of(wire).body(full(kind, wire, stream=stream), frozenset())
    check = {
        "openai_chat": check_chat,
        "openai_responses": check_responses,
        "anthropic_messages": check_messages,
        "gemini": check_gemini,
    }[wire.format]
    check(body, stream)


def check_chat(body: dict[str, Any], stream: bool) -> None:
    params = completion_create_params
    kind = params.CompletionCreateParamsStreaming if stream else params.CompletionCreateParamsNonStreaming
    own = {"provider", "reasoning"}  # OpenRouter's additions
    fits(kind, {name: value for name, value in body.items() if name not in own})


def check_responses(body: dict[str, Any], stream: bool) -> None:
    assert body["store"] is False
    params = response_create_params
    fits(params.ResponseCreateParamsStreaming if stream else params.ResponseCreateParamsNonStreaming, body)


def check_messages(body: dict[str, Any], stream: bool) -> None:
    params = message_create_params
    fits(params.MessageCreateParamsStreaming if stream else params.MessageCreateParamsNonStreaming, body)


def check_gemini(body: dict[str, Any], stream: bool) -> None:
    gemini.GenerationConfig.model_validate(body.pop("generationConfig"))
    gemini.Content.model_validate(body.pop("systemInstruction"))
    (content,) = body.pop("contents")
    gemini.Content.model_validate(content)
    assert body == {}


def fits(params: Any, body: dict[str, Any]) -> None:
    """The SDK's parameters know every field of ours, and accept its value."""
    assert set(body) <= set(params.__annotations__)
    TypeAdapter(params).validate_python(body)


@pytest.mark.parametrize(
    ("wire", "extra", "path", "beside"),
    [
        (
            WIRES[0],
            {"response_format": {"x": 1}},
            ("response_format", "x"),
            ("response_format", "json_schema"),
        ),
        (WIRES[1], {"text": {"verbosity": "low"}}, ("text", "verbosity"), ("text", "format", "strict")),
        (
            WIRES[2],
            {"output_config": {"x": 1}},
            ("output_config", "x"),
            ("output_config", "format", "schema"),
        ),
        (
            WIRES[3],
            {"generationConfig": {"topP": 0.5}},
            ("generationConfig", "topP"),
            ("generationConfig", "responseJsonSchema"),
        ),
        (
            WIRES[6],
            {"provider": {"sort": "latency"}},
            ("provider", "sort"),
            ("provider", "data_collection"),
        ),
    ],
    ids=["chat", "responses", "anthropic", "gemini", "openrouter"],
)
def test_extra_joins_what_is_sent_and_does_not_push_it_out(
    wire: WireCase, extra: dict[str, Any], path: tuple[str, ...], beside: tuple[str, ...]
) -> None:
    plain = wire_of(wire).body(request(), frozenset())
    body = wire_of(wire).body(request(extra=extra), frozenset())
    assert part(body, path) == part(extra, path)
    assert part(body, beside) == part(plain, beside)


def part(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = body[name]
    return body


def test_openrouter_keeps_to_what_the_policy_says() -> None:
    def asked_of(policy: str) -> Any:
        settings = ProviderSettings.model_validate(
            {"base_url": "https://openrouter.ai/api/v1", "policy": policy}
        )
        provider = Provider("p", settings, clock=SystemClock(), observer=AttemptLog())
        return provider.wire.body(request(), frozenset())["provider"]

    assert asked_of("standard") == {
        "require_parameters": True,
        "data_collection": "deny",
        "allow_fallbacks": False,
    }
    assert asked_of("strict") == {**asked_of("standard"), "zdr": True}


@pytest.mark.parametrize(
    ("usage", "nano_usd"),
    [
        ({"cost": 0.001}, 1_000_000),
        ({"cost": 0.001, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.001}}, 1_000_000),
        ({"cost": 0.00005, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.001}}, 1_050_000),
        ({"cost": 0.00005, "is_byok": True, "cost_details": None}, None),
        ({"cost": None}, None),
    ],
)
def test_openrouters_bill_is_all_that_a_call_costs(usage: dict[str, Any], nano_usd: int | None) -> None:
    """On a key of one's own at the upstream, OpenRouter's figure is its fee alone."""
    assert FLAVOURS["openrouter"].reported_cost(usage) == nano_usd


@pytest.mark.parametrize("flavour", ["openai", "local", "xai"])
def test_a_refused_name_of_the_cap_gives_way_to_the_other(flavour: str) -> None:
    wire = make_wire(Format.OPENAI_CHAT, FLAVOURS[flavour])
    names = {"max_tokens", "max_completion_tokens"}
    (first,) = names & set(wire.body(request(), frozenset()))
    (second,) = names & set(wire.body(request(), frozenset({Parameter.MAX_TOKENS})))
    assert {first, second} == names


def test_anthropic_tool_fits_too() -> None:
    body = wire_of(WIRES[2]).body(request(through_tool=True), frozenset())
    check_messages(body, stream=False)
    assert body["tool_choice"] == {"type": "tool", "name": "binary_forecast"}
    assert "output_config" not in body


@each_wire
@pytest.mark.parametrize("model", [MODEL, "sim-truncated", "sim-refuse"])
@pytest.mark.parametrize("stream", [False, True])
async def test_same_bytes_same_reading(recorder: Recorder, wire: WireCase, model: str, stream: bool) -> None:
    async with Simulator() as simulator:
        ours = await our_reading(simulator.url, recorder, wire, model, stream=stream)
    if stream:
        # The simulator's own stream tests have the SDKs put the events together; here the whole
        # answer to the same request must read the same.
        async with Simulator() as simulator:
            again = await our_reading(simulator.url, recorder, wire, model, stream=False)
        assert (ours.text, ours.finish, ours.usage) == (again.text, again.finish, again.usage)
    theirs = THEIRS[wire.format](jiter.from_json(recorder.body))
    usage = ours.usage
    assert usage is not None
    assert theirs.prompt == usage.input_uncached + usage.cache_read + usage.cache_write
    assert (theirs.cached, theirs.output) == (usage.cache_read, usage.output)
    if ours.finish is not Finish.REFUSED:
        assert theirs.text == ours.text
    assert ours.model == model


async def our_reading(
    url: str, recorder: Recorder, case: WireCase, model: str, *, stream: bool
) -> Completion:
    wire = wire_of(case)
    chat = ChatRequest(
        model,
        "You are careful.",
        "Will it rain?",
        answer_schema(Binary(), numbers_first=False),
        300,
        stream=stream,
    )
    sent = httpx2.Request(
        "POST",
        url + case.path + wire.path(chat),
        headers=[(b"content-type", b"application/json"), *wire.headers("sk-test")],
        json=wire.body(chat, frozenset()),
    )
    response = await recorder.handle_async_request(sent)
    assert response.status_code == 200
    if not stream:
        made = wire.completion(jiter.from_json(recorder.body), recorder.headers)
    else:
        reader = wire.reader()
        async for event in httpx2.EventSource(response):
            reader.feed(event.event, event.data)
        made = reader.result(recorder.headers)
    assert isinstance(made, Completion)
    return made


@dataclass
class Theirs:
    """What an SDK's own type makes of a body. ``prompt`` with cached tokens."""

    text: str
    prompt: int
    cached: int
    output: int


def chat_reading(body: Any) -> Theirs:
    made = ChatCompletion.model_validate(body)
    usage = made.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    return Theirs(
        made.choices[0].message.content or "",
        usage.prompt_tokens,
        usage.prompt_tokens_details.cached_tokens or 0,
        usage.total_tokens - usage.prompt_tokens,
    )


def responses_reading(body: Any) -> Theirs:
    made = Response.model_validate(body)
    usage = made.usage
    assert usage is not None
    return Theirs(
        made.output_text, usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens
    )


def messages_reading(body: Any) -> Theirs:
    made = Message.model_validate(body)
    usage = made.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    text = "".join(block.text for block in made.content if block.type == "text")
    return Theirs(text, usage.input_tokens + cached + written, cached, usage.output_tokens)


def gemini_reading(body: Any) -> Theirs:
    made = gemini.GenerateContentResponse.model_validate(body)
    usage = made.usage_metadata
    assert usage is not None
    prompt, total = usage.prompt_token_count or 0, usage.total_token_count or 0
    return Theirs(made.text or "", prompt, usage.cached_content_token_count or 0, total - prompt)


THEIRS = {
    "openai_chat": chat_reading,
    "openai_responses": responses_reading,
    "anthropic_messages": messages_reading,
    "gemini": gemini_reading,
}


@pytest.mark.parametrize("stream", [False, True])
async def test_the_sdks_send_our_bodies(simulator_url: str, stream: bool) -> None:
    """The SDK's own methods take every field of ours as an argument, and the answer comes."""
    async with AsyncExitStack() as stack:
        chat = await stack.enter_async_context(sdk_client(openai.AsyncOpenAI, f"{simulator_url}/openai/v1"))
        claude = await stack.enter_async_context(
            sdk_client(anthropic.AsyncAnthropic, f"{simulator_url}/anthropic")
        )
        for case, create in (
            (WIRES[0], chat.chat.completions.create),
            (WIRES[1], chat.responses.create),
            (WIRES[2], claude.messages.create),
        ):
            made = await create(**wire_of(case).body(full(Binary(), case, stream=stream), frozenset()))
            if stream:
                assert [event async for event in made]


def sdk_client(kind: Any, url: str) -> Any:
    client = httpx2.AsyncClient(verify=PLAIN)
    return kind(base_url=url, api_key="sk-test", max_retries=0, http_client=client)


@pytest.fixture
async def simulator_url() -> AsyncIterator[str]:
    async with Simulator() as running:
        yield running.url
