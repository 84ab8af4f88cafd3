# SPDX-License-Identifier: Apache-2.0
"""From settings to members: what is shared, what is refused and how it is said."""

import asyncio
from typing import Any

import httpx2
import pytest
from aiohttp import web
from pydantic import ValidationError

from server.forecasting.forecast import Absent, AbsentReason, Forecast
from server.llm.flavours import FLAVOURS, flavour_of
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings, Transport
from tests.llm.conftest import PRICE, QUERY, Bench, deadline

PROVIDER = ProviderSettings(base_url="http://127.0.0.1:9/v1")


def build(given: dict[str, Any] | None = None, **member: Any) -> LanguageModels:
    settings = ProviderSettings.model_validate({"base_url": "http://127.0.0.1:9/v1", **(given or {})})
    chat = ChatSettings.model_validate({"provider": "p", "model": "m", "price": PRICE, **member})
    return LanguageModels({"p": settings}, {"gpt": chat})


@pytest.mark.parametrize(
    ("provider", "member", "message"),
    [
        ({}, {"provider": "q"}, "forecasters.gpt: provider 'q' is not known; configured: p"),
        ({}, {"prompt": "nope-1"}, "forecasters.gpt: prompt 'nope-1' cannot be read"),
        ({"flavour": "vanilla"}, {}, "providers.p: flavour 'vanilla' is not known; use one of anthropic"),
        ({"allow": ["question", "wallet"]}, {}, "providers.p: allow: 'wallet' is no field"),
        ({}, {"unsupported": ["charm"]}, "'charm' is not a valid Parameter"),
        (
            {},
            {"schema_mode": "tool"},
            "forecasters.gpt: schema_mode: format openai_chat has no place for 'tool'",
        ),
        ({"format": "openai_responses"}, {"seed": 7}, "seed: format openai_responses has no place for 7"),
        ({"format": "anthropic_messages"}, {"temperature": 0.0}, "temperature: format anthropic_messages"),
    ],
)
def test_errors_say_where_and_what(provider: dict[str, Any], member: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        build(provider, **member)


def test_a_member_says_what_each_provider_behind_it_may_be_shown() -> None:
    far, home = (
        ProviderSettings.model_validate({"base_url": "http://127.0.0.1:9/v1", **policy})
        for policy in ({"policy": "strict"}, {"allow": ["question", "tags"]})
    )
    members = {
        "alone": ChatSettings(provider="home", model="m"),
        "backed": ChatSettings(provider="home", model="m", fallbacks=("spare",)),
    }
    room = LanguageModels(
        {"far": far, "home": home}, members, fallbacks={"spare": ChatSettings(provider="far", model="m")}
    )
    assert room.forecasters["alone"].shown == {"home": {"question", "tags"}}
    assert room.forecasters["backed"].shown == {
        "home": {"question", "tags"},
        "far": {"question", "resolution_criteria", "as_of", "resolve_time"},
    }


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://x", "format": "soap"}, "format"),
        ({"base_url": "http://x", "colour": 1}, "colour"),
        ({"base_url": "http://x", "limits": {"queue": -1}}, "limits.queue"),
        ({"base_url": "http://x", "breaker": {"failure_rate": 2}}, "breaker.failure_rate"),
    ],
)
def test_bad_settings_name_their_field(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        ProviderSettings.model_validate(settings)


@pytest.mark.parametrize(
    ("extra", "mend"),
    [
        ({"max_tokens": 9_000}, "'max_tokens' is not for 'extra': set max_output_tokens"),
        ({"generationConfig": {"maxOutputTokens": 9_000}}, "'maxOutputTokens' is not for 'extra'"),
        ({"generationConfig": {"candidateCount": 8}}, "it multiplies what a call costs"),
        ({"n": 5}, "it multiplies what a call costs"),
        ({"messages": []}, "the server writes it"),
        ({"stream": True}, "set stream"),
    ],
)
def test_what_would_break_the_bound_of_a_call_is_not_for_extra(extra: dict[str, Any], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        ChatSettings.model_validate({"provider": "p", "model": "m", "extra": extra})


def test_weights_of_variants_are_positive() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        ChatSettings.model_validate({"provider": "p", "model": "m", "variants": {"forecast-1": 0}})


def test_members_share_their_provider_and_model() -> None:
    chat = ChatSettings(provider="p", model="m")
    room = LanguageModels({"p": PROVIDER, "unused": PROVIDER}, {"a": chat, "b": chat})
    assert list(room.providers) == ["p"], "a provider that nobody asks is not built"
    assert list(room.providers["p"].endpoints) == ["m"]


def test_a_missing_key_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_KEY", raising=False)
    room = build({"key": "env:NO_KEY"})
    assert room.problems == ["providers.p: env:NO_KEY: environment variable NO_KEY is not set"]


async def test_and_its_members_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_KEY", raising=False)
    room = build({"key": "env:NO_KEY"})
    answer = await room.forecasters["gpt"].forecast(QUERY, deadline())
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_AUTH_FAILED
    assert "NO_KEY is not set" in answer.detail
    await room.close()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://api.x.ai/v1", "xai"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://generativelanguage.googleapis.com", "gemini"),
        ("http://localhost:11434/v1", "local"),
    ],
)
def test_flavours_are_known_by_address(address: str, name: str) -> None:
    assert flavour_of("", address) is FLAVOURS[name]


