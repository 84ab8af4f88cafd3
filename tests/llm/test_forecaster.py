# SPDX-License-Identifier: Apache-2.0
"""A model as a forecaster, end to end over real HTTP."""

import itertools
from datetime import UTC, datetime

import pytest

from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast
from server.forecasting.ports import Forecaster, Identity
from server.forecasting.query import Query
from server.forecasting.question import Exclusive, FreeText, Numeric, NumericScale, Question
from server.llm.prompt import load_prompt
from tests.llm.conftest import QUERY, Bench
from tests.llm.wires import WIRES

pytestmark = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


async def test_binary(bench: Bench, stream: bool) -> None:
    answer = await bench.ask("sim-p0.73-cached50-reason7", stream=stream)
    assert isinstance(answer, Forecast)
    assert answer.probabilities == pytest.approx((0.73, 0.27))
    assert answer.self_confidence is not None
    assert answer.rationale.startswith("Simulated")
    assert (answer.model, answer.attempts) == ("sim-p0.73-cached50-reason7", 1)
    assert answer.prompt_hash == load_prompt("forecast-1").hash
    (entry,) = bench.entries()
    assert answer.cost == Cost(entry.billed_nano_usd, CostSource.PRICE_TABLE)
    assert answer.usage is not None
    assert answer.usage.input_uncached == entry.usage.input_uncached
    assert answer.usage.cache_read == entry.usage.cache_read > 0
    assert answer.usage.output == entry.usage.output
    assert answer.usage.reasoning == 7


async def test_named_outcomes(bench: Bench, stream: bool) -> None:
    kind = Exclusive(("Ann", "Bob", "Cat", "somebody else"))
    answer = await bench.ask("sim-p0.6", Query(Question("q", "Who wins?", kind)), stream=stream)
    assert isinstance(answer, Forecast)
    assert len(answer.probabilities) == 4
    assert sum(answer.probabilities) == pytest.approx(1.0)
    assert answer.probabilities[0] == pytest.approx(0.6, abs=1e-5)


@pytest.mark.parametrize("scale", NumericScale)
async def test_number(bench: Bench, stream: bool, scale: NumericScale) -> None:
    grid = (10.0, 20.0, 40.0, 60.0, 80.0, 200.0)
    answer = await bench.ask(
        "sim-p0.5", Query(Question("q", "How much?", Numeric(grid, "USD", scale))), stream=stream
    )
    assert isinstance(answer, Forecast)
    assert len(answer.probabilities) == len(grid)
    assert all(a <= b for a, b in itertools.pairwise(answer.probabilities))
    assert 0.0 < answer.probabilities[0] < 0.05
    assert 0.95 < answer.probabilities[-1] < 1.0


async def test_free_text(bench: Bench, stream: bool) -> None:
    answer = await bench.ask("sim-fast", Query(Question("q", "What?", FreeText())), stream=stream)
    assert isinstance(answer, Forecast)
    assert (answer.text, answer.probabilities) == ("forty-two", ())


async def test_through_a_tool(bench: Bench, stream: bool) -> None:
    """For Anthropic's models that know tools but no schemas."""
    anthropic = next(wire for wire in WIRES if wire.name == "anthropic")
    provider = anthropic.provider(bench.simulator.url)
    answer = await bench.ask("sim-p0.4-noschema", provider=provider, schema_mode="tool", stream=stream)
    assert isinstance(answer, Forecast)
    assert (answer.probabilities[0], answer.attempts) == (0.4, 1)


async def test_time_to_the_first_word(bench: Bench, stream: bool) -> None:
    await bench.ask("sim-40ms", stream=stream)
    (attempt,) = bench.notes.attempts
    assert (attempt.first_word_s is not None) == stream
    if attempt.first_word_s is not None:
        assert 0 < attempt.first_word_s <= attempt.latency_s


async def test_in_words_from_the_start(bench: Bench, stream: bool) -> None:
    answer = await bench.ask("sim-p0.4-noschema", schema_mode="words", stream=stream)
    assert isinstance(answer, Forecast)
    assert (answer.probabilities[0], answer.attempts) == (0.4, 1)


async def test_the_model_that_replied_is_named(bench: Bench, stream: bool) -> None:
    answer = await bench.ask("sim-as:other", stream=stream)
    assert isinstance(answer, Forecast)
    assert answer.model == "other"


async def test_question_about_the_past_is_told_its_own_date(bench: Bench, stream: bool) -> None:
    query = Query(Question("q", "Will it?", as_of_time=datetime(2020, 2, 3, 4, 5, tzinfo=UTC)))
    room = bench.models(m={"model": "sim-fast", "stream": stream})
    messages = room.forecasters["m"]._member.prompter.messages(query, in_words=False)
    assert "2020-02-03 04:05 UTC" in messages.user


async def test_identity_and_port(bench: Bench, stream: bool) -> None:
    forecaster = bench.models(m={"model": "sim-fast", "stream": stream}).forecasters["m"]
    assert isinstance(forecaster, Forecaster)
    assert forecaster.identity == Identity("chat", "sim", "sim-fast")
    assert forecaster.circuit == "closed"


async def test_no_time(bench: Bench, stream: bool) -> None:
    answer = await bench.ask("sim-fast", seconds=0.0, stream=stream)
    assert answer == Absent(AbsentReason.DEADLINE_EXCEEDED, "no time was left to ask")
    assert bench.entries() == []


async def test_upper_bound_is_above_every_bill(bench: Bench, stream: bool) -> None:
    room = bench.models(m={"model": "sim-garbage", "stream": stream, "max_output_tokens": 64})
    forecaster = room.forecasters["m"]
    bound = forecaster.upper_bound(QUERY)
    answer = await bench.ask("sim-garbage", stream=stream, max_output_tokens=64)
    assert isinstance(answer, Absent)
    assert bound is not None
    bills = [entry.billed_nano_usd for entry in bench.entries()]
    assert 0 < len(bills) <= forecaster.max_calls
    assert all(0 < bill < bound for bill in bills)
