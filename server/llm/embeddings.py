# SPDX-License-Identifier: Apache-2.0
"""Vectors of short texts from a provider's embeddings endpoint, over the connections of its chat members."""

import asyncio
import math
from collections import OrderedDict
from typing import Any
from urllib.parse import quote

import structlog

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import AbsentReason, Cost, TokenUsage
from server.forecasting.purse import Refused
from server.forecasting.query import Query
from server.llm.completion import MOST_TOKENS
from server.llm.endpoint import Endpoint
from server.llm.failures import Failure
from server.llm.keys import Key
from server.llm.pricing import tokens_in
from server.llm.provider import Provider
from server.llm.settings import EmbeddingSettings, Format

#: The name under which embeddings are paid.
MEMBER = "embeddings"
#: Vectors that are kept, and numbers in one at most, more than any model's.
KEPT, LONGEST = 4_096, 32_768

log = structlog.get_logger(__name__)


class ProviderEmbedder:
    """Fits ``engine.meaning.Embedder``. The provider is shared and outlives it.

    Raises:
        ValueError: the provider's format has no embeddings.
    """

    def __init__(self, settings: EmbeddingSettings, provider: Provider) -> None:
        if provider.settings.format is Format.ANTHROPIC_MESSAGES:
            raise ValueError(f"provider {provider.name!r} has no embeddings; name another one")
        if settings.price is not None:
            provider.book.override(settings.model, settings.price)
        self._settings = settings
        self._provider = provider
        self._kept: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    @property
    def min_similarity(self) -> float:
        """Cosine from which two answers are one."""
        return self._settings.min_similarity

    async def embed(self, text: str, query: Query, deadline: Deadline) -> tuple[float, ...] | None:
        """The text's vector; None: it did not come in time, or there is no money for it."""
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        own = query.keys.get(self._provider.name) if query.keys else None
        found = await self._paid(text, query, own, deadline.within(self._settings.timeout_s))
        if isinstance(found, Failure):
            log.info(
                "embedding failed", provider=self._provider.name, reason=found.reason, detail=found.detail
            )
            return None
        if found is not None:
            self._kept[text] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    async def _paid(
        self, text: str, query: Query, own: str | None, deadline: Deadline
    ) -> tuple[float, ...] | Failure | None:
        if query.purse is None:
            return (await self._ask(text, own, deadline))[0]
        bound = self._bound(text)
        hold = await query.purse.reserve(MEMBER, self._provider.name, bound, callers_key=own is not None)
        if isinstance(hold, Refused):
            return None
        cost: Cost | None = None
        made = False
        try:
            found, cost = await self._ask(text, own, deadline)
            made = not isinstance(found, Failure) or found.billed
        except asyncio.CancelledError:
            cost = self._cost(TokenUsage(input_uncached=len(text.encode()), estimated=True))
            made = True
            raise
        finally:
            hold.settle(cost, unpriced=made and bound is None and cost is None)
        return found

    def _bound(self, text: str) -> int | None:
        prices = self._provider.book.find(self._settings.model)
        if prices is None:
            return 0 if self._provider.flavour.name == "local" else None
        return prices.upper_bound_nano_usd(len(text.encode()), 0)

    async def _ask(
        self, text: str, own: str | None, deadline: Deadline
    ) -> tuple[tuple[float, ...] | Failure, Cost | None]:
        provider, model = self._provider, self._settings.model
        endpoint = provider.endpoint(model)
        if endpoint.is_unknown:
            return Failure(AbsentReason.CALLER_MODEL_UNKNOWN, f"{provider.name} does not know {model}"), None
        key = provider.pick_key(endpoint, own, set(), 0)
        if isinstance(key, Failure):
            return key, None
        limiter = endpoint.limiter(key)
        permit = limiter.try_enter(tokens_in(len(text.encode())))
        if permit is None:
            return Failure(AbsentReason.POLICY_RATE_LIMITED, "the rate limit is used up"), None
        ticket = None
        try:
            ticket = endpoint.breaker.admit()
            if ticket is None:
                return Failure(AbsentReason.POLICY_CIRCUIT_OPEN, f"{model} failed too often"), None
            return await self._fetched(text, endpoint, key, ticket, deadline)
        finally:
            limiter.leave(unused=permit if ticket is None else None)

    async def _fetched(
        self, text: str, endpoint: Endpoint, key: Key, ticket: int, deadline: Deadline
    ) -> tuple[tuple[float, ...] | Failure, Cost | None]:
        """One call, of which breaker, keys and limits learn as of any other."""
        provider, begun_s = self._provider, self._provider.clock.monotonic()
        path, body = _request(provider.settings.format, self._settings.model, text)
        request = provider.small_request(path, body, key.secret.reveal())
        try:
            answer = await provider.fetch(request, deadline)
        except BaseException:
            endpoint.breaker.release(ticket)
            raise
        found, cost = self._understood(answer, text)
        if isinstance(found, Failure):
            found = provider.without_secrets(found, key)
        failure = found if isinstance(found, Failure) else None
        provider.judge(endpoint, ticket, failure, begun_s, deadline.at_s)
        if failure is not None:
            provider.learn_failure(endpoint, key, failure)
        return found, cost

    def _understood(
        self, answer: tuple[int, Any] | Failure, text: str
    ) -> tuple[tuple[float, ...] | Failure, Cost | None]:
        if isinstance(answer, Failure):
            guess = TokenUsage(input_uncached=len(text.encode()), estimated=True)
            return answer, self._cost(guess) if answer.billed else None
        status, payload = answer
        if status != 200:
            return self._provider.wire.failure(status, payload, {}), None
        usage, vector = _usage(payload, text), _vector(payload)
        if vector is None:
            failure = Failure(AbsentReason.PROVIDER_BAD_OUTPUT, "the answer holds no embedding", billed=True)
            return failure, self._cost(usage)
        return vector, self._cost(usage)

    def _cost(self, usage: TokenUsage) -> Cost | None:
        return self._provider.book.cost(usage, self._settings.model, "")


