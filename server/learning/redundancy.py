# SPDX-License-Identifier: Apache-2.0
"""How much one member's log-odds are worth beside those of a pool of many."""

import numpy as np

from server.learning.batches import Floats, Integers

#: Typical correlation of the log-odds of two language models on the same question.
CORRELATION = 0.7
#: An ensemble of this size is taken at its word a priori.
MANY = 10


def spread_factor(members: Integers) -> Floats:
    """(N,): slope to expect of a pool of so many members, in slopes of a pool of ten.

    A mean of M members with correlation r has the variance r + (1 - r) / M of a
    single one, while what it has in common with the truth stays. So the same
    evidence shows as smaller log-odds in a pool of many, and what is learned of
    single members carries over to ensembles of any size. 0.73 for one member,
    1 for ten, 1.04 for infinitely many; no members count as one.
    Source: Satopää et al. (2014), Combining multiple probability predictions
    using a simple logit model; Baron et al. (2014), Two reasons to make
    aggregated probability forecasts more extreme.
    """
    counts = np.maximum(members, 1)
    return np.asarray(_variance(MANY) / (CORRELATION + (1.0 - CORRELATION) / counts))


def _variance(members: int) -> float:
    return CORRELATION + (1.0 - CORRELATION) / members
