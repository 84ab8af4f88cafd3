# SPDX-License-Identifier: Apache-2.0
"""When those who have answered are enough."""

import numpy as np
from numpy.typing import NDArray

from server.forecasting.answers import AnswerMatrix, choices
from server.forecasting.ensemble import EnsembleSpec, Plan
from server.forecasting.pooling import Pooled


def may_stop_early(spec: EnsembleSpec) -> bool:
    """Whether any rule of the ensemble can end the asking before everyone is in."""
    return (
        spec.execution in {"sequential", "cascade"}
        or spec.stop_when_settled
        or weighs_worth(spec)
        or spec.early_stop_threshold < 1.0
        or spec.enough_responses is not None
    )


def weighs_worth(spec: EnsembleSpec) -> bool:
    """Whether asking ends once it saves less than it costs."""
    return spec.stop_when_not_worth or spec.execution == "value"


def enough(plan: Plan, matrix: AnswerMatrix, pooled: Pooled, weights: NDArray[np.float64]) -> bool:
    """Whether to stop asking: the quorum is met and one of the ensemble's rules is satisfied."""
    spec, answered = plan.spec, pooled.agreement.answered
    if answered < max(plan.min_responses, 1):
        return False
    if spec.enough_responses is not None and answered >= spec.enough_responses:
        return True
    if spec.execution == "sequential" and pooled.agreement.vote_share >= spec.min_consensus:
        return True
    if spec.execution == "cascade" and pooled.confidence >= spec.confidence_threshold:
        return True
    return (
        spec.early_stop_threshold < 1.0
        and _agreeing_share(matrix, pooled, weights) >= spec.early_stop_threshold
    )


def _agreeing_share(matrix: AnswerMatrix, pooled: Pooled, weights: NDArray[np.float64]) -> float:
    """Share of everyone's weight, absent members included, that chooses the ensemble's outcome."""
    rows = matrix.probabilities
    agreeing = ~np.isnan(rows[:, 0])
    agreeing[agreeing] = choices(rows[agreeing]) == pooled.chosen
    total = float(weights.sum())
    return float(weights[agreeing].sum()) / total if total > 0.0 else 0.0
