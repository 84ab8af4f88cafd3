# SPDX-License-Identifier: Apache-2.0
"""What a budget that is nearly used up does to a question: a cheaper set, or one member after the other."""

from dataclasses import replace

from server.engine.affording import affordable, ranked
from server.engine.ensembles import Ensemble
from server.engine.pricing import MemberPrice
from server.engine.treasury import Restraint
from server.forecasting.ensemble import Plan, narrowed
from server.forecasting.money import Control
from server.forecasting.query import Query

#: Share of the usual cost that the cheaper set may cost.
CHEAPER_SHARE = 0.5


def restrain(ensemble: Ensemble, plan: Plan, query: Query, restraint: Restraint) -> Plan:
    """The plan that the control in force allows, with a warning that says so.

    ``STOP`` leaves the plan alone: whoever costs money is refused by purse or ledger.
    """
    if restraint.control is Control.NONE:
        return plan
    plan = plan.warned(_warning(restraint))
    if restraint.control is Control.CHEAPER:
        return _cheaper(ensemble, plan, query)
    if restraint.control is Control.CASCADE:
        return _cascade(ensemble, plan, query)
    return plan


def _cheaper(ensemble: Ensemble, plan: Plan, query: Query) -> Plan:
    """About half of the plan's cost, counted in upper bounds."""
    total = sum(price.once_nano_usd or 0 for price in ranked(ensemble, plan, query))
    return narrowed(plan, affordable(ensemble, plan, query, round(total * CHEAPER_SHARE)))


def _cascade(ensemble: Ensemble, plan: Plan, query: Query) -> Plan:
    """Whoever is free first, then the best value; content with one that is confident enough."""
    order = sorted(ranked(ensemble, plan, query), key=_costs)
    spec = replace(plan.spec, execution="cascade", min_responses=None)
    return narrowed(replace(plan, spec=spec), [price.member for price in order])


def _costs(price: MemberPrice) -> bool:
    return not price.is_free


def _warning(restraint: Restraint) -> str:
    what = {
        Control.CHEAPER: "a cheaper set of members was asked",
        Control.CASCADE: "members were asked one after the other, until one was confident enough",
        Control.STOP: "members that cost money are refused",
    }[restraint.control]
    return f"budget {restraint.budget!r} is {restraint.used:.0%} used: {what}"
