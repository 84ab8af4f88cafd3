# SPDX-License-Identifier: Apache-2.0
"""What an attempt cost: the provider's word first, then the table, marked where it is a guess."""

from dataclasses import replace

from server.forecasting.forecast import Cost, CostSource, TokenUsage
from server.llm.completion import Completion, Finish
from server.llm.exchange import EARLY, Exchange
from server.llm.failures import Failure
from server.llm.pricing import PriceBook, estimate_tokens

Bill = tuple[TokenUsage | None, Cost | None]


def bill(
    outcome: Completion | Failure,
    exchange: Exchange,
    prompt_tokens: int,
    unseen_tokens: int,
    book: PriceBook,
    model: str,
) -> Bill:
    """Usage and cost of one attempt.

    ``prompt_tokens`` is our own estimate of the prompt, ``unseen_tokens`` of an
    answer of which nothing can be seen until it is whole. An answer is billed as
    reported. An attempt that was cut, timed out, cancelled or left early may be
    billed by the provider without our ever being told: the larger of what was
    seen and what was sent is booked, as an estimate, with the unseen answer.
    """
    if isinstance(outcome, Completion) and outcome.raw_finish != EARLY:
        return _answered(outcome, prompt_tokens, book, model)
    if isinstance(outcome, Failure) and not outcome.billed and not exchange.text:
        return None, None
    seen = exchange.reader.seen() if exchange.reader else Completion("", Finish.ERROR)
    estimate = _estimate(seen.text, prompt_tokens)
    if exchange.reader is None:
        estimate = replace(estimate, output=unseen_tokens)
    usage = _larger(seen.usage, estimate) if seen.usage else estimate
    return usage, book.cost(usage, model, seen.model)


def _answered(completion: Completion, prompt_tokens: int, book: PriceBook, model: str) -> Bill:
    usage = completion.usage or _estimate(completion.text, prompt_tokens)
    if completion.reported_nano_usd is not None:
        return usage, Cost(completion.reported_nano_usd, CostSource.PROVIDER)
    return usage, book.cost(usage, model, completion.model)


def total_usage(usages: list[TokenUsage]) -> TokenUsage | None:
    """Sum over attempts; None of none."""
    if len(usages) <= 1:
        return usages[0] if usages else None
    return TokenUsage(
        sum(usage.input_uncached for usage in usages),
        sum(usage.cache_read for usage in usages),
        sum(usage.cache_write for usage in usages),
        sum(usage.output for usage in usages),
        sum(usage.reasoning for usage in usages),
        any(usage.estimated for usage in usages),
    )


def _estimate(text: str, prompt_tokens: int) -> TokenUsage:
    return TokenUsage(input_uncached=prompt_tokens, output=estimate_tokens(text), estimated=True)


def _larger(seen: TokenUsage, estimate: TokenUsage) -> TokenUsage:
    prompt = seen.input_uncached + seen.cache_read + seen.cache_write
    return replace(
        seen,
        input_uncached=seen.input_uncached + max(0, estimate.input_uncached - prompt),
        output=max(seen.output, estimate.output),
        estimated=True,
    )