def test_upper_bounds() -> None:
    known = build().forecasters["gpt"].upper_bound(QUERY)
    assert known is not None
    assert known > 0
    local = build(price=None).forecasters["gpt"].upper_bound(QUERY)
    assert local == 0, "a server of one's own bills nobody"
    unknown = build({"flavour": "openai"}, model="no-such-model", price=None).forecasters["gpt"]
    assert unknown.upper_bound(QUERY) is None


class TestTransports:
    pytestmark = pytest.mark.parametrize("transport", Transport)

    @pytest.mark.parametrize("stream", [False, True])
    async def test_both_carry_answers(self, bench: Bench, transport: Transport, stream: bool) -> None:
        answer = await bench.ask("sim-p0.7", provider={"transport": transport}, stream=stream)
        assert isinstance(answer, Forecast)

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("reset", AbsentReason.PROVIDER_CONNECTION_FAILED),
            ("cut", AbsentReason.PROVIDER_CONNECTION_FAILED),
            ("hang", AbsentReason.PROVIDER_TIMEOUT),
            ("stall", AbsentReason.PROVIDER_TIMEOUT),
        ],
    )
    async def test_and_name_failures_alike(
        self, bench: Bench, transport: Transport, fault: str, reason: AbsentReason
    ) -> None:
        answer = await bench.ask(f"sim-{fault}", provider={"transport": transport}, seconds=0.5)
        assert isinstance(answer, Absent)
        assert answer.reason is reason

    async def test_nobody_there(self, bench: Bench, transport: Transport, unused_tcp_port: int) -> None:
        provider = {"transport": transport, "base_url": f"http://127.0.0.1:{unused_tcp_port}/v1"}
        answer = await bench.ask("sim-fast", provider=provider)
        assert isinstance(answer, Absent)
        assert (answer.reason, answer.attempts) == (AbsentReason.PROVIDER_CONNECTION_FAILED, 2)

    async def test_no_such_host(self, bench: Bench, transport: Transport) -> None:
        provider = {"transport": transport, "base_url": "http://no-such-host.invalid/v1"}
        answer = await bench.ask("sim-fast", provider=provider)
        assert isinstance(answer, Absent)
        assert answer.reason is AbsentReason.PROVIDER_CONNECTION_FAILED

    async def test_tls_to_a_plain_server(self, bench: Bench, transport: Transport) -> None:
        address = bench.simulator.url.replace("http://", "https://")
        provider = {"transport": transport, "base_url": f"{address}/v1"}
        answer = await bench.ask("sim-fast", provider=provider)
        assert isinstance(answer, Absent)
        assert answer.reason is AbsentReason.PROVIDER_CONNECTION_FAILED

    async def test_a_stale_connection_is_replaced(self, bench: Bench, transport: Transport) -> None:
        """The provider closes what we keep; the next call notices, and is answered all the same."""
        room = bench.models({"transport": transport}, m={"model": "sim-p0.7"})
        assert isinstance(await room.forecasters["m"].forecast(QUERY, deadline()), Forecast)
        runner = bench.simulator._runner
        assert runner is not None
        assert runner.server is not None
        for connection in runner.server.connections:
            assert connection.transport is not None
            connection.transport.abort()
        await asyncio.sleep(0)
        answer = await room.forecasters["m"].forecast(QUERY, deadline())
        assert isinstance(answer, Forecast)


async def serving(bench: Bench, handler: Any) -> dict[str, Any]:
    """A provider that is none of the simulator's: its settings."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bench.stack.push_async_callback(runner.cleanup)
    return {"base_url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1"}


async def test_a_runaway_body_is_not_read_to_the_end(bench: Bench) -> None:
    """More than any forecast: the answer is given up, not held in memory."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 2**16)

    answer = await bench.ask("m", provider=await serving(bench, endless))
    assert isinstance(answer, Absent)
    assert "bytes" in answer.detail
    assert answer.attempts == 2, "asked in words once more, as for any bad output"


@pytest.mark.parametrize("transport", Transport)
async def test_packed_answers_are_unpacked(bench: Bench, transport: Transport) -> None:
    """We ask for plain bytes; a gateway may pack them all the same."""

    async def packed(request: web.Request) -> web.Response:
        choice = {"message": {"content": '{"probability": 0.7}'}, "finish_reason": "stop"}
        response = web.json_response({"choices": [choice]})
        response.enable_compression(web.ContentCoding.gzip)
        response.headers["x-seen"] = request.headers.get("accept-encoding", "")
        return response

    provider = await serving(bench, packed) | {"transport": transport}
    answer = await bench.ask("m", provider=provider)
    assert isinstance(answer, Forecast)
    assert answer.probabilities[0] == 0.7


def test_the_client_is_httpx2() -> None:
    assert isinstance(build().providers["p"]._transport, httpx2.AsyncBaseTransport)


@pytest.mark.parametrize(
    ("headers", "mend"),
    [
        ({"X-Title\n": "x"}, "is no header's name"),
        ({"X Title": "x"}, "is no header's name"),
        ({"": "x"}, "is no header's name"),
        ({"X-Title": "two\nlines"}, "X-Title: the value may hold visible ASCII"),
        ({"X-Title": "Grüße"}, "X-Title: the value may hold visible ASCII"),
    ],
)
def test_what_cannot_be_a_header_is_refused(headers: dict[str, str], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        ProviderSettings.model_validate({"base_url": "https://x.y", "headers": headers})
