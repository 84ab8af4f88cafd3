# SPDX-License-Identifier: Apache-2.0
"""Whether the members still out can change the decision."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kernels.bounds import reach, reach_workspace_size
from kernels.methods import PoolingMethod
from kernels.reach_methods import CAN_CHANGE, CAN_DECIDE, FLAGS, MUST_DECIDE
from server.forecasting.answers import AnswerMatrix
from server.forecasting.disagreement import decide
from server.forecasting.ensemble import Plan
from server.forecasting.pooling import PARAMETERS, Pooled, parameter_vector
from server.forecasting.prediction import Action
from server.forecasting.question import FreeText, QuestionKind


class Outlook:
    """What those still out can do to one pooling of one shape, with the kernel's buffers.

    Like the poolings it belongs to the event loop alone.
    """

    __slots__ = ("_flags", "_high", "_low", "_method", "_parameters", "_workspace")

    def __init__(self, method: int, parameters: NDArray[np.float64], members: int, outcomes: int) -> None:
        self._method = method
        self._parameters = parameters
        self._workspace = np.empty(reach_workspace_size(members, outcomes))
        self._low, self._high, self._flags = np.empty(outcomes), np.empty(outcomes), np.empty(FLAGS)

    def is_settled(
        self, probabilities: NDArray[np.float64], waiting: NDArray[np.bool_], weights: NDArray[np.float64]
    ) -> bool:
        """Whether neither the choice nor whether there is one can change; see ``kernels.bounds.reach``."""
        flags = self._flags
        reach(
            probabilities,
            waiting,
            weights,
            self._method,
            self._parameters,
            self._workspace,
            self._low,
            self._high,
            flags,
        )
        return bool(flags[CAN_CHANGE] == 0.0 and flags[CAN_DECIDE] == flags[MUST_DECIDE])


@lru_cache(maxsize=256)
def _outlook(pooling: str, parameters: tuple[tuple[str, float], ...], members: int, outcomes: int) -> Outlook:
    method = int(PoolingMethod[pooling.upper()])
    return Outlook(method, parameter_vector(pooling, dict(parameters)), members, outcomes)


def outlook(pooling: str, parameters: Mapping[str, float], members: int, outcomes: int) -> Outlook:
    """The outlook of the pooling of that canonical name for that shape, from a cache."""
    return _outlook(pooling, tuple(sorted(parameters.items())), members, outcomes)


def outcome_settled(
    kind: QuestionKind,
    plan: Plan,
    matrix: AnswerMatrix,
    pooled: Pooled,
    waiting: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> bool:
    """Whether nothing that the members still out may say, or not say, changes the most probable outcome."""
    if not pooled.probabilities:
        return False
    if not waiting.any():
        return True
    if plan.spec.pooling not in PARAMETERS:
        return False  # nobody knows what a plug-in makes of them
    if isinstance(kind, FreeText):
        return False  # an answer that nobody has given yet may still win
    rows, columns = matrix.probabilities.shape
    view = outlook(plan.spec.pooling, plan.spec.parameters, rows, columns)
    return view.is_settled(matrix.probabilities, waiting, weights)


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
