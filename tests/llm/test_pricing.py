# SPDX-License-Identifier: Apache-2.0
"""Money: the shipped table is the oracle, to the last nano dollar."""

from decimal import Decimal

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.forecasting.forecast import Cost, CostSource, TokenUsage
from server.llm.completion import usage_from
from server.llm.flavours import FLAVOURS
from server.llm.pricing import PriceBook, estimate_tokens, from_settings
from server.llm.settings import PriceSettings
from tests.llm.clock import ManualClock

MODELS = [
    ("openai", "gpt-5-mini"),
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),  # dearer above 200,000 tokens
    ("google", "gemini-2.5-pro"),  # the same
    ("google", "gemini-2.5-flash"),
    ("x-ai", "grok-4"),
    ("openrouter", "openai/gpt-5-mini"),
]
BOOKS = {provider: PriceBook(provider, {}, ManualClock()) for provider, _ in MODELS}
counts = st.integers(0, 400_000)


@pytest.mark.parametrize(("provider", "model"), MODELS)
@settings(max_examples=25)
@given(uncached=counts, read=counts, written=counts, output=counts)
def test_as_the_table_says(
    provider: str, model: str, uncached: int, read: int, written: int, output: int
) -> None:
    prices = BOOKS[provider].find(model)
    assert prices is not None
    has_write = prices.base.cache_write != prices.base.input_uncached
    written = written if has_write else 0
    expected = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=uncached + read + written,
            cache_read_tokens=read,
            cache_write_tokens=written,
            output_tokens=output,
        ),
        model,
        provider_id=provider,
    ).total_price
    made = prices.cost_nano_usd(TokenUsage(uncached, read, written, output))
    assert Decimal(made) == pytest.approx(expected * 10**9, abs=1)


@pytest.mark.parametrize(("provider", "model"), MODELS)
@settings(max_examples=25)
@given(uncached=counts, read=counts, written=counts, output=counts)
def test_the_upper_bound_holds(
    provider: str, model: str, uncached: int, read: int, written: int, output: int
) -> None:
    prices = BOOKS[provider].find(model)
    assert prices is not None
    usage = TokenUsage(uncached, read, written, output)
    assert prices.cost_nano_usd(usage) <= prices.upper_bound_nano_usd(uncached + read + written, output)


def test_every_flavour_in_the_table_is_there() -> None:
    known = {provider.id for provider in genai_prices.data_snapshot.get_snapshot().providers}
    assert {flavour.prices for flavour in FLAVOURS.values() if flavour.prices} <= known


def test_overrides_come_first() -> None:
    book = PriceBook("openai", {"gpt-5-mini": PriceSettings(input=0.1, output=0.2)}, ManualClock())
    usage = TokenUsage(input_uncached=3, cache_read=4, cache_write=5, output=6)
    assert book.cost(usage, "gpt-5-mini", "") == Cost(12 * 100 + 6 * 200, CostSource.PRICE_TABLE)
    book.override("gpt-5-mini", PriceSettings(input=1.0, output=1.0))
    assert book.cost(usage, "gpt-5-mini", "") == Cost(18_000, CostSource.PRICE_TABLE)


def test_prices_are_looked_up_anew_each_hour() -> None:
    clock = ManualClock()
    book = PriceBook("openai", {}, clock)
    first = book.find("gpt-4o")
    assert book.find("gpt-4o") is first
    clock.go(3601)
    assert book.find("gpt-4o") is not first
    assert book.find("gpt-4o") == first


def test_unknown_prices_are_none_and_not_zero() -> None:
    assert (
        PriceBook("openai", {}, ManualClock()).cost(TokenUsage(1, 0, 0, 1), "no-such-model", "neither")
        is None
    )
    assert PriceBook("", {}, ManualClock()).find("gpt-5-mini") is None


def test_the_model_that_answered_sets_the_price() -> None:
    prices = {"big": PriceSettings(input=10, output=10), "small": PriceSettings(input=1, output=1)}
    book = PriceBook("", prices, ManualClock())
    usage = TokenUsage(output=1)
    assert book.cost(usage, "big", "small") == Cost(1_000, CostSource.PRICE_TABLE)
    assert book.cost(usage, "big", "unheard-of") == Cost(10_000, CostSource.PRICE_TABLE)


def test_estimates_are_marked() -> None:
    book = PriceBook("", {"m": PriceSettings(input=1, output=1)}, ManualClock())
    assert book.cost(TokenUsage(output=1, estimated=True), "m", "") == Cost(1_000, CostSource.ESTIMATE)


def test_fractions_of_a_nano_dollar_are_rounded_up() -> None:
    prices = from_settings(PriceSettings(input=0.0375, output=0.15))
    assert prices.cost_nano_usd(TokenUsage(input_uncached=1)) == 38
    assert prices.cost_nano_usd(TokenUsage(input_uncached=1_000_000)) == 37_500_000


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abc", 1), ("abcd", 1), ("abcde", 2), ("数数", 2)])
def test_estimated_tokens(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


class TestUsage:
    def test_cached_inside_and_outside(self) -> None:
        inside = usage_from(prompt=10, cached=4, written=1, output=5, reasoning=2, cached_inside=True)
        outside = usage_from(prompt=5, cached=4, written=1, output=5, reasoning=2, cached_inside=False)
        assert inside == outside == TokenUsage(5, 4, 1, 5, 2)

    def test_zero_is_a_value_and_none_is_not(self) -> None:
        zero = usage_from(prompt=0, cached=None, written=None, output=0, reasoning=None, cached_inside=True)
        assert zero == TokenUsage()
        for prompt, output in ((None, 1), (1, None), ("1", 1), (1.0, 1), (True, 1)):
            assert (
                usage_from(prompt=prompt, cached=0, written=0, output=output, reasoning=0, cached_inside=True)
                is None
            )

    def test_what_cannot_be_is_not_believed(self) -> None:
        assert usage_from(prompt=3, cached=9, written=0, output=1, reasoning=0, cached_inside=True) is None
        assert usage_from(prompt=3, cached=0, written=0, output=-1, reasoning=0, cached_inside=True) is None
