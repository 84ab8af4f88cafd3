# SPDX-License-Identifier: Apache-2.0
"""Selected members against random ones, at every number of calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.learning.agreement import Agreement
from server.learning.batches import Asked, expit, pooled_log_odds
from server.learning.market import without_prices
from server.learning.selection import Selection
from server.research.cases import BACKGROUND, Ensemble
from server.research.scores import Pool, Scored, brier

Floats = NDArray[np.float64]

#: Random sets of each size that a question's loss is averaged over.
DRAWS = 40
SEED = 7


@dataclass(frozen=True, slots=True)
class CallsRow:
    """Brier scores with so many calls a question: selected, random, and the difference with its interval."""

    calls: int
    selected: float
    random: float
    diff_mean: float
    diff_mean_low: float
    diff_mean_high: float


def compare(ensembles: Sequence[Ensemble], most_calls: int) -> list[CallsRow]:
    """Both at 1, 2, ..., ``most_calls`` calls; a question with fewer members asks all it has.

    Questions come one after the other in the order of the ensemble; what was said
    of a question is known for the next one, as where a share of questions asks
    everyone. Both sides pool in log-odds with the weights of ``Agreement``, so only
    the choice of members differs.
    """
    panels = [e for e in ensembles if e.panel != BACKGROUND]
    scored = [Scored(e.outcome, e.cluster) for e in panels]
    losses = [_losses(e, most_calls) for e in panels]
    selected = [s.by_cluster(own) for s, (own, _) in zip(scored, losses, strict=True)]
    random = [s.by_cluster(other) for s, (_, other) in zip(scored, losses, strict=True)]
    pool = Pool(tuple(scored))
    differences = [own - other for own, other in zip(selected, random, strict=True)]
    low, high = pool.interval(differences)
    columns = (pool.mean(selected), pool.mean(random), pool.mean(differences), low, high)
    return [CallsRow(i + 1, *(float(column[i]) for column in columns)) for i in range(most_calls)]


def _losses(ensemble: Ensemble, most_calls: int) -> tuple[Floats, Floats]:
    """(calls, N) Brier scores with selected members, and the mean of those with random ones."""
    asked = without_prices(ensemble.asked)
    selection, agreement = Selection(), Agreement()
    chance = np.random.default_rng(SEED)
    own, other = (np.zeros((most_calls, len(asked.contexts))) for _ in range(2))
    for row in range(len(asked.contexts)):
        one = asked.rows(np.array([row]))
        told = np.flatnonzero(one.present[0])
        order = selection.order(tuple(asked.members[i] for i in told), one.contexts[0].kind)
        sequences = [[asked.members.index(name) for name in order]]
        sequences += [chance.permutation(told).tolist() for _ in range(DRAWS)]
        said = _said(agreement, one, sequences, most_calls)
        loss = brier(said, np.full(said.shape, ensemble.outcome[row]))
        own[:, row], other[:, row] = loss[0], loss[1:].mean(axis=0)
        selection.watch(one)
        agreement.watch(one)
    return own, other


def _said(agreement: Agreement, one: Asked, sequences: list[list[int]], most_calls: int) -> Floats:
    """(sequences, calls): what the first 1, 2, ... members of each sequence say together."""
    answers = np.full((len(sequences), most_calls, len(one.members)), np.nan)
    for s, sequence in enumerate(sequences):
        for calls in range(most_calls):
            asked_first = sequence[: calls + 1]
            answers[s, calls, asked_first] = one.probabilities[0, asked_first]
    flat = answers.reshape(-1, len(one.members))
    asked = Asked(one.members, flat, one.contexts * len(flat), one.ensemble)
    return expit(pooled_log_odds(asked, agreement.weights(asked))).reshape(len(sequences), most_calls)
