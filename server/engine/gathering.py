# SPDX-License-Identifier: Apache-2.0
"""Asking an ensemble's members: the step that predictions, signals and nested ensembles share."""

from server.engine.advice import Advice, learns
from server.engine.consensus import RunningConsensus
from server.engine.ensembles import Ensemble
from server.engine.events import Listener
from server.engine.execution import EXECUTIONS
from server.engine.fanout import Fanout, Seat
from server.engine.hedging import hedge_delay_s
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Choices, MemberSpec, Plan
from server.forecasting.pooling import POOLINGS
from server.forecasting.query import Query
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS

#: The choices that requests and configuration may name.
CHOICES = Choices(
    poolings=POOLINGS,
    executions=tuple(EXECUTIONS),
    selections=("all",),
    calibrations=tuple(CALIBRATORS),
    weightings=(*WEIGHTINGS, ADAPTIVE),
)


async def gather(
    ensemble: Ensemble, plan: Plan, query: Query, deadline: Deadline, listener: Listener | None = None
) -> RunningConsensus:
    """Ask the planned members until the deadline; what has come in by then is the consensus."""
    advice = await _advice(ensemble, plan, query, deadline) if ensemble.adviser is not None else None
    consensus = RunningConsensus(query.question, plan, listener, advice)
    seats = [_seat(ensemble, plan, member) for member in plan.members]
    async with Fanout(seats, query, deadline, consensus.arrive) as fanout:
        await EXECUTIONS[plan.spec.execution](fanout)
    return consensus


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
    delay_s = hedge_delay_s(spec, ensemble.standings[member.name])
    return Seat(member.name, forecaster, timeout_s, delay_s, ensemble.hedges.spend)
