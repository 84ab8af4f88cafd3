# SPDX-License-Identifier: Apache-2.0
"""What tokens cost: the shipped table, overrides, and upper bounds. Whole numbers throughout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from server.forecasting.deadline import Clock
from server.forecasting.forecast import Cost, CostSource, TokenUsage
from server.llm.settings import PriceSettings

#: Nano US dollars for a million tokens make one US dollar a million tokens.
_NANO = 10**9
_MILLION = 10**6
#: Bytes to a token, for counts that nobody reported.
_BYTES_PER_TOKEN = 4
#: Tokens that a provider may put around what we send: roles, the wrapping of a schema or tool.
_WRAPPING = 1_000
_VALID_S = 3600.0
_MOST_MODELS = 1_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano US dollars for a million tokens of each bucket."""

    input_uncached: int
    cache_read: int
    cache_write: int
    output: int

    def cost_nano_usd(self, usage: TokenUsage) -> int:
        """Cost of the usage, rounded up to whole nano US dollars."""
        micro = (
            usage.input_uncached * self.input_uncached
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
            + usage.output * self.output
        )
        return -(-micro // _MILLION)


@dataclass(frozen=True, slots=True)
class Prices:
    """Rates by size of the input: above ``tiers[i][0]`` tokens the i-th rates hold for all tokens."""

    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()

    def rates(self, input_tokens: int) -> Rates:
        """The rates for a call with so many input tokens, cached ones included."""
        chosen = self.base
        for start, rates in self.tiers:
            if input_tokens > start:
                chosen = rates
        return chosen

    def cost_nano_usd(self, usage: TokenUsage) -> int:
        """Cost of one call."""
        total = usage.input_uncached + usage.cache_read + usage.cache_write
        return self.rates(total).cost_nano_usd(usage)

    def upper_bound_nano_usd(self, input_bytes: int, max_output_tokens: int) -> int:
        """More than one call can cost: no token is shorter than a byte, and none is dearer than its rate.

        What the provider wraps around the input is in it; long prompts at a dearer tier too.
        """
        tokens = input_bytes + _WRAPPING
        rates = self.rates(tokens)
        dearest = max(
            rates.input_uncached, rates.cache_write, self.base.input_uncached, self.base.cache_write
        )
        dearest_output = max(rates.output, self.base.output)
        return -(-(tokens * dearest + max_output_tokens * dearest_output) // _MILLION)


def from_settings(price: PriceSettings) -> Prices:
    """Prices of an override."""

    def nano(usd: float) -> int:
        return int((Decimal(str(usd)) * _NANO).to_integral_value())

    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    return Prices(Rates(nano(price.input), nano(read), nano(write), nano(price.output)))


class PriceBook:
    """Prices by model: overrides first, then the shipped table of ``genai-prices``, else none."""

    def __init__(self, provider: str, overrides: Mapping[str, PriceSettings], clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._looked_up_s = clock.monotonic()
        self._overrides = {model: from_settings(price) for model, price in overrides.items()}
        self._found: dict[str, Prices | None] = {}

    def override(self, model: str, price: PriceSettings) -> None:
        """From now on this model costs so much."""
        self._overrides[model] = from_settings(price)
        self._found.pop(model, None)

    def find(self, model: str) -> Prices | None:
        """The prices of a model, or None: nobody knows what it costs."""
        # Some prices begin on a date; and a provider that invents names must not fill the memory.
        if self._clock.monotonic() - self._looked_up_s > _VALID_S or len(self._found) > _MOST_MODELS:
            self._looked_up_s = self._clock.monotonic()
            self._found.clear()
        if model not in self._found:
            self._found[model] = self._overrides.get(model) or _table(self._provider, model)
        return self._found[model]

    def cost(self, usage: TokenUsage, asked: str, answered: str) -> Cost | None:
        """Cost by the model that answered, or by the one asked where that has no price."""
        prices = (self.find(answered) if answered else None) or self.find(asked)
        if prices is None:
            return None
        source = CostSource.ESTIMATE if usage.estimated else CostSource.PRICE_TABLE
        return Cost(prices.cost_nano_usd(usage), source)


def estimate_tokens(text: str) -> int:
    """Tokens in a text that nobody counted, at four bytes each. Only ever used marked as estimated."""
    return tokens_in(len(text.encode()))


def tokens_in(size_bytes: int) -> int:
    """Tokens in so many bytes that nobody counted."""
    return -(-size_bytes // _BYTES_PER_TOKEN)


def _table(provider: str, model: str) -> Prices | None:
    if not provider:
        return None
    # Half a second to import, and only needed where a model has no override.
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    try:
        _, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    return _prices(found.get_prices(datetime.now(UTC)))


def _prices(price: Any) -> Prices | None:
    fields = (price.input_mtok, price.cache_read_mtok, price.cache_write_mtok, price.output_mtok)
    if fields[0] is None or fields[3] is None:
        return None
    starts = sorted({tier.start for field in fields for tier in getattr(field, "tiers", ())})
    return Prices(_rates(fields, 0), tuple((start, _rates(fields, start + 1)) for start in starts))


def _rates(fields: tuple[Any, Any, Any, Any], input_tokens: int) -> Rates:
    given = [_price_at(field, input_tokens) for field in fields]
    plain = given[0] or Decimal(0)
    amounts = [plain if amount is None else amount for amount in given]
    return Rates(*(int((amount * _NANO).to_integral_value()) for amount in amounts))


def _price_at(field: Any, input_tokens: int) -> Decimal | None:
    """A price that may depend on the size of the input."""
    if field is None or isinstance(field, Decimal):
        return field
    chosen: Decimal = field.base
    for tier in field.tiers:
        if input_tokens > tier.start:
            chosen = tier.price
    return chosen
