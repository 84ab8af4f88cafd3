# SPDX-License-Identifier: Apache-2.0
"""Names of the pooling methods, of their parameters and of what a consensus reports."""

from enum import IntEnum
from typing import Final


class PoolingMethod(IntEnum):
    """How members' probabilities become one; the number is what the kernels take.

    The kernels want a plain ``int``: numba unboxes an enum member slowly, so
    convert once (``int(method)``), not on every call.

    ``parameters`` is a float64 vector whose layout belongs to the method. An
    empty vector means the stated defaults.

    ===================  =====================================================
    method               parameters
    ===================  =====================================================
    LINEAR               none
    LOG_ODDS             none
    EXTREMISED           [exponent = 1.5]
    TRIMMED_MEAN         [share cut from each end, 0..0.5 = 0.1]
    MEDIAN               none
    MAJORITY             [confidence that a vote needs, 0..1 = 0]
    WEIGHTED_VOTE        [confidence that a vote needs, 0..1 = 0]
    UNANIMOUS            none
    BEST_CONFIDENCE      none, or each member's own confidence (M,), NaN = none
    CONFIDENCE_WEIGHTED  none, or each member's own confidence (M,), NaN = none
    BAYESIAN             [correlation 0..1 = 1, prior (C) = uniform], and
                         optionally likelihoods (M × C reported × C true)
    BETA_LINEAR          [alpha = 1, beta = 1]
    STACKED              [intercept (C), coefficient (M)]
    ===================  =====================================================
    """

    LINEAR = 0
    LOG_ODDS = 1
    EXTREMISED = 2
    TRIMMED_MEAN = 3
    MEDIAN = 4
    MAJORITY = 5
    WEIGHTED_VOTE = 6
    UNANIMOUS = 7
    BEST_CONFIDENCE = 8
    CONFIDENCE_WEIGHTED = 9
    BAYESIAN = 10
    BETA_LINEAR = 11
    STACKED = 12


# Plain integers, because a kernel freezes a global number but not an enum.
LINEAR: Final = 0
LOG_ODDS: Final = 1
EXTREMISED: Final = 2
TRIMMED_MEAN: Final = 3
MEDIAN: Final = 4
MAJORITY: Final = 5
WEIGHTED_VOTE: Final = 6
UNANIMOUS: Final = 7
BEST_CONFIDENCE: Final = 8
CONFIDENCE_WEIGHTED: Final = 9
BAYESIAN: Final = 10
BETA_LINEAR: Final = 11
STACKED: Final = 12

DEFAULT_EXPONENT: Final = 1.5
DEFAULT_TRIM: Final = 0.1

#: Places in the ``summary`` vector that a consensus fills.
CHOSEN: Final = 0  # index of the most probable outcome
VOTE_SHARE: Final = 1  # share of present members whose own choice is the chosen one
DISPERSION: Final = 2  # weighted Jensen–Shannon divergence, nats
NORMALISED_DISPERSION: Final = 3  # the same over its greatest value, log C
ENTROPY: Final = 4  # of the pooled probabilities, nats
EFFECTIVE_MEMBERS: Final = 5  # Kish: 1 / sum of squared weights
PRESENT: Final = 6  # number of members that answered
INTERVAL_LOW: Final = 7  # range of the probability of outcome 0, level 0.9
INTERVAL_HIGH: Final = 8
DECIDED: Final = 9  # 1 where the method reached a decision, else 0
SUMMARY_SIZE: Final = 10

#: Probabilities in log-odds are held in [CLAMP, 1 - CLAMP].
CLAMP: Final = 1e-6
LOG_LOW: Final = -13.815510557964274  # log(CLAMP)
LOG_HIGH: Final = -1.0000005000003334e-06  # log(1 - CLAMP)

#: Differences below this are ties, so that the order of a sum decides nothing.
TIE: Final = 1e-12
