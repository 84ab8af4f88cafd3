# SPDX-License-Identifier: Apache-2.0
"""One model at one provider: its health, its limits, and what it has taught us about itself."""

import hashlib
from collections import deque
from collections.abc import Collection
from statistics import median

import httpx2

from server.forecasting.deadline import Clock
from server.llm.breaker import Breaker, Changed
from server.llm.failures import Parameter
from server.llm.keys import Key
from server.llm.limiter import Limiter
from server.llm.settings import ProviderSettings

_REMEMBERED = 64
#: Schema answers that could not be read, in a row, before the schema goes into the prompt.
_SCHEMA_PATIENCE = 3
#: How long it stays there; an endpoint that was only confused for a while gets the schema again.
WORDS_S = 600.0
_MAX_LIMITERS = 1_000


class Endpoint:
    """Shared by all members that ask this model here."""

    def __init__(
        self, model: str, settings: ProviderSettings, clock: Clock, changed: Changed | None = None
    ) -> None:
        self.model = model
        self.breaker = Breaker(settings.breaker, clock, changed, _phase(settings.base_url, model))
        self._refused: frozenset[Parameter] = frozenset()
        self._words_until_s = 0.0
        #: Until when the model counts as unknown to the provider, on the clock.
        self.unknown_until_s = 0.0
        self.urls: dict[str, httpx2.URL] = {}
        self._settings = settings
        self._clock = clock
        self._limiters: dict[str, Limiter] = {}
        self._latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._outputs: deque[int] = deque(maxlen=_REMEMBERED)
        self._unreadable = 0

    @property
    def limiters(self) -> Collection[Limiter]:
        """Those of all keys."""
        return self._limiters.values()

    def limiter(self, key: Key) -> Limiter:
        """The limiter of a key for this model."""
        limiter = self._limiters.get(key.label)
        if limiter is None:
            limiter = self._limiters[key.label] = Limiter(self._settings.limits, self._clock)
            self._forget_idle()
        return limiter

    def _forget_idle(self) -> None:
        """Callers bring keys of their own; those not in use must not fill the memory."""
        if len(self._limiters) > _MAX_LIMITERS:
            idle = [label for label, limiter in self._limiters.items() if not limiter.in_flight]
            for label in idle[: _MAX_LIMITERS // 2]:
                del self._limiters[label]

    @property
    def is_unknown(self) -> bool:
        """Whether the provider has lately said that it does not know the model."""
        return self.unknown_until_s > self._clock.monotonic()

    @property
    def refused(self) -> frozenset[Parameter]:
        """Parameters that are not sent: those it refused, and for a while a schema that it ignores."""
        if self._words_until_s > self._clock.monotonic():
            return self._refused | {Parameter.SCHEMA}
        return self._refused

    def learn_refused(self, parameter: Parameter) -> None:
        """The model does not take this parameter; it is never sent again."""
        self._refused |= {parameter}

    def revive(self) -> None:
        """Ask the model again, whatever was wrong with it: an operator has mended that."""
        self.unknown_until_s = 0.0
        self.breaker.try_now()

    def learn_readable(self, *, readable: bool) -> bool:
        """Whether an answer under a schema could be read; too many that could not, and it goes into words.

        True: it does so now. When the schema comes back, one more unreadable answer is enough.
        """
        self._unreadable = 0 if readable else self._unreadable + 1
        if self._unreadable < _SCHEMA_PATIENCE or Parameter.SCHEMA in self.refused:
            return False
        self._words_until_s = self._clock.monotonic() + WORDS_S
        self._unreadable = _SCHEMA_PATIENCE - 1
        return True

    def learn_latency(self, seconds: float) -> None:
        """How long a good answer took."""
        self._latencies.append(seconds)

    def learn_output(self, tokens: int) -> None:
        """How long an answer was."""
        self._outputs.append(tokens)

    def typical_output(self) -> int | None:
        """Mean length of an answer in tokens, rounded up; None while none is known."""
        return -(-sum(self._outputs) // len(self._outputs)) if self._outputs else None

    def typical_s(self) -> float:
        """Median time of a good answer; 0 while none is known."""
        return median(self._latencies) if self._latencies else 0.0


def _phase(address: str, model: str) -> float:
    """A number in [0, 1) that is the model's own, and always the same."""
    digest = hashlib.blake2b(f"{address}\0{model}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
