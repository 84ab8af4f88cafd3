# SPDX-License-Identifier: Apache-2.0
"""Questions and answers made up by chance, with the truth known."""

import numpy as np

from server.learning.batches import Asked, Resolved, expit
from server.learning.context import Context

NOWHERE = Context()


def asked(probabilities, names=None, context=NOWHERE, ensemble="e") -> Asked:
    p = np.asarray(probabilities, float)
    members = tuple(names or (f"m{j}" for j in range(p.shape[1])))
    return Asked(members, p, (context,) * len(p), ensemble)


def one_factor(rows, deviations, seed=0, spread=1.5, names=None, context=NOWHERE) -> Resolved:
    """Members see the true log-odds with errors of these standard deviations."""
    chance = np.random.default_rng(seed)
    truth = chance.normal(0, spread, size=rows)
    said = truth[:, None] + chance.normal(size=(rows, len(deviations))) * np.asarray(deviations)
    outcomes = (chance.random(rows) < expit(truth)).astype(float)
    return Resolved.of(asked(expit(said), names, context), outcomes)