def check_trusted(compares: Provider, answers: Provider) -> None:
    """A model's answer may repeat whatever the model was shown, so only who may see that may see the answer.

    Raises:
        ValueError: ``compares``, which is sent the answers, is trusted less than
            ``answers``, whose models give them.
    """
    if hidden := sorted(answers.allowed - compares.allowed):
        raise ValueError(
            f"provider {compares.name!r} may not be shown {', '.join(hidden)}, which provider "
            f"{answers.name!r} is shown and its answers may repeat; name a provider that is trusted as far, "
            f"or set 'policy' or 'allow' of one of the two"
        )


def _request(format_: Format, model: str, text: str) -> tuple[str, dict[str, Any]]:
    if format_ is Format.GEMINI:
        name = model.removeprefix("models/")
        one = {"model": f"models/{name}", "content": {"parts": [{"text": text}]}}
        return f"/v1beta/models/{quote(name, safe='')}:batchEmbedContents", {"requests": [one]}
    return "/embeddings", {"model": model, "input": text, "encoding_format": "float"}


def _vector(payload: Any) -> tuple[float, ...] | None:
    """The numbers in OpenAI's or Gemini's answer; None where they are none, all 0, or no end of them."""
    try:
        gemini = "embeddings" in payload
        numbers = payload["embeddings"][0]["values"] if gemini else payload["data"][0]["embedding"]
        vector = tuple(float(number) for number in numbers[:LONGEST])
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return None
    if len(vector) < len(numbers):
        return None
    return vector if any(vector) and all(map(math.isfinite, vector)) else None


def _usage(payload: Any, text: str) -> TokenUsage:
    told = payload.get("usage") if isinstance(payload, dict) else None
    count = told.get("prompt_tokens") if isinstance(told, dict) else None
    if type(count) is int and 0 <= count <= MOST_TOKENS:
        return TokenUsage(input_uncached=count)
    return TokenUsage(input_uncached=-(-len(text.encode()) // 4), estimated=True)
