# SPDX-License-Identifier: Apache-2.0
"""One provider: its connections, keys and models. All members that ask there share it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic_core import to_json

from server.forecasting.deadline import Clock, Deadline
from server.forecasting.forecast import AbsentReason, CostSource
from server.llm.attempts import Attempt, AttemptObserver
from server.llm.breaker import Circuit
from server.llm.completion import ChatRequest
from server.llm.endpoint import Endpoint
from server.llm.exchange import Exchange, fetch
from server.llm.failures import BREAKING, Failure, Parameter
from server.llm.flavours import Flavour, credits_nano_usd, flavour_of
from server.llm.keys import DEAD_S, Key, KeyRing, label_of
from server.llm.limiter import Permit
from server.llm.pricing import PriceBook
from server.llm.privacy import allowed_fields
from server.llm.punctuality import Punctuality
from server.llm.reconciling import Reconciler
from server.llm.secrets import Secret, resolved
from server.llm.settings import Policy, PriceSettings, ProviderSettings
from server.llm.transport import make_transport
from server.llm.wire.format import merged
from server.llm.wire.formats import make_wire
from server.llm.wire.shapes import table

#: A model that the provider does not know is asked again after so long.
UNKNOWN_MODEL_S = 600.0
#: Told of a breaker's change: provider, model, the state before and after. Must neither block nor raise.
CircuitListener = Callable[[str, str, Circuit, Circuit], None]
#: Wait after a rate limit that names no time, and the longest that is believed.
_UNNAMED_WAIT_S, _LONGEST_WAIT_S = 1.0, 86_400.0


class Repeating(Protocol):
    """What a provider has told, which may repeat a secret."""

    def without(self, *secrets: str) -> Self:
        """The same with ``secrets`` blotted out."""
        ...


Told = TypeVar("Told", bound=Repeating)


class Provider:
    """Built once per ``[providers.NAME]``; needs no running loop until the first call."""

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        *,
        clock: Clock,
        observer: AttemptObserver,
        circuits: CircuitListener | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.observer = observer
        self._circuits = circuits
        self.clock = clock
        self.flavour: Flavour = flavour_of(settings.flavour, settings.base_url)
        self.allowed = allowed_fields(settings.policy, settings.allow)
        self.wire = make_wire(settings.format, _obeying(self.flavour, settings.policy))
        self.keys = KeyRing(settings.references, clock)
        self.book = PriceBook(self.flavour.prices, settings.prices, clock)
        self._transport: httpx2.AsyncBaseTransport = make_transport(settings)
        self._base_url = settings.base_url.rstrip("/")
        self._endpoints: dict[str, Endpoint] = {}
        self._extensions = {"timeout": {"connect": settings.timeouts.connect_s}}
        self.reconciler = Reconciler()
        self._punctuality = Punctuality()
        given = {name: resolved(value) for name, value in settings.headers.items()}
        #: From headers whose values are references, without their scheme: nobody may see them in an error.
        self._hidden = [
            Secret(given[name].split()[-1], reference)
            for name, reference in settings.headers.items()
            if given[name] != reference
        ]
        self._headers = [
            (b"content-type", b"application/json"),
            (b"accept-encoding", b"identity"),  # answers are small: packing them costs more than it saves
            (b"user-agent", b"consilience"),
            *((name.lower().encode(), value.encode()) for name, value in given.items()),
        ]

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Models asked so far."""
        return self._endpoints

    def endpoint(self, model: str, price: PriceSettings | None = None) -> Endpoint:
        """The model's shared state. ``price`` overrides the table for it."""
        endpoint = self._endpoints.get(model)
        if endpoint is None:
            if price is not None:
                self.book.override(model, price)
            changed = None if self._circuits is None else partial(self._circuits, self.name, model)
            endpoint = Endpoint(model, self.settings, self.clock, changed)
            self._endpoints[model] = endpoint
        return endpoint

    def pick_key(self, endpoint: Endpoint, own: str | None, tried: set[str], tokens: int) -> Key | Failure:
        """A key for the next attempt; ``own`` is the caller's, used instead of ours."""
        if own:
            return self._caller_key(own, tried)
        return self.keys.pick(endpoint.model, tried, lambda key: endpoint.limiter(key).queue(tokens))

    def other_keys(self, model: str, tried: set[str]) -> bool:
        """Whether a usable key is left that was not tried."""
        return isinstance(self.keys.pick(model, tried, lambda _: (0.0, 0)), Key)

    def exchange(self, enough: Callable[[str], bool] | None, *, stream: bool) -> Exchange:
        """For one attempt; ``enough`` says when a stream has said enough."""
        return Exchange(self._transport, self.wire, self.settings.timeouts, stream, enough)

    def request(
        self, endpoint: Endpoint, chat: ChatRequest, key: Key, without: frozenset[Parameter]
    ) -> httpx2.Request:
        """The HTTP request, with its body as bytes."""
        path = self.wire.path(chat)
        url = endpoint.urls.get(path)
        if url is None:
            url = endpoint.urls[path] = httpx2.URL(self._base_url + path)
        body = to_json(self.wire.body(chat, without))
        # Given as a stream, the body is not looked at again, and the headers are complete as they are.
        framing = [(b"host", url.netloc), (b"content-length", str(len(body)).encode())]
        return httpx2.Request(
            "POST",
            url,
            headers=framing + self._headers + self.wire.headers(key.secret.reveal()),
            stream=httpx2.ByteStream(body),
            extensions=self._extensions,
        )

    def small_request(self, path: str, body: Any, secret: str) -> httpx2.Request:
        """A request beside the questions, such as for embeddings."""
        return httpx2.Request(
            "POST",
            self._base_url + path,
            headers=self._headers + self.wire.headers(secret),
            content=to_json(body),
            extensions=self._extensions,
        )

    def without_secrets(self, told: Told, key: Key) -> Told:
        """What the provider told, without the key and whatever else was sent that nobody may see."""
        return told.without(key.secret.reveal(), *(secret.reveal() for secret in self._hidden))

    async def fetch(self, request: httpx2.Request, deadline: Deadline) -> tuple[int, Any] | Failure:
        """Status and body of a small request."""
        return await fetch(self._transport, request, deadline)

    def learn(
        self, endpoint: Endpoint, key: Key, permit: Permit, exchange: Exchange, failure: Failure | None
    ) -> None:
        """Take in what an attempt says about limits, keys and the model."""
        if exchange.headers and (limits := self.wire.limits(exchange.headers)):
            endpoint.limiter(key).observe(limits, permit)
        if failure is not None:
            self.learn_failure(endpoint, key, failure)

    def learn_failure(self, endpoint: Endpoint, key: Key, failure: Failure) -> None:
        """Take in what a failure says about the key, its limits and the model."""
        reason = failure.reason
        if failure.parameter is not None:
            endpoint.learn_refused(failure.parameter)
        elif reason is AbsentReason.PROVIDER_RATE_LIMITED:
            wait_s = _UNNAMED_WAIT_S if failure.retry_after_s is None else failure.retry_after_s
            endpoint.limiter(key).block(min(wait_s, _LONGEST_WAIT_S))
        elif reason in DEAD_S:
            self._lose_key(endpoint, key, failure)
        elif reason is AbsentReason.CALLER_MODEL_UNKNOWN and key in self.keys.keys:
            # A caller's own key may lack a model that ours has: that is no reason to keep others from it.
            endpoint.unknown_until_s = self.clock.monotonic() + UNKNOWN_MODEL_S
            self.observer.alerted(self.name, "the provider does not know the model", failure.detail)

    def _lose_key(self, endpoint: Endpoint, key: Key, failure: Failure) -> None:
        # The secret may have been rotated on disk; then the new one is used from now on.
        if key not in self.keys.keys or self.keys.reload():
            return
        self.keys.block(key, endpoint.model, failure)
        self.observer.alerted(self.name, f"key {key.label} is out of use", failure.detail)

    def revive(self, endpoint: Endpoint) -> None:
        """Read the keys again, use them all, and ask the model: an operator has mended what was wrong."""
        self.keys.reload()
        self.keys.revive()
        endpoint.revive()

    def judge(
        self, endpoint: Endpoint, ticket: int, failure: Failure | None, begun_s: float, due_s: float
    ) -> None:
        """Tell the breaker how an attempt went that began then and was to end by ``due_s``."""
        breaker, now_s = endpoint.breaker, self.clock.monotonic()
        seconds = now_s - begun_s
        late = failure is not None and failure.reason is AbsentReason.PROVIDER_TIMEOUT
        if late:
            self._punctuality.fired(due_s, now_s)
        unfair = late and not self._punctuality.is_fair(endpoint, begun_s, due_s)
        if failure is not None and (unfair or failure.reason not in BREAKING):
            breaker.release(ticket)
            return
        before = breaker.state
        breaker.record(ticket, ok=failure is None, seconds=seconds)
        if failure is not None and breaker.state is not before:
            self.observer.alerted(
                self.name, f"circuit of {endpoint.model} is {breaker.state}", failure.detail
            )

    def told(self, attempt: Attempt) -> None:
        """Tell the observer of an attempt, and look its cost up later where that can be done."""
        self.observer.attempted(attempt)
        guessed = attempt.cost is not None and attempt.cost.source is CostSource.ESTIMATE
        # A caller's own key is not kept, and another key is told nothing of its calls.
        ours = self.keys.labelled(attempt.key) is not None
        if guessed and ours and attempt.response_id and self.flavour.look_up_path:
            self.reconciler.add(attempt)

    async def probe(self, deadline: Deadline) -> Failure | None:
        """A free request; None if the provider is there, whatever it says of the key."""
        answer = await self._get(
            self.wire.probe_path, deadline, self.keys.keys[0] if self.keys.keys else None
        )
        if isinstance(answer, Failure):
            return answer
        status, payload = answer
        return self.wire.failure(status, payload, {}) if status >= 500 else None

    async def look_up(self, attempt: Attempt, deadline: Deadline) -> int | None:
        """What a call has cost, in nano US dollars, by the provider's books; None: it cannot tell."""
        path = self.flavour.look_up_path.format(id=quote(attempt.response_id, safe=""))
        answer = await self._get(path, deadline, self.keys.labelled(attempt.key))
        if isinstance(answer, Failure) or answer[0] != 200 or not isinstance(answer[1], dict):
            return None
        return credits_nano_usd(table(answer[1].get("data")).get("total_cost"))

    async def _get(self, path: str, deadline: Deadline, key: Key | None) -> tuple[int, Any] | Failure:
        headers = self._headers + self.wire.headers(key.secret.reveal() if key else "")
        request = httpx2.Request("GET", self._base_url + path, headers=headers, extensions=self._extensions)
        return await fetch(self._transport, request, deadline)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _caller_key(self, own: str, tried: set[str]) -> Key | Failure:
        """A caller's own key has limits of its own, and is kept as a fingerprint only."""
        secret = Secret(own, "caller")
        label = label_of(secret)
        if label in tried:
            return Failure(AbsentReason.PROVIDER_AUTH_FAILED, "the caller's own key was refused")
        return Key(secret, label)


def _obeying(flavour: Flavour, policy: Policy) -> Flavour:
    """The flavour with what the policy asks of the provider itself."""
    if policy is not Policy.STRICT:
        return flavour
    return replace(flavour, body=merged(flavour.body, flavour.strict_body))
