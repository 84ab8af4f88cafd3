# SPDX-License-Identifier: Apache-2.0
"""Whether the members still out can change the decision."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels.bounds import reachable
from kernels.methods import PoolingMethod
from server.forecasting.answers import AnswerMatrix
from server.forecasting.disagreement import decide
from server.forecasting.ensemble import Plan
from server.forecasting.pooling import Pooled, parameter_vector
from server.forecasting.prediction import Action
from server.forecasting.question import FreeText, QuestionKind


def outcome_settled(
    kind: QuestionKind,
    plan: Plan,
    matrix: AnswerMatrix,
    pooled: Pooled,
    waiting: Sequence[bool],
    weights: NDArray[np.float64],
) -> bool:
    """Whether nothing that the members still out may say, or not say, changes the most probable outcome."""
    if not pooled.probabilities:
        return False
    if not any(waiting):
        return True
    if isinstance(kind, FreeText):
        return False  # an answer that nobody has given yet may still win
    method = PoolingMethod[plan.spec.pooling.upper()]
    parameters = parameter_vector(plan.spec.pooling, plan.spec.parameters)
    reach = reachable(matrix.probabilities, np.asarray(waiting), weights, method, parameters)
    return not reach.can_change and reach.can_decide == reach.must_decide


def action_settled(plan: Plan, pooled: Pooled, agreeing: int, waiting: int) -> bool:
    """Whether the action stays the same however the members still out vote, or if they never answer.

    ``agreeing``: how many of those in hand chose the ensemble's outcome.
    """
    answered = pooled.agreement.answered
    ends = [(agreeing, answered), (agreeing, answered + waiting), (agreeing + waiting, answered + waiting)]
    return len({_action(plan, votes / among, among) for votes, among in ends}) == 1


def _action(plan: Plan, vote_share: float, answered: int) -> Action:
    return decide(
        vote_share,
        answered=answered,
        asked=len(plan.members),
        min_responses=plan.min_responses,
        min_agreement=plan.spec.min_agreement,
        high_agreement=plan.spec.high_agreement,
    ).action
