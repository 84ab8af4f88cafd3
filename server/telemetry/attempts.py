# SPDX-License-Identifier: Apache-2.0
"""Metrics of calls to providers, under the names of OpenTelemetry's conventions where there are any."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.forecasting.forecast import Cost
from server.llm.attempts import Attempt, AttemptObserver
from server.telemetry.children import Children

_SECONDS = tuple(0.01 * 2**power for power in range(14))
_TOKENS = tuple(4.0**power for power in range(14))
#: From well to sick.
CIRCUITS = ("closed", "ramp_up", "half_open", "open")
_CALL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")


class AttemptMetrics:
    """Counts attempts, tokens, money, waits and circuits; an ``AttemptObserver``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._child = Children().of
        self._duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Time of one call to a provider.",
            (*_CALL, "error_type"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._first_chunk = Histogram(
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "Time to the first part of a streamed answer.",
            _CALL,
            buckets=_SECONDS,
            registry=registry,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of one call.",
            (*_CALL, "gen_ai_token_type"),
            buckets=_TOKENS,
            registry=registry,
        )
        self._attempts = Counter(
            "consilience_attempts",
            "Calls to providers; error_type is empty where the answer could be used.",
            ("member", "provider", "error_type"),
            registry=registry,
        )
        self._cost = Counter(
            "consilience_attempt_cost_usd",
            "Money that calls cost, US dollars, by where the figure comes from.",
            ("member", "provider", "source"),
            registry=registry,
        )
        self._waits = Histogram(
            "consilience_limiter_wait_seconds",
            "Time a call waited for a place within the rate limits, where it had to.",
            ("provider", "model"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._circuit = Gauge(
            "consilience_circuit_state",
            "Circuit breakers: " + ", ".join(f"{state} {name}" for state, name in enumerate(CIRCUITS)) + ".",
            ("provider", "model"),
            registry=registry,
        )
        self._circuit_changes = Counter(
            "consilience_circuit_changes",
            "Changes of circuit breakers, by the state they came to.",
            ("provider", "model", "state"),
            registry=registry,
        )
        self._alerts = Counter(
            "consilience_alerts", "What needs an operator.", ("provider",), registry=registry
        )

    def attempted(self, attempt: Attempt) -> None:
        """Count a call."""
        error = attempt.reason.value if attempt.reason is not None else ""
        call = ("chat", attempt.telemetry_name, attempt.model)
        self._child(self._attempts, attempt.member, attempt.provider, error).inc()
        self._child(self._duration, *call, error).observe(attempt.latency_s)
        if attempt.first_word_s is not None:
            self._child(self._first_chunk, *call).observe(attempt.first_word_s)
        if attempt.waited_s:
            self._child(self._waits, attempt.provider, attempt.model).observe(attempt.waited_s)
        if attempt.usage is not None and not attempt.usage.estimated:
            usage = attempt.usage
            read = usage.input_uncached + usage.cache_read + usage.cache_write
            self._child(self._tokens, *call, "input").observe(read)
            self._child(self._tokens, *call, "output").observe(usage.output)
        if attempt.cost is not None:
            cost = self._child(self._cost, attempt.member, attempt.provider, attempt.cost.source.value)
            cost.inc(attempt.cost.nano_usd / 1e9)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Count an alert."""
        del what, detail
        self._child(self._alerts, provider).inc()

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """Nothing: counters cannot go back, and the ledger has the right figure."""

    def circuit_is(self, provider: str, model: str, state: str) -> None:
        """Show a breaker's state without counting a change, as at start."""
        self._child(self._circuit, provider, model).set(CIRCUITS.index(state))

    def circuit_changed(self, provider: str, model: str, before: str, after: str) -> None:
        """Count a breaker's change and show the state it came to."""
        del before
        self.circuit_is(provider, model, after)
        self._child(self._circuit_changes, provider, model, after).inc()


class AttemptObservers:
    """Tells several observers in turn."""

    def __init__(self, observers: Sequence[AttemptObserver]) -> None:
        self._observers = tuple(observers)

    def attempted(self, attempt: Attempt) -> None:
        """An attempt has ended."""
        for observer in self._observers:
            observer.attempted(attempt)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Something needs an operator."""
        for observer in self._observers:
            observer.alerted(provider, what, detail)

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """An estimate has become a figure."""
        for observer in self._observers:
            observer.reconciled(attempt, cost)
