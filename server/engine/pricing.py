# SPDX-License-Identifier: Apache-2.0
"""What asking members costs: bounds to reserve, and what is usual, to choose by."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.engine.ensembles import Ensemble
from server.engine.execution import MAX_ATTEMPTS
from server.forecasting.ensemble import EnsembleSpec, Plan
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.ports import as_priced
from server.forecasting.query import Query


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """What asking one member costs, nano US dollars; None: nobody knows.

    ``once_nano_usd`` is an upper bound of one call, of which there are
    ``max_calls`` at most; ``expected_nano_usd`` is its mean so far, or a guess.
    """

    member: str
    once_nano_usd: int | None = 0
    max_calls: int = 0
    expected_nano_usd: int | None = 0

    @property
    def is_free(self) -> bool:
        """Whether it surely costs nothing."""
        return self.once_nano_usd == 0

    @property
    def bound_nano_usd(self) -> int | None:
        """Upper bound of all its calls."""
        return None if self.once_nano_usd is None else self.once_nano_usd * self.max_calls


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a question costs; the bound never exceeds the limit of a question."""

    bound: Cost | None
    expected: Cost | None
    members: tuple[MemberPrice, ...]


def prices(ensemble: Ensemble, plan: Plan, query: Query) -> list[MemberPrice]:
    """What each of the planned members costs for this question."""
    hedges = MAX_ATTEMPTS if plan.spec.execution == "hedged" else 1
    return [_price(ensemble, member.name, query, hedges) for member in plan.members]


def _price(ensemble: Ensemble, member: str, query: Query, hedges: int) -> MemberPrice:
    forecaster = as_priced(ensemble.forecasters[member])
    if forecaster is None or forecaster.is_free:
        return MemberPrice(member)
    usual = ensemble.standings[member].mean_cost_nano_usd
    return MemberPrice(
        member,
        forecaster.upper_bound(query),
        forecaster.max_calls * hedges,
        forecaster.expected(query) if usual is None else usual,
    )


def estimate(ensemble: Ensemble, plan: Plan, query: Query) -> Estimate:
    """What this plan costs, before anyone is asked."""
    members = tuple(prices(ensemble, plan, query))
    bounds = [price.bound_nano_usd for price in members]
    usual = [price.expected_nano_usd for price in members]
    return Estimate(_within(plan.spec, bounds), _within(plan.spec, usual), members)


def _within(spec: EnsembleSpec, amounts: Sequence[int | None]) -> Cost | None:
    """The sum, as far as the limit lets it go; None where nobody knows one of them."""
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return None
    return Cost(min(sum(known), spec.max_cost_nano_usd), CostSource.ESTIMATE)
