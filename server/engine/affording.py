# SPDX-License-Identifier: Apache-2.0
"""Members by accuracy for the money, and as many of them as some money surely pays for."""

from collections.abc import Sequence

from server.engine.ensembles import Ensemble
from server.engine.pricing import MemberPrice, prices
from server.forecasting.ensemble import MemberSpec, Plan
from server.forecasting.query import Query

#: A call counts as costing at least this much, so that nearly free members are not everything.
LEAST_COST_NANO_USD = 1_000_000


def affordable(ensemble: Ensemble, plan: Plan, query: Query, most_nano_usd: int) -> list[str]:
    """Greedily by accuracy weight per cost, whose first calls the money pays for even at their dearest.

    One that does not fit is passed over, and one whose price nobody knows is left
    out; where nobody fits, the cheapest is asked, and the purse has the last word.
    """
    chosen: list[str] = []
    left = most_nano_usd
    best_first = ranked(ensemble, plan, query)
    for price in best_first:
        if price.once_nano_usd is not None and price.once_nano_usd <= left:
            left -= price.once_nano_usd
            chosen.append(price.member)
    return chosen or [min(best_first, key=_bound).member]


def ranked(ensemble: Ensemble, plan: Plan, query: Query) -> list[MemberPrice]:
    """The planned members by accuracy weight per cost, best first; ties as configured."""
    made = prices(ensemble, plan, query)
    weights = accuracy_weights(ensemble, plan.members)
    worth = {
        price.member: weight / max(_usual(price), LEAST_COST_NANO_USD)
        for price, weight in zip(made, weights, strict=True)
    }
    return sorted(made, key=lambda price: -worth[price.member])


def accuracy_weights(ensemble: Ensemble, members: Sequence[MemberSpec]) -> list[float]:
    """Weight times accuracy; who has no accuracy yet counts as the mean of those who have."""
    known = [ensemble.standings[member.name].accuracy for member in members]
    told = [accuracy for accuracy in known if accuracy is not None]
    typical = sum(told) / len(told) if told else 1.0
    return [
        member.weight * (typical if accuracy is None else accuracy)
        for member, accuracy in zip(members, known, strict=True)
    ]


def _usual(price: MemberPrice) -> float:
    return float("inf") if price.expected_nano_usd is None else price.expected_nano_usd


def _bound(price: MemberPrice) -> float:
    return float("inf") if price.once_nano_usd is None else price.once_nano_usd
