# SPDX-License-Identifier: Apache-2.0
"""Answers in which any one part has any other shape: no adapter may raise, and nothing odd comes out."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from server.forecasting.forecast import AbsentReason
from server.llm.completion import MOST_TOKENS, Completion
from server.llm.failures import Failure
from server.llm.flavours import FLAVOURS
from server.llm.settings import Format
from server.llm.untrusted import visible
from server.llm.wire.format import WireFormat
from server.llm.wire.formats import make_wire

JUNK: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "x", "", [], {}, [1], ["x"], [None], [[]],
    {"a": 1}, {"text": 5}, "\x1b[2J\x00\u202e" + "y" * 1_000,
]  # fmt: skip
CHAT_USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 6,
    "total_tokens": 11,
    "cost": 0.1,
    "cost_in_usd_ticks": 5,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
RESPONSE = {
    "id": "i",
    "model": "m",
    "status": "completed",
    "error": None,
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "{}"}]},
        {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]},
    ],
    "usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
        "cost_in_usd_ticks": 4,
    },
}
MESSAGE = {
    "id": "i",
    "type": "message",
    "model": "m",
    "stop_reason": "refusal",
    "stop_details": {"explanation": "x"},
    "content": [{"type": "text", "text": "{}"}, {"type": "tool_use", "input": {"a": 1}}],
    "usage": {"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 1}},
}
CANDIDATES = {
    "candidates": [{"content": {"parts": [{"text": "{}"}]}, "finishReason": "STOP"}],
    "promptFeedback": {"blockReason": "SAFETY"},
    "modelVersion": "m",
    "usageMetadata": {
        "promptTokenCount": 3,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 1,
        "cachedContentTokenCount": 1,
        "toolUsePromptTokenCount": 1,
    },
}
WHOLE: dict[Format, Any] = {
    Format.OPENAI_CHAT: {
        "id": "i",
        "model": "m",
        "choices": [
            {
                "finish_reason": "stop",
                "message": {"content": [{"type": "text", "text": "{}"}], "refusal": None},
            }
        ],
        "usage": CHAT_USAGE,
    },
    Format.OPENAI_RESPONSES: RESPONSE,
    Format.ANTHROPIC_MESSAGES: MESSAGE,
    Format.GEMINI: CANDIDATES,
}
EVENTS: dict[Format, list[Any]] = {
    Format.OPENAI_CHAT: [
        {"id": "i", "model": "m", "choices": [{"delta": {"content": "a", "refusal": "b"}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": CHAT_USAGE},
    ],
    Format.OPENAI_RESPONSES: [
        {"type": "response.created", "response": {"model": "m"}},
        {"type": "response.output_text.delta", "delta": "a"},
        {"type": "response.completed", "response": RESPONSE},
    ],
    Format.ANTHROPIC_MESSAGES: [
        {"type": "message_start", "message": MESSAGE},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "x"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ],
    Format.GEMINI: [CANDIDATES, CANDIDATES],
}
ERRORS: dict[Format, Any] = {
    Format.OPENAI_CHAT: {
        "error": {
            "message": "m", "type": "t", "param": "p", "code": "c",
            "metadata": {"raw": "x", "reasons": ["a"]},
        }
    },
    Format.OPENAI_RESPONSES: {"error": {"message": "m", "type": "t", "param": "p", "code": "c"}},
    Format.ANTHROPIC_MESSAGES: {
        "type": "error",
        "error": {"type": "t", "message": "m", "details": {"error_code": "x"}},
    },
    Format.GEMINI: [
        {
            "error": {
                "code": 400,
                "message": "m",
                "status": "S",
                "details": [{"retryDelay": "17s", "reason": "R", "violations": [{"quotaId": "PerDay"}]}],
            }
        }
    ],
}  # fmt: skip
SPOKEN = {
    Format.OPENAI_CHAT: ("openai", "openrouter", "xai", "local"),
    Format.OPENAI_RESPONSES: ("openai", "xai"),
    Format.ANTHROPIC_MESSAGES: ("anthropic",),
    Format.GEMINI: ("gemini",),
}
each_format = pytest.mark.parametrize(
    ("name", "flavour"), [(name, flavour) for name, flavours in SPOKEN.items() for flavour in flavours]
)


def spoiled(payload: Any) -> Iterator[Any]:
    """The payload with each of its parts in turn replaced by each piece of junk."""
    for place in places(payload, ()):
        for junk in JUNK:
            yield put(payload, place, junk)


def places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, (*path, name))


def put(payload: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    made = copy.deepcopy(payload)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = junk
    return made


def check(outcome: Completion | Failure) -> None:
    if isinstance(outcome, Failure):
        return
    texts = (outcome.text, outcome.raw_finish, outcome.model, outcome.response_id)
    assert all(isinstance(text, str) for text in texts)
    if outcome.usage is not None:
        usage = outcome.usage
        counts = (usage.input_uncached, usage.cache_read, usage.cache_write, usage.output, usage.reasoning)
        assert all(type(count) is int and 0 <= count <= MOST_TOKENS for count in counts)
    assert outcome.reported_nano_usd is None or 0 <= outcome.reported_nano_usd <= 10**15
    labels = (outcome.raw_finish, outcome.model, outcome.response_id)
    assert all(visible(each, 200) == each for each in labels)


def wire_of(name: Format, flavour: str) -> WireFormat:
    return make_wire(name, FLAVOURS[flavour])


@each_format
def test_a_whole_answer(name: Format, flavour: str) -> None:
    wire = wire_of(name, flavour)
    for payload in spoiled(WHOLE[name]):
        if isinstance(payload, dict):
            check(wire.completion(payload, {}))


@each_format
def test_a_stream(name: Format, flavour: str) -> None:
    wire = wire_of(name, flavour)
    for turn, event in enumerate(EVENTS[name]):
        for broken in spoiled(event):
            reader = wire.reader()
            for index, sent in enumerate(EVENTS[name]):
                reader.feed("", json.dumps(broken if index == turn else sent))
                check(reader.seen())
            check(reader.result({}))


@each_format
@pytest.mark.parametrize("status", [200, 400, 402, 404, 429, 500])
def test_an_error(name: Format, flavour: str, status: int) -> None:
    wire = wire_of(name, flavour)
    for payload in spoiled(ERRORS[name]):
        failure = wire.failure(status, payload, {})
        assert visible(failure.detail, 500) == failure.detail


def test_a_chat_answer_in_parts_is_read_without_its_thoughts() -> None:
    """As servers of reasoning models send it."""
    wire = wire_of(Format.OPENAI_CHAT, "local")
    parts = [{"type": "thinking", "thinking": "hm", "text": "hm"}, {"type": "text", "text": '{"a": 1}'}]
    whole = wire.completion({"choices": [{"finish_reason": "stop", "message": {"content": parts}}]}, {})
    assert isinstance(whole, Completion)
    assert whole.text == '{"a": 1}'
    reader = wire.reader()
    for part in parts:
        reader.feed("", json.dumps({"choices": [{"delta": {"content": [part]}}]}))
    assert reader.text == '{"a": 1}'


def test_what_is_no_answer_is_a_bad_output() -> None:
    for name, flavours in SPOKEN.items():
        outcome = wire_of(name, flavours[0]).completion({}, {})
        bad = isinstance(outcome, Failure) and outcome.reason is AbsentReason.PROVIDER_BAD_OUTPUT
        assert bad or (isinstance(outcome, Completion) and not outcome.text), name
