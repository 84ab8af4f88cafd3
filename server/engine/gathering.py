# SPDX-License-Identifier: Apache-2.0
"""Asking an ensemble's members: the step that predictions, signals and nested ensembles share."""

from server.engine.consensus import RunningConsensus
from server.engine.ensembles import Ensemble
from server.engine.events import Listener
from server.engine.parallel import Execution, Seat, parallel
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Choices, Plan
from server.forecasting.pooling import POOLINGS
from server.forecasting.query import Query

#: When each member is asked, by name.
EXECUTIONS: dict[str, Execution] = {"parallel": parallel}

#: The choices that requests and configuration may name.
CHOICES = Choices(
    poolings=POOLINGS, executions=tuple(EXECUTIONS), selections=("all",), calibrations=("none",)
)


async def gather(
    ensemble: Ensemble, plan: Plan, query: Query, deadline: Deadline, listener: Listener | None = None
) -> RunningConsensus:
    """Ask the planned members until the deadline; what has come in by then is the consensus."""
    spec = plan.spec
    seats = [
        Seat(member.name, ensemble.forecasters[member.name], member.timeout_s or spec.member_timeout_s)
        for member in plan.members
    ]
    consensus = RunningConsensus(query.question, plan, listener)
    await EXECUTIONS[spec.execution](seats, query, deadline, consensus.arrive)
    return consensus
