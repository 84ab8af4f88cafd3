# SPDX-License-Identifier: Apache-2.0
"""What a model teaches us about itself, and what its health does to the next call."""

import asyncio

import pytest

from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.llm.endpoint import WORDS_S, Endpoint
from server.llm.failures import Parameter
from server.llm.flavours import FLAVOURS
from server.llm.room import LanguageModels
from server.llm.settings import Format, ProviderSettings
from server.llm.wire.formats import make_wire
from tests.eventually import eventually
from tests.llm.clock import ManualClock
from tests.llm.conftest import QUERY, Bench, deadline
from tests.llm.wires import WireCase, each_wire


async def ask(room: LanguageModels, seconds: float = 10.0) -> Answer:
    return await room.forecasters["m"].forecast(QUERY, deadline(seconds))


@each_wire
@pytest.mark.parametrize(
    ("word", "settings", "parameter"),
    [
        ("notemperature", {"temperature": 0.2}, Parameter.TEMPERATURE),
        ("noschema", {}, Parameter.SCHEMA),
        ("noeffort", {"effort": "low"}, Parameter.EFFORT),
        ("noseed", {"seed": 1}, Parameter.SEED),
        ("nomaxtokens", {}, Parameter.MAX_TOKENS),
    ],
)
async def test_a_refused_parameter_is_dropped_once_and_remembered(
    bench: Bench, wire: WireCase, word: str, settings: dict[str, object], parameter: Parameter
) -> None:
    model = f"sim-p0.7-{word}"
    if set(settings) & make_wire(Format(wire.format), FLAVOURS[wire.flavour]).lacks:
        pytest.skip("the format has no such parameter")
    room = bench.models(wire.provider(bench.simulator.url), m={"model": model, **settings})
    answers = [await ask(room) for _ in range(3)]
    assert all(isinstance(answer, Forecast) for answer in answers)
    refused = room.providers["sim"].endpoints[model].refused
    first = 2 if refused else 1  # Anthropic's models always take the cap
    assert [answer.attempts for answer in answers] == [first, 1, 1]
    assert refused <= {parameter}


async def test_several_refusals_at_once(bench: Bench) -> None:
    room = bench.models(
        {"retries": {"max_attempts": 5}},
        m={"model": "sim-notemperature-noseed-noeffort", "temperature": 0.1, "seed": 1, "effort": "low"},
    )
    assert [(await ask(room)).attempts for _ in range(2)] == [4, 1]


