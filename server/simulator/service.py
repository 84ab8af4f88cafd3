# SPDX-License-Identifier: Apache-2.0
"""Decides what becomes of each call: who may call, what strikes, what is answered and billed."""

import hashlib
import random
import time
from collections import Counter
from dataclasses import dataclass, replace

from server.simulator.behaviour import Behaviour, parse_behaviour
from server.simulator.composition import compose, spoil
from server.simulator.faults import CONTENT, Fault
from server.simulator.ledger import Entry, Ledger, Prices, Usage
from server.simulator.settings import SimulatorSettings
from server.simulator.wire.exchange import Ask, Finish, Limits, RefusedError, Reply

_FINISH = {
    Fault.TRUNCATED: Finish.TRUNCATED,
    Fault.REFUSE: Finish.REFUSED,
    Fault.UNKNOWN_FINISH: Finish.ODD,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call, decided. Latencies in seconds."""

    behaviour: Behaviour
    entry: Entry
    fault: Fault | None
    reply: Reply
    usage: Usage
    latency_s: float
    first_token_s: float
    limits: Limits | None


class RateWindow:
    """Fixed windows of a minute for each key and model."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, key: str, model: str, limit: int) -> Limits:
        """Count one call.

        Raises:
            RefusedError: the window is full.
        """
        now = time.monotonic()
        start, used = self._windows.get((key, model), (now, 0))
        if now - start >= 60:
            start, used = now, 0
        reset_s = start + 60 - now
        if used >= limit:
            raise RefusedError(Fault.RATE_LIMITED, f"Rate limit reached: {limit} per minute.", wait_s=reset_s)
        self._windows[key, model] = (start, used + 1)
        return Limits(limit, limit - used - 1, reset_s)


class Service:
    """All state of the simulator."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.ledger = Ledger()
        self.prices = Prices(
            input_nano_usd=settings.input_nano_usd,
            cache_read_nano_usd=settings.cache_read_nano_usd,
            cache_write_nano_usd=settings.cache_write_nano_usd,
            output_nano_usd=settings.output_nano_usd,
        )
        self._behaviours: dict[str, Behaviour] = {}
        self._overrides: dict[str, str] = dict(settings.models)
        self._calls: Counter[str] = Counter()
        self._windows = RateWindow()
        self._serial = 0

    def behave(self, model: str, behaviour: str) -> None:
        """From now on ``model`` behaves as ``behaviour`` says; empty: as its name says.

        Raises:
            ValueError: the behaviour is not known.
        """
        parse_behaviour(behaviour or "sim")
        self._overrides[model] = behaviour
        self._behaviours.pop(model, None)
        self._calls.pop(model, None)

    def reset(self) -> None:
        """Forget all calls, limits and overrides."""
        self.ledger.reset()
        self._calls.clear()
        self._behaviours.clear()
        self._overrides = dict(self.settings.models)
        self._windows = RateWindow()

    def open(self, wire: str, model: str, key: str, *, stream: bool) -> Entry:
        """Note that a call has arrived."""
        self._serial += 1
        entry = Entry(f"{self._serial:08d}", wire, model, fingerprint(key), time.monotonic(), stream)
        self.ledger.open(entry)
        return entry

    def decide(self, ask: Ask, entry: Entry, key: str) -> Call:
        """What becomes of a call.

        Raises:
            RefusedError: it is refused for a reason of its own: key, model, parameter or rate.
        """
        if self.settings.keys and key not in self.settings.keys:
            raise RefusedError(Fault.AUTH, "Incorrect API key provided.")
        behaviour = self._behaviour(ask.model)
        _check_parameters(ask, behaviour)
        limit = behaviour.requests_per_minute or self.settings.requests_per_minute
        limits = self._windows.take(entry.key, ask.model, limit) if limit else None
        number = self._calls[ask.model]
        self._calls[ask.model] += 1
        source = random.Random(f"{self.settings.seed}/{ask.model}/{number}")  # noqa: S311
        fault = behaviour.fault if behaviour.schedule.strikes(number, source.random()) else None
        if fault is Fault.SCHEMA_DROPPED and ask.schema is None:
            fault = None  # asked for in words, it is obeyed
        entry.fault = fault.value if fault else ""
        latency_s, first_token_s = behaviour.latency.draw(source), behaviour.first_token.draw(source)
        reply, usage = self._reply(ask, entry, behaviour, fault, source)
        return Call(behaviour, entry, fault, reply, usage, latency_s, first_token_s or latency_s / 2, limits)

    def settle(self, entry: Entry, outcome: str, usage: Usage | None = None) -> None:
        """A call has ended and is billed for ``usage``."""
        entry.usage = usage or Usage()
        self.ledger.settle(
            entry, outcome=outcome, finished_s=time.monotonic(), nano_usd=self.prices.bill(entry.usage)
        )

    def settle_disconnected(self, entry: Entry, usage: Usage, share: float) -> None:
        """The caller hung up when ``share`` of the answer was generated."""
        policy = self.settings.bill_cancelled
        billed = {
            "nothing": Usage(),
            "prompt": usage.generated(0.0),
            "generated": usage.generated(share),
            "everything": usage,
        }[policy]
        self.settle(entry, "disconnected", billed)

    def _behaviour(self, model: str) -> Behaviour:
        if model not in self._behaviours:
            self._behaviours[model] = self._parse(model)
        return self._behaviours[model]

    def _parse(self, model: str) -> Behaviour:
        bare = model.rpartition("/")[2]
        spelled = self._overrides.get(model) or (model if bare.startswith("sim") else self.settings.default)
        try:
            return parse_behaviour(spelled)
        except ValueError as error:
            raise RefusedError(Fault.NOT_FOUND, f"The model `{model}` does not exist: {error}") from error

    def _reply(
        self, ask: Ask, entry: Entry, behaviour: Behaviour, fault: Fault | None, source: random.Random
    ) -> tuple[Reply, Usage]:
        """The answer as reported, and the usage as billed."""
        probability = _probability(ask, behaviour)
        text = compose(ask.schema, ask.prompt, probability, source)
        finish = _FINISH.get(fault, Finish.COMPLETE) if fault else Finish.COMPLETE
        if fault in CONTENT:
            text = spoil(fault, text, probability)
        if ask.max_output_tokens and tokens(text) + behaviour.reasoning_tokens > ask.max_output_tokens:
            text, finish = text[: 4 * ask.max_output_tokens], Finish.TRUNCATED
        usage = _usage(ask, text, behaviour)
        return Reply(
            id=entry.id,
            created=int(time.time()),
            model=behaviour.answers_as or ask.model,
            text=text,
            finish=finish,
            usage=_reported(usage, fault),
            nano_usd=self.prices.bill(usage),
            null_usage=fault is Fault.NULL_USAGE,
        ), usage


def fingerprint(key: str) -> str:
    """Eight characters that tell keys apart and give nothing away."""
    return hashlib.sha256(key.encode()).hexdigest()[:8] if key else ""


def tokens(text: str) -> int:
    """Simulated tokens: four bytes each."""
    return -(-len(text.encode()) // 4)


def _probability(ask: Ask, behaviour: Behaviour) -> float:
    """As the name says, else one that depends on the model alone, between .05 and .95."""
    if behaviour.probability is not None:
        return behaviour.probability
    digest = hashlib.sha256(ask.model.encode()).digest()
    return round(0.05 + 0.9 * int.from_bytes(digest[:4], "big") / 2**32, 2)


def _usage(ask: Ask, text: str, behaviour: Behaviour) -> Usage:
    prompt = tokens(ask.prompt) + 8
    cached = prompt * behaviour.cached_percent // 100
    written = min(prompt - cached, prompt * behaviour.written_percent // 100)
    return Usage(
        prompt - cached - written,
        cached,
        written,
        tokens(text) + behaviour.reasoning_tokens,
        behaviour.reasoning_tokens,
    )


def _reported(usage: Usage, fault: Fault | None) -> Usage | None:
    if fault in (Fault.NO_USAGE, Fault.NULL_USAGE):
        return None
    if fault is Fault.WRONG_USAGE:
        return replace(usage, input_uncached=-5, output=-1)
    return usage


def _check_parameters(ask: Ask, behaviour: Behaviour) -> None:
    if refused := sorted(ask.parameters & behaviour.rejects):
        raise RefusedError(Fault.BAD_REQUEST, "Unsupported parameter.", parameter=refused[0])
