# SPDX-License-Identifier: Apache-2.0
"""Metrics of the cache and of the mode of operation."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.engine.caching.answers import AnswerCache
from server.engine.modes.control import ModeControl
from server.engine.modes.mode import Mode, ModeStatus


class CacheCollector(Collector):
    """Reads the cache's own counts when it is asked for metrics."""

    def __init__(self, cache: AnswerCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        """The counts as they are."""
        counts = self._cache.counts
        lookups = CounterMetricFamily(
            "consilience_cache_lookups", "Questions looked up in the cache of answers.", labels=("result",)
        )
        for result in ("exact", "shared", "similar"):
            lookups.add_metric((result,), getattr(counts, result))
        lookups.add_metric(("miss",), counts.misses)
        yield lookups
        yield CounterMetricFamily(
            "consilience_cache_saved_usd",
            "What cached answers would have cost, US dollars.",
            value=counts.saved_nano_usd / 1e9,
        )
        yield GaugeMetricFamily(
            "consilience_cache_entries", "Answers in the cache.", value=float(len(self._cache))
        )


class ModeMetrics(Collector):
    """The mode and its changes; listens to a ``ModeControl``."""

    def __init__(self, modes: ModeControl, registry: CollectorRegistry) -> None:
        self._modes = modes
        self._changes = Counter(
            "consilience_mode_changes",
            "Changes of the mode of operation, by the mode they led to.",
            ("mode", "cause"),
            registry=registry,
        )
        modes.listen(self._changed)
        registry.register(self)

    def _changed(self, before: ModeStatus, after: ModeStatus) -> None:
        del before
        self._changes.labels(after.mode.name.lower(), after.cause.value).inc()

    def collect(self) -> Iterator[Metric]:
        """The mode as it is: 1 for the one in force."""
        gauge = GaugeMetricFamily(
            "consilience_mode", "Mode of operation: 1 for the one in force.", labels=("mode",)
        )
        for mode in Mode:
            gauge.add_metric((mode.name.lower(),), float(mode is self._modes.mode))
        yield gauge