async def test_parameters_may_be_known_beforehand(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-notemperature", "temperature": 0.1, "unsupported": ["temperature"]})
    assert (await ask(room)).attempts == 1


async def test_an_odd_spoiled_answer_is_no_reason_to_give_up_the_schema(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-p0.4-ignoreschema-every3"})
    for _ in range(8):
        assert isinstance(await ask(room), Forecast)
    assert not room.providers["sim"].endpoints["sim-p0.4-ignoreschema-every3"].refused


async def test_three_in_a_row_and_the_schema_goes_into_the_prompt(bench: Bench) -> None:
    # Native answers are always spoiled, those in words never: as by a gateway that drops the parameter.
    room = bench.models(m={"model": "sim-p0.4-dropschema"})
    answers = [await ask(room) for _ in range(5)]
    assert [answer.attempts for answer in answers] == [2, 2, 2, 1, 1]
    assert all(isinstance(answer, Forecast) for answer in answers)


async def test_an_unknown_model_is_not_asked_again(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-404"})
    answers = [await ask(room) for _ in range(3)]
    assert [answer.attempts for answer in answers] == [1, 0, 0]
    assert {answer.reason for answer in answers if isinstance(answer, Absent)} == {
        AbsentReason.CALLER_MODEL_UNKNOWN
    }
    assert len(bench.notes.alerts) == 1


async def test_a_flapping_provider_is_left_alone_and_comes_back(bench: Bench) -> None:
    """Down for five calls, then up: the breaker opens, tries, ramps up and closes."""
    settings = {"breaker": {"consecutive_failures": 5, "open_s": 0.05, "trial_calls": 1, "ramp_s": 0.0}}
    room = bench.models(settings, m={"model": "sim-p0.6-503-first5"})
    down = [await ask(room) for _ in range(7)]
    reasons = [answer.reason for answer in down if isinstance(answer, Absent)]
    assert reasons == [AbsentReason.PROVIDER_OVERLOADED] * 5 + [AbsentReason.POLICY_CIRCUIT_OPEN] * 2
    assert room.forecasters["m"].circuit == "open"
    assert "tried again in" in down[-1].detail if isinstance(down[-1], Absent) else False
    await eventually(lambda: room.forecasters["m"].circuit == "half_open")
    assert isinstance(await ask(room), Forecast)
    assert room.forecasters["m"].circuit == "closed"
    assert len(bench.entries()) == 6, "while it was open nobody called"
    assert [what for _, what, _ in bench.notes.alerts] == ["circuit of sim-p0.6-503-first5 is open"]


async def test_bad_output_and_limits_do_not_open_the_breaker(bench: Bench) -> None:
    for model in ("sim-garbage", "sim-429bare", "sim-refuse", "sim-context"):
        room = bench.models({"breaker": {"consecutive_failures": 1}}, m={"model": model})
        for _ in range(3):
            await ask(room)
        assert room.forecasters["m"].circuit == "closed"


async def test_a_rate_limit_is_remembered_until_it_opens(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-429-first1-wait60000ms"})
    first, second = await ask(room), await ask(room)
    assert isinstance(first, Absent)
    assert isinstance(second, Absent)
    assert (first.reason, second.reason) == (
        AbsentReason.PROVIDER_RATE_LIMITED,
        AbsentReason.POLICY_RATE_LIMITED,
    )
    assert len(bench.entries()) == 1, "the second was not even sent"


async def test_a_short_rate_limit_is_waited_for(bench: Bench) -> None:
    answer = await bench.ask("sim-p0.6-429-first1-wait50ms")
    assert isinstance(answer, Forecast)
    assert answer.attempts == 2


async def test_the_headers_stop_us_before_the_provider_does(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-rpm3"})
    answers = [await ask(room, seconds=2.0) for _ in range(5)]
    assert [isinstance(answer, Forecast) for answer in answers] == [True, True, True, False, False]
    assert {answer.reason for answer in answers if isinstance(answer, Absent)} == {
        AbsentReason.POLICY_RATE_LIMITED
    }
    assert [entry.status for entry in bench.entries()] == [200] * 3


async def test_concurrency_is_capped(bench: Bench) -> None:
    room = bench.models({"limits": {"concurrency": 3, "queue": 100}}, m={"model": "sim-20ms"})
    provider = room.providers["sim"]
    limiter = provider.endpoints["sim-20ms"].limiter(provider.keys.keys[0])
    highest = 0

    async def watched() -> Answer:
        nonlocal highest
        answer = await ask(room, 60.0)
        highest = max(highest, limiter.in_flight)
        return answer

    answers = await asyncio.gather(*(watched() for _ in range(30)))
    assert all(isinstance(answer, Forecast) for answer in answers)
    assert highest <= 3


async def test_retries_respect_what_an_answer_takes(bench: Bench) -> None:
    """A model that takes 200 ms is not asked again when 100 ms are left."""
    room = bench.models(m={"model": "sim-p0.6-200ms-500-after3"})
    for _ in range(3):
        assert isinstance(await ask(room), Forecast)
    endpoint = room.providers["sim"].endpoints["sim-p0.6-200ms-500-after3"]
    assert endpoint.typical_s() >= 0.2
    answer = await ask(room, seconds=0.15)
    assert isinstance(answer, Absent)
    assert (answer.reason, answer.attempts) == (AbsentReason.PROVIDER_SERVER_ERROR, 1)


def test_a_schema_that_was_ignored_for_a_while_comes_back() -> None:
    clock = ManualClock()
    endpoint = Endpoint("m", ProviderSettings(base_url="http://x/v1"), clock)
    told = [endpoint.learn_readable(readable=readable) for readable in (False, True, False, False, False)]
    assert told == [False, False, False, False, True]
    assert endpoint.refused == {Parameter.SCHEMA}
    assert not endpoint.learn_readable(readable=False)  # told once
    clock.go(WORDS_S)
    assert not endpoint.refused
    assert endpoint.learn_readable(readable=False)  # once is enough now
    clock.go(WORDS_S)
    assert not endpoint.learn_readable(readable=True)
    assert not endpoint.learn_readable(readable=False)
    endpoint.learn_refused(Parameter.SCHEMA)
    clock.go(WORDS_S)
    assert endpoint.refused == {Parameter.SCHEMA}


async def test_an_operator_hears_of_an_ignored_schema(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-p0.4-dropschema"})
    for _ in range(5):
        await ask(room)
    (alert,) = bench.notes.alerts
    assert alert[1] == "sim-p0.4-dropschema ignores schemas; it is asked in words for a while"


async def test_a_parameter_that_nobody_names_is_found_and_the_schema_goes_last(bench: Bench) -> None:
    """OpenRouter says only that no upstream takes all of them; the model is known all the same."""
    router = {"base_url": f"{bench.simulator.url}/openrouter/api/v1", "flavour": "openrouter"}
    wishes = {"temperature": 0.2, "seed": 7, "effort": "low"}
    room = bench.models(router, m={"model": "sim-p0.7-noeffort", **wishes})
    answers = [await ask(room) for _ in range(3)]
    assert [isinstance(answer, Forecast) for answer in answers] == [False, True, True]
    assert [answer.attempts for answer in answers] == [3, 1, 1]
    refused = room.providers["sim"].endpoints["sim-p0.7-noeffort"].refused
    assert refused == {Parameter.SEED, Parameter.TEMPERATURE, Parameter.EFFORT}
    assert bench.notes.alerts == [], "nobody says that the model is not known"


async def test_what_is_not_sent_is_not_counted_against_our_own_limit(bench: Bench) -> None:
    settings = {"limits": {"requests_per_minute": 2}, "breaker": {"consecutive_failures": 1, "open_s": 60.0}}
    room = bench.models(settings, m={"model": "sim-p0.6-503-first1"})
    member = room.forecasters["m"]
    reasons = [answer.reason for answer in [await ask(room) for _ in range(6)] if isinstance(answer, Absent)]
    assert reasons == [AbsentReason.PROVIDER_OVERLOADED] + [AbsentReason.POLICY_CIRCUIT_OPEN] * 5
    room.providers["sim"].endpoints["sim-p0.6-503-first1"].breaker.try_now()
    assert isinstance(await ask(room, seconds=1.0), Forecast)
    assert member.circuit == "half_open"
