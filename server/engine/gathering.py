# SPDX-License-Identifier: Apache-2.0
"""Asking an ensemble's members: the step that predictions, signals and nested ensembles share."""

from server.engine.advice import Advice, learns
from server.engine.consensus import RunningConsensus
from server.engine.ensembles import Ensemble
from server.engine.events import Listener
from server.engine.execution import EXECUTIONS
from server.engine.fanout import Fanout, Seat
from server.engine.hedging import hedge_delay_s
from server.engine.meaning import meaning_of
from server.engine.selecting import LEARNED, SELECTIONS, kind_of, price_usd
from server.engine.stopping import weighs_worth
from server.engine.worth import Worth
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Choices, MemberSpec, Plan
from server.forecasting.plugged_pooling import ALL_POOLINGS
from server.forecasting.plugins import SELECTION_GROUP, Names
from server.forecasting.ports import as_hedged
from server.forecasting.query import Query
from server.forecasting.question import Binary, Question
from server.learning.batches import Asked
from server.learning.context import Context
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS

#: The choices that requests and configuration may name.
CHOICES = Choices(
    poolings=ALL_POOLINGS,
    executions=tuple(EXECUTIONS),
    selections=Names(tuple(SELECTIONS), SELECTION_GROUP),
    calibrations=tuple(CALIBRATORS),
    weightings=(*WEIGHTINGS, ADAPTIVE),
)


async def gather(
    ensemble: Ensemble, plan: Plan, query: Query, deadline: Deadline, listener: Listener | None = None
) -> RunningConsensus:
    """Ask the planned members until the deadline; what has come in by then is the consensus."""
    advice = await _advice(ensemble, plan, query, deadline) if ensemble.adviser is not None else None
    consensus = RunningConsensus(query.question, plan, listener, advice)
    consensus.worth = _worth(ensemble, plan, query.question)
    seats = [_seat(ensemble, plan, member) for member in plan.members]
    meaning = meaning_of(query.question.kind, ensemble.embedder)
    async with Fanout(seats, query, deadline, consensus.arrive, plan.order, _width(plan), meaning) as fanout:
        await EXECUTIONS[plan.spec.execution](fanout)
    _learn(ensemble, plan, consensus)
    return consensus


def _width(plan: Plan) -> int | None:
    """How many are asked at once; None: everyone."""
    spec = plan.spec
    if spec.spare_members is None or spec.enough_responses is None:
        return None
    return max(spec.enough_responses, plan.min_responses) + spec.spare_members


def _worth(ensemble: Ensemble, plan: Plan, question: Question) -> Worth | None:
    """What asking on is worth; None where nobody asks, or nobody said what a mistake costs."""
    loss_usd = question.stake_usd or plan.spec.loss_usd
    if not weighs_worth(plan.spec) or loss_usd <= 0.0:
        return None
    prices = [price_usd(ensemble, plan, member.name) for member in plan.members]
    return Worth(loss_usd, prices, plan.order, ensemble.scatter)


def _learn(ensemble: Ensemble, plan: Plan, consensus: RunningConsensus) -> None:
    """Take note of how the members' answers lie to each other, where that is ever asked."""
    if weighs_worth(plan.spec):
        ensemble.scatter.add(consensus.pool()[0].probabilities)
    if plan.spec.selection in LEARNED and isinstance(consensus.question.kind, Binary):
        names = tuple(member.name for member in plan.members)
        row, kind = consensus.pool()[0].probabilities[:, 0][None], kind_of(consensus.question)
        asked = Asked(names, row, (Context(kind),))
        ensemble.value.watch(asked)
        ensemble.taught[kind] += int(asked.present.sum() > 2)


async def _advice(ensemble: Ensemble, plan: Plan, query: Query, deadline: Deadline) -> Advice | None:
    """What has been learned for this question; None where the plan's own weights are wanted as they are."""
    if ensemble.adviser is None or not learns(plan.spec):
        return None
    return await ensemble.adviser.advise(ensemble.forecasters, plan, query.question, deadline)


def _seat(ensemble: Ensemble, plan: Plan, member: MemberSpec) -> Seat:
    spec = plan.spec
    forecaster = ensemble.forecasters[member.name]
    timeout_s = member.timeout_s or spec.member_timeout_s
    if spec.execution != "hedged":
        return Seat(member.name, forecaster, timeout_s)
    ensemble.hedges.earn()
    others = as_hedged(forecaster)
    instead = None if others is None else others.instead
    delay_s = hedge_delay_s(
        spec,
        ensemble.standings[member.name],
        scarce=ensemble.hedges.is_scarce,
        elsewhere=instead is not None,
    )
    return Seat(member.name, forecaster, timeout_s, delay_s, ensemble.hedges.spend, instead)
