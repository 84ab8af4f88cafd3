# SPDX-License-Identifier: Apache-2.0
"""Selected members against random ones, at every number of calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.learning.agreement import Agreement
from server.learning.batches import Asked, Resolved, expit, pooled_log_odds
from server.learning.context_value import ContextValue
from server.learning.market import without_prices
from server.learning.selection import Selection
from server.research.cases import BACKGROUND, Ensemble
from server.research.scores import Pool, Scored, brier

Floats = NDArray[np.float64]

#: Random sets of each size that a question's loss is averaged over.
DRAWS = 100
SEED = 7
#: The selections that learn whom to ask: from answers alone; the same without those whose answers
#: are expected to do no good (``least_gain = 0``), which may ask fewer than are allowed; and from
#: outcomes besides.
VALUE, FRUGAL, CONTEXT = "value", "value, least_gain 0", "context"


@dataclass(frozen=True, slots=True)
class CallsRow:
    """Brier scores with so many calls a question: selected, random, and the difference with its interval.

    ``made``: calls that the selection makes on average. ``panels``: how many panels have
    more members than ``calls``, so that there is anything to choose.
    """

    selection: str
    calls: int
    made: float
    panels: int
    selected: float
    random: float
    diff_mean: float
    diff_mean_low: float
    diff_mean_high: float


def compare(
    ensembles: Sequence[Ensemble], most_calls: int, selections: Sequence[str] = (VALUE,), draws: int = DRAWS
) -> list[CallsRow]:
    """Both at 1, 2, ..., ``most_calls`` calls; a question with fewer members asks all it has.

    Questions come one after the other in the order of the table; what was said of a
    question is known for the next one, as where a share of questions asks everyone, and
    its outcome from the day after its resolution. Panels with the same members are one
    team that answers both. Both sides pool in log-odds with the weights of ``Agreement``,
    so only the choice of members differs.
    """
    panels = [e for e in ensembles if e.panel != BACKGROUND]
    scored = [Scored(e.outcome, e.cluster) for e in panels]
    losses = [np.zeros((len(selections) + 1, most_calls, len(e.unit))) for e in panels]
    made = [np.zeros((len(selections), most_calls, len(e.unit))) for e in panels]
    for team in _teams(panels):
        _fill(panels, team, selections, draws, losses, made)
    by_cluster = [s.by_cluster(loss) for s, loss in zip(scored, losses, strict=True)]
    pool, widths = Pool(tuple(scored)), [_most_present(e) for e in panels]
    calls = pool.mean([s.by_cluster(one) for s, one in zip(scored, made, strict=True)])
    rows = []
    for place, selection in enumerate(selections):
        selected, random = [one[place] for one in by_cluster], [one[-1] for one in by_cluster]
        differences = [own - other for own, other in zip(selected, random, strict=True)]
        low, high = pool.interval(differences)
        columns = (pool.mean(selected), pool.mean(random), pool.mean(differences), low, high)
        rows += [
            CallsRow(
                selection,
                i + 1,
                float(calls[place, i]),
                sum(width > i + 1 for width in widths),
                *(float(column[i]) for column in columns),
            )
            for i in range(most_calls)
        ]
    return rows


def _teams(panels: Sequence[Ensemble]) -> list[list[int]]:
    """Places of the panels that the same members answer."""
    found: dict[tuple[str, ...], list[int]] = {}
    for place, ensemble in enumerate(panels):
        found.setdefault(ensemble.asked.members, []).append(place)
    return list(found.values())


def _most_present(ensemble: Ensemble) -> int:
    return int(without_prices(ensemble.asked).present.sum(axis=1).max(initial=0))


class _Chooser:
    """Whom one of the selections would ask, knowing what came before."""

    def __init__(self, selection: str) -> None:
        self._answers = Selection()
        self._value = ContextValue() if selection == CONTEXT else None
        self._least_gain = 0.0 if selection == FRUGAL else None

    def order(self, one: Asked) -> list[int]:
        told = np.flatnonzero(one.present[0])
        names, context = tuple(one.members[i] for i in told), one.contexts[0]
        if self._value is None:
            order = self._answers.order(names, context.kind, least_gain=self._least_gain)
        else:
            order = self._value.order(names, context, answers=self._answers)
        return [one.members.index(name) for name in order]

    def watch(self, one: Asked) -> None:
        self._answers.watch(one)

    def know(self, resolved: Resolved) -> None:
        if self._value is not None:
            self._value.observe(resolved)


def _fill(
    panels: Sequence[Ensemble],
    team: Sequence[int],
    selections: Sequence[str],
    draws: int,
    losses: Sequence[Floats],
    made: Sequence[Floats],
) -> None:
    """Brier scores (selections and random, calls, N) of a team's panels, and calls made (selections, ...)."""
    choosers = [_Chooser(selection) for selection in selections]
    agreement, chance = Agreement(), np.random.default_rng(SEED)
    waiting: list[tuple[int, Resolved]] = []
    questions = sorted((int(panels[p].unit[row]), p, row) for p in team for row in range(len(panels[p].unit)))
    for _, place, row in questions:
        ensemble = panels[place]
        waiting = _reveal(waiting, int(ensemble.forecast_day[row]), choosers)
        one = without_prices(ensemble.asked).rows(np.array([row]))
        told = np.flatnonzero(one.present[0])
        sequences = [chooser.order(one) for chooser in choosers]
        sequences += [chance.permutation(told).tolist() for _ in range(draws)]
        said = _said(agreement, one, sequences, losses[place].shape[1])
        loss = brier(said, np.full(said.shape, ensemble.outcome[row]))
        losses[place][:-1, :, row] = loss[: len(choosers)]
        losses[place][-1, :, row] = loss[len(choosers) :].mean(axis=0)
        for selection, sequence in enumerate(sequences[: len(choosers)]):
            made[place][selection, :, row] = np.minimum(np.arange(1, said.shape[1] + 1), len(sequence))
        for chooser in choosers:
            chooser.watch(one)
        agreement.watch(one)
        resolved = Resolved.of(one, ensemble.outcome[row : row + 1])
        waiting.append((int(ensemble.resolution_day[row]), resolved))


def _reveal(
    waiting: list[tuple[int, Resolved]], day: int, choosers: Sequence[_Chooser]
) -> list[tuple[int, Resolved]]:
    """Show the outcomes of the days before; what is left."""
    for resolution_day, resolved in waiting:
        if resolution_day < day:
            for chooser in choosers:
                chooser.know(resolved)
    return [one for one in waiting if one[0] >= day]


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
