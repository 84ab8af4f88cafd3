# SPDX-License-Identifier: Apache-2.0
"""Who is asked, and in which order, by the ensemble's selection.

- all: everyone, as configured.
- budget: the best accuracy for the money, as many as the limit of a question pays for.
- stake: the quickest member alone where little is at stake, everyone above.
- value: everyone, those first whose answer lessens the pool's error most for
  its price; learned from the members' agreement, so it needs no outcomes. The
  market's price, which is at hand, is always among those asked.
- context: the same, and what outcomes add to it in the question's category,
  horizon and regime; whoever is in outage or decline is left out, and asked
  now and then to see whether it is back.
  Both may be cut: ``most`` members, and only those that do good (``least_gain``).
- a plug-in's.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from consilience.plugins import Candidate
from server.engine.affording import affordable
from server.engine.ensembles import Ensemble
from server.engine.probation import SelectionState
from server.forecasting.ensemble import Choices, MemberSpec, Options, Plan, make_plan, narrowed
from server.forecasting.errors import PluginError
from server.forecasting.plugins import PLUGINS, SELECTION_GROUP
from server.forecasting.query import Query
from server.forecasting.question import Binary, Question


@dataclass(frozen=True, slots=True)
class Choosing:
    """What a selection has to go by."""

    ensemble: Ensemble
    plan: Plan
    question: Question


#: Questions of each kind that must have taught something before there is an order.
TAUGHT_FIRST = 8
#: Share of the questions that members on probation are asked.
PROBATION_SHARE = 0.2


class Limits(TypedDict):
    """Where an order of members ends."""

    most: int | None
    least_gain: float | None


#: Names of those to ask, in order.
Selecting = Callable[[Choosing], Sequence[str]]


def plan_for(ensemble: Ensemble, options: Options, question: Question, choices: Choices) -> Plan:
    """Who is asked this question, in which order, and when it is enough.

    Raises:
        InvalidRequestError: a wish breaks a rule.
        NotFoundError: a member is not known.
        PluginError: a plugged-in selection is broken.
    """
    plan = make_plan(ensemble.spec, options, choices, question.stake_usd)
    name = plan.spec.selection
    if name == "all" or len(plan.members) == 1:
        return plan
    choosing = Choosing(ensemble, plan, question)
    select = SELECTIONS.get(name)
    if select is not None:
        return _beside(_at_hand(choosing), narrowed(_exploring(choosing), select(choosing)))
    return narrowed(plan, _plugged(name, choosing))


def _as_configured(choosing: Choosing) -> Sequence[str]:
    return [member.name for member in choosing.plan.members]


def _by_stake(choosing: Choosing) -> Sequence[str]:
    names = _as_configured(choosing)
    if choosing.question.stake_usd >= choosing.plan.spec.stake_threshold_usd:
        return names
    return [min(names, key=lambda name: _latency_s(choosing.ensemble, name))]


def _latency_s(ensemble: Ensemble, name: str) -> float:
    """The member's median; one that never answered comes after those that did, in its place."""
    standing = ensemble.standings[name]
    return standing.median_latency_s if standing.samples else float("inf")


def _by_budget(choosing: Choosing) -> Sequence[str]:
    plan = choosing.plan
    query = Query(choosing.question, share_market_price=plan.spec.share_market_price)
    return affordable(choosing.ensemble, plan, query, plan.spec.max_cost_nano_usd)


def _by_value(choosing: Choosing) -> Sequence[str]:
    names = _as_configured(choosing)
    free = _at_hand(choosing)
    prices = {name: price_usd(choosing.ensemble, choosing.plan, name) for name in names}
    kind = kind_of(choosing.question)
    order = choosing.ensemble.value.order(names, kind, prices, **_limits(choosing))
    return [*free, *(name for name in order if name not in free)]


def _limits(choosing: Choosing) -> Limits:
    """How many are asked at most, and how much good a member must do; not where a question explores."""
    spec = choosing.plan.spec
    wishes = spec.selection_parameters
    if explores(spec.explore_share, choosing.question):
        return Limits(most=None, least_gain=None)
    return Limits(most=int(wishes["most"]) if "most" in wishes else None, least_gain=wishes.get("least_gain"))


def _at_hand(choosing: Choosing) -> list[str]:
    """With selection value: members whose answer the question brings along, free and at once.

    They are asked whatever their scatter says: a market is far from the others'
    median above all where it knows more than they do.
    """
    question = choosing.question
    priced = question.market_probability is not None and isinstance(question.kind, Binary)
    if choosing.plan.spec.selection != "value" or not priced:
        return []
    forecasters = choosing.ensemble.forecasters
    return [name for name in _as_configured(choosing) if forecasters[name].identity.kind == "market"]


