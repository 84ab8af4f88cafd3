# SPDX-License-Identifier: Apache-2.0
"""What members still out can do to the Bayesian and the stacked pool; terms as in kernels.leads."""

import math

from kernels._jit import part
from kernels._types import Array, Matrix, Vector
from kernels.leads import SPAN
from kernels.members import clamped_log


@part()
def bayesian_gaps(
    support: Matrix, w: Vector, waiting: Array, weights: Vector, parameters: Vector, gaps: Matrix
) -> None:
    """Least leads of log posteriors.

    The exponent of the evidence depends on Kish's number of those who answer,
    which is bounded by its smallest numerator over its greatest denominator,
    and the other way round.
    """
    outcomes = gaps.shape[0]
    heard = 0.0
    squares = 0.0
    still = 0.0
    still_squares = 0.0
    members = 0.0
    for i in range(w.shape[0]):
        heard += w[i]
        squares += w[i] * w[i]
        members += 1.0 if w[i] > 0.0 or waiting[i] else 0.0
        still += weights[i] if waiting[i] else 0.0
        still_squares += weights[i] * weights[i] if waiting[i] else 0.0
    correlation = parameters[0] if parameters.shape[0] > 0 else 1.0
    fewest = max(heard * heard / (squares + still_squares), 1.0)
    most = min((heard + still) * (heard + still) / squares, members)
    least_scale = fewest / (1.0 + (fewest - 1.0) * correlation)
    greatest_scale = most / (1.0 + (most - 1.0) * correlation)
    for a in range(outcomes):
        for b in range(outcomes):
            lead = 0.0
            for i in range(w.shape[0]):
                lead += w[i] * (support[i, a] - support[i, b]) if w[i] > 0.0 else 0.0
            lowest = _least_support(waiting, weights, parameters, outcomes, a, b)
            mean = (lead + still * min(lowest, lead / heard)) / (heard + still)
            prior = 0.0
            if parameters.shape[0] > outcomes:
                prior = clamped_log(parameters[1 + a]) - clamped_log(parameters[1 + b])
            gaps[a, b] = prior + (least_scale if mean > 0.0 else greatest_scale) * mean if a != b else 0.0


@part()
def _least_support(
    waiting: Array, weights: Vector, parameters: Vector, outcomes: int, a: int, b: int
) -> float:
    """The least that any member still out can favour outcome a over b."""
    prior_end = 1 + outcomes
    if parameters.shape[0] < prior_end:
        return -SPAN
    if parameters.shape[0] == prior_end:
        return -SPAN - clamped_log(parameters[1 + a]) + clamped_log(parameters[1 + b])
    least = math.inf
    for i in range(waiting.shape[0]):
        if waiting[i] and weights[i] > 0.0:
            low_a = 1.0
            high_b = 0.0
            for reported in range(outcomes):
                row = prior_end + (i * outcomes + reported) * outcomes
                low_a = min(low_a, parameters[row + a])
                high_b = max(high_b, parameters[row + b])
            least = min(least, clamped_log(low_a) - clamped_log(high_b))
    return least


@part()
def stacked_gaps(
    logs: Matrix, w: Vector, waiting: Array, weights: Vector, parameters: Vector, gaps: Matrix
) -> None:
    """Least leads of the meta-model: everyone still out may help or harm by its coefficient.

    Members that will not answer are taken to say the mean of those who do,
    which itself can still move.
    """
    outcomes = gaps.shape[0]
    heard = 0.0
    still = 0.0
    missing = 0.0
    swing = 0.0
    for i in range(w.shape[0]):
        heard += w[i]
        if waiting[i] and weights[i] > 0.0:
            still += weights[i]
            swing += abs(parameters[outcomes + i])
        elif w[i] <= 0.0:
            missing += parameters[outcomes + i]
    for a in range(outcomes):
        for b in range(outcomes):
            lead = parameters[a] - parameters[b] - SPAN * swing
            mean = 0.0
            for i in range(w.shape[0]):
                if w[i] > 0.0:
                    mean += w[i] * (logs[i, a] - logs[i, b])
                    lead += parameters[outcomes + i] * (logs[i, a] - logs[i, b])
            toward = -SPAN if missing > 0.0 else SPAN
            lead += missing * (mean + still * toward) / (heard + still)
            gaps[a, b] = lead if a != b else 0.0
