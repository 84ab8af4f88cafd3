# SPDX-License-Identifier: Apache-2.0
"""Weights from how near a member's answers stay to what the others say: no outcomes needed."""

import numpy as np

from kernels.concord import concord_precisions, concord_rows
from server.learning.batches import Asked, Floats, Integers, log_odds, normalised
from server.learning.roster import Roster
from server.learning.weighting import Unlearning

#: Weight of the belief that all members are equally precise, in answers.
PRIOR_ANSWERS = 10.0
#: Degrees of freedom of a single answer's error: an answer far off counts for less.
FREEDOM = 8.0
#: Answers older than so many rows are forgotten.
WINDOW = 2000
#: The precisions are found anew once the answers have grown by this share.
REFRESH = 0.05
ROUNDS = 15


class _Answers:
    """Answers to one kind of question: log-odds (R, M), NaN where absent, and the precisions (M,)."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.logs = np.zeros((0, 0))
        self.precision = np.zeros(0)
        self.fresh = 0

    def append(self, asked: Asked, window: int) -> None:
        """Take in more rows and forget the oldest beyond the window."""
        places = self.roster.places(asked.members)
        more = len(self.roster) - self.logs.shape[1]
        rows = len(asked.contexts)
        wider = np.pad(self.logs, ((0, rows), (0, more)), constant_values=np.nan)
        wider[-rows:, places] = log_odds(asked.probabilities)
        self.logs = wider[-window:]
        self.fresh += rows

    @property
    def grown(self) -> bool:
        """Whether the precisions should be found anew."""
        return not len(self.precision) or self.fresh > REFRESH * len(self.logs)


class Agreement(Unlearning):
    """Precision weights of a one-factor model: x_ij = z_i + e_ij, e_ij ~ t(8, 0, s_j²).

    x are log-odds of member j on question i, z what they have in common. Members
    that scatter around the others get less weight, and so does any single answer
    that is far from the rest. The s_j² are found by alternating (EM), drawn towards
    their mean by 10 answers' worth; they are learned apart for each ensemble and
    kind of question. Before the first answers all members weigh the same.

    It measures precision, not truth: members that copy each other look precise.
    Source: one-factor analysis, Spearman (1904); t errors by reweighting, Lange,
    Little & Taylor (1989).
    """

    def __init__(
        self, prior_answers: float = PRIOR_ANSWERS, freedom: float = FREEDOM, window: int = WINDOW
    ) -> None:
        self._prior_answers = prior_answers
        self._freedom = freedom
        self._window = window
        self._answers: dict[tuple[str, str], _Answers] = {}

    def watch(self, asked: Asked) -> None:
        """See ``Weighting``."""
        for kind, rows in _kinds(asked):
            told = rows[asked.present[rows].sum(axis=1) > 1]
            if len(told):
                answers = self._answers.setdefault((asked.ensemble, kind), _Answers())
                answers.append(asked.rows(told), self._window)
                if answers.grown:
                    answers.precision = self._fit(answers.logs)
                    answers.fresh = 0

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        out = np.zeros(asked.probabilities.shape)
        for kind, rows in _kinds(asked):
            answers = self._answers.get((asked.ensemble, kind))
            if answers is None:
                out[rows] = normalised(np.ones(len(asked.members)), asked.present[rows])
            else:
                x = log_odds(asked.probabilities[rows])
                out[rows] = self._row_weights(x, self._precision(answers, asked.members))
        return out

    def _precision(self, answers: _Answers, names: tuple[str, ...]) -> Floats:
        """(M,): 1 / s_j²; a member that was never met is typical."""
        places = answers.roster.places(names)
        known = answers.precision
        typical = 1.0 / float(np.mean(1.0 / known))
        return np.where(places < len(known), known[np.minimum(places, len(known) - 1)], typical)

    def _fit(self, x: Floats) -> Floats:
        """(M,): 1 / s_j² of all members."""
        x = np.ascontiguousarray(x)
        precision = np.empty(x.shape[1])
        concord_precisions(
            x,
            self._prior_answers,
            self._freedom,
            ROUNDS,
            np.empty_like(x),
            np.empty_like(precision),
            precision,
        )
        return precision

    def _row_weights(self, x: Floats, precision: Floats) -> Floats:
        out = np.empty_like(x)
        concord_rows(np.ascontiguousarray(x), precision, self._freedom, ROUNDS, out)
        return out


def _kinds(asked: Asked) -> list[tuple[str, Integers]]:
    """The rows of each kind of question."""
    kinds = np.array([context.kind for context in asked.contexts])
    return [(str(kind), np.flatnonzero(kinds == kind)) for kind in dict.fromkeys(kinds.tolist())]
