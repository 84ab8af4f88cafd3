# SPDX-License-Identifier: Apache-2.0
"""What a call may cost, before it is made: at most, and as far as can be guessed."""

from server.forecasting.forecast import TokenUsage
from server.llm.failures import Parameter
from server.llm.pricing import Prices
from server.llm.prompting import Messages
from server.llm.provider import Provider
from server.llm.settings import ChatSettings

#: A guess at the share of the cap that an answer takes up, while there is no past to tell.
_TYPICAL_OUTPUT_SHARE = 0.5


def upper_bound(
    provider: Provider, settings: ChatSettings, messages: Messages, without: frozenset[Parameter]
) -> int | None:
    """More than one call can cost, nano US dollars; None: no known price, or nothing caps the answer."""
    prices = provider.book.find(settings.model)
    if prices is None:
        return 0 if is_free(provider, prices) else None
    if not provider.wire.is_capped(without):
        return None
    return prices.upper_bound_nano_usd(messages.size, settings.max_output_tokens)


def expected(provider: Provider, settings: ChatSettings, messages: Messages) -> int | None:
    """A guess at what one call costs, nano US dollars; by the usual length of the model's answers."""
    prices = provider.book.find(settings.model)
    if prices is None:
        return 0 if is_free(provider, prices) else None
    usual = provider.endpoint(settings.model).typical_output()
    output = round(settings.max_output_tokens * _TYPICAL_OUTPUT_SHARE) if usual is None else usual
    return prices.cost_nano_usd(TokenUsage(input_uncached=messages.tokens, output=output))


def is_free(provider: Provider, prices: Prices | None) -> bool:
    """A server of one's own bills nobody, unless a price is set for it."""
    return prices is None and provider.flavour.name == "local"