def _beside(free: Sequence[str], plan: Plan) -> Plan:
    """The plan with those at hand taking nobody's place among as many answers as are enough."""
    enough = plan.spec.enough_responses
    if not free or enough is None:
        return plan
    return replace(plan, spec=replace(plan.spec, enough_responses=enough + len(free)))


def _by_context(choosing: Choosing) -> Sequence[str]:
    ensemble, plan, question = choosing.ensemble, choosing.plan, choosing.question
    known = ensemble.experienced
    experience = None if known is None else known.experience(plan.spec.name, question)
    names = _fit(choosing, {} if experience is None else experience.excess)
    prices = {name: price_usd(ensemble, plan, name) for name in names}
    if experience is None:
        return ensemble.value.order(names, kind_of(question), prices, **_limits(choosing))
    return experience.value.order(
        names, experience.context, prices, answers=ensemble.value, **_limits(choosing)
    )


def _fit(choosing: Choosing, excess: Mapping[str, float]) -> list[str]:
    """Those in good standing, and now and then those on probation; everyone where that is nobody."""
    ensemble, names = choosing.ensemble, _as_configured(choosing)
    now_s = time.monotonic()
    states = {
        name: ensemble.roll_call.look(name, ensemble.standings[name], now_s, excess.get(name))
        for name in names
    }
    wanted = {SelectionState.ACTIVE}
    if explores(PROBATION_SHARE, choosing.question):
        wanted.add(SelectionState.PROBATION)
    return [name for name in names if states[name] in wanted] or list(names)


def kind_of(question: Question) -> str:
    """Questions of one kind share what is learned of the members."""
    return question.origin or ("market" if question.market_probability is not None else "")


def price_usd(ensemble: Ensemble, plan: Plan, name: str) -> float:
    """What one call has cost on average; unknown: as the ensemble says."""
    known = ensemble.standings[name].mean_cost_nano_usd
    return plan.spec.call_cost_usd if known is None else known / 1e9


def _exploring(choosing: Choosing) -> Plan:
    """At first, and then now and again, everyone is asked, to learn of those who otherwise never are."""
    plan, question = choosing.plan, choosing.question
    if plan.spec.selection not in LEARNED or plan.spec.explore_share <= 0.0:
        return plan
    taught = choosing.ensemble.taught[kind_of(question)]
    if taught >= TAUGHT_FIRST and not explores(plan.spec.explore_share, question):
        return plan
    spec = replace(
        plan.spec,
        execution="parallel",
        enough_responses=None,
        spare_members=None,
        stop_when_settled=False,
        stop_when_not_worth=False,
        early_stop_threshold=1.0,
    )
    return replace(plan, spec=spec)


def explores(share: float, question: Question) -> bool:
    """Whether a question is one of the share at which everyone is asked: always the same ones."""
    digest = hashlib.blake2b(f"explore\0{question.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


#: Built-in selections by name.
SELECTIONS: dict[str, Selecting] = {
    "all": _as_configured,
    "budget": _by_budget,
    "stake": _by_stake,
    "value": _by_value,
    "context": _by_context,
}
#: Those that ask everyone now and then, to learn of those whom they otherwise never ask.
LEARNED = frozenset({"value", "context"})


def _plugged(name: str, choosing: Choosing) -> list[str]:
    select = PLUGINS.get(SELECTION_GROUP, name)
    plan, question = choosing.plan, choosing.question
    candidates = [_candidate(choosing.ensemble, member) for member in plan.members]
    try:
        chosen = list(select(candidates, question.category, dict(plan.spec.selection_parameters)))
    except Exception as error:  # a stranger's code may raise anything
        raise PluginError(f"the selection {name!r} failed with {type(error).__name__}: {error}") from error
    known = {candidate.name for candidate in candidates}
    if not chosen or len(set(chosen)) != len(chosen) or not known.issuperset(chosen):
        raise PluginError(
            f"the selection {name!r} gave {chosen!r}; wanted are different names, at least one, "
            f"of: {', '.join(sorted(known))}"
        )
    return chosen


def _candidate(ensemble: Ensemble, member: MemberSpec) -> Candidate:
    standing = ensemble.standings[member.name]
    return Candidate(
        name=member.name,
        weight=member.weight,
        accuracy=standing.accuracy,
        cost_nano_usd=standing.mean_cost_nano_usd,
        latency_s=standing.mean_latency_s,
    )
