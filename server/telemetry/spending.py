# SPDX-License-Identifier: Apache-2.0
"""Metrics of money: what is spent and refused as it happens, and how budgets stand when somebody looks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from server.forecasting.forecast import Cost
from server.forecasting.money import NANO_USD, Charge, Payer
from server.forecasting.ports import BudgetWatch
from server.telemetry.children import Children


class SpendMetrics:
    """A ``SpendObserver``. Amounts are US dollars."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._child = Children().of
        self._spent = Counter(
            "consilience_spend_usd",
            "Money spent on calls; source is estimate where the provider has not said.",
            ("member", "provider", "source"),
            registry=registry,
        )
        self._calls = Counter(
            "consilience_paid_calls", "Calls that cost money.", ("member", "provider"), registry=registry
        )
        self._corrections = Counter(
            "consilience_spend_corrections",
            "Estimates that gave way to the provider's figure.",
            ("member",),
            registry=registry,
        )
        self._refusals = Counter(
            "consilience_spend_refusals",
            "Calls not made for want of money; reason is a budget's name, or query, stopped, unpriced, "
            "overcharged, request, ledger.",
            ("member", "reason"),
            registry=registry,
        )
        self._excess = Counter(
            "consilience_spend_excess_usd",
            "Money billed beyond a call's upper bound; the member is switched off.",
            ("member",),
            registry=registry,
        )

    def settled(self, charge: Charge, cost: Cost) -> None:
        """Count money."""
        self._child(self._spent, charge.member, charge.provider, cost.source.value).inc(
            cost.nano_usd / NANO_USD
        )
        self._child(self._calls, charge.member, charge.provider).inc()

    def corrected(self, charge: Charge, guess: Cost, cost: Cost) -> None:
        """Count a correction; counters never fall, so the ledger has the corrected sum."""
        del guess, cost
        self._child(self._corrections, charge.member).inc()

    def refused(self, payer: Payer, member: str, why: str) -> None:
        """Count a refusal."""
        del payer
        self._child(self._refusals, member, why).inc()

    def exceeded(self, charge: Charge, cost: Cost) -> None:
        """Count what was too much."""
        self._child(self._excess, charge.member).inc((cost.nano_usd - charge.nano_usd) / NANO_USD)


class BudgetCollector(Collector):
    """Budgets as gauges, read when the metrics are."""

    def __init__(self, budgets: BudgetWatch) -> None:
        self._budgets = budgets

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Limit, settled, reserved and control of each budget."""
        families = {
            name: GaugeMetricFamily(f"consilience_budget_{name}", text, labels=("budget",))
            for name, text in (
                ("limit_usd", "Most that may be spent in a window."),
                ("settled_usd", "Spent in the present window."),
                ("reserved_usd", "Set aside for calls under way."),
                ("control", "What it does by itself: 0 nothing, 1 cheaper set, 2 cascade, 3 stop."),
            )
        }
        for status, control in self._budgets.watch():
            name = (status.budget.name,)
            families["limit_usd"].add_metric(name, status.budget.limit_nano_usd / NANO_USD)
            families["settled_usd"].add_metric(name, status.settled_nano_usd / NANO_USD)
            families["reserved_usd"].add_metric(name, status.reserved_nano_usd / NANO_USD)
            families["control"].add_metric(name, float(control))
        yield from families.values()
