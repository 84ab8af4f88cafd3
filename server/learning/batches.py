# SPDX-License-Identifier: Apache-2.0
"""What learners are shown: questions as members answered them, and what came of them.

Letters: N rows, M members. A row is one event that happens or not: a binary
question is a row, a question with C > 2 outcomes is C rows that share a shock.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.methods import CLAMP
from server.learning.context import Context

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: The member that is the market price of the day on which the question is asked.
MARKET = "market"
#: The same, but some days old; trusted separately.
STALE_MARKET = "market (stale)"
PRICES = (MARKET, STALE_MARKET)


def log_odds(probability: Floats) -> Floats:
    """log(p / (1 - p)) with p held in [1e-6, 1 - 1e-6] as in the kernels; NaN stays NaN."""
    held = np.clip(probability, CLAMP, 1.0 - CLAMP)
    return np.asarray(np.log(held) - np.log1p(-held))


def expit(total: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * total)))


@dataclass(frozen=True, slots=True)
class Asked:
    """N rows as answered by M members.

    ``probabilities`` (N, M): of the row's event, NaN where a member is absent.
    ``contexts`` has one entry a row. ``ensemble`` names the set of members that
    was asked: how far members concur is learned for each ensemble by itself.
    """

    members: tuple[str, ...]
    probabilities: Floats
    contexts: tuple[Context, ...]
    ensemble: str = ""

    @property
    def present(self) -> Flags:
        """(N, M): who has answered."""
        return ~np.isnan(self.probabilities)

    def rows(self, which: Integers | Flags) -> "Asked":
        """Some of the rows."""
        places = np.arange(len(self.contexts))[which]
        contexts = tuple(self.contexts[i] for i in places)
        return Asked(self.members, self.probabilities[places], contexts, self.ensemble)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Rows whose outcome has become known, all at the same time.

    ``outcomes`` (N,): 1 if the event happened, 0 if not, or a fraction.
    ``shocks`` has one entry a row: rows with the same key were moved by the same
    news, so they are less evidence than as many independent ones; None stands
    alone. ``weights`` (N,): what each counts for.
    """

    asked: Asked
    outcomes: Floats
    shocks: tuple[Hashable, ...]
    weights: Floats

    @classmethod
    def of(cls, asked: Asked, outcomes: Floats, shocks: Sequence[Hashable] = ()) -> "Resolved":
        """Rows that count 1 each."""
        return cls(
            asked, outcomes, tuple(shocks) or (None,) * len(outcomes), np.ones(len(outcomes), np.float64)
        )

    @property
    def shares(self) -> Floats:
        """(N,): weight of each row, where the rows of one shock count as one together."""
        sizes: dict[Hashable, int] = {}
        for shock in self.shocks:
            sizes[shock] = sizes.get(shock, 0) + 1
        return np.array(
            [
                weight if shock is None else weight / sizes[shock]
                for weight, shock in zip(self.weights, self.shocks, strict=True)
            ]
        )


def normalised(weights: Floats, present: Flags) -> Floats:
    """(N, M) weights of those present, each row summing to 1; a row without any stays 0.

    ``weights`` (N, M) or (M,), >= 0. Where all present members weigh 0 they weigh the same.
    """
    used = np.where(present, weights, 0.0)
    total = used.sum(axis=1, keepdims=True)
    used = np.where(total > 0.0, used, present)
    total = used.sum(axis=1, keepdims=True)
    return np.asarray(used / np.maximum(total, 1e-300))


def pooled_log_odds(asked: Asked, weights: Floats) -> Floats:
    """(N,): the log-odds pool under weights (N, M) that sum to 1; NaN where nobody answered."""
    present = asked.present
    sums = np.where(present, weights * np.nan_to_num(log_odds(asked.probabilities)), 0.0).sum(axis=1)
    return np.asarray(np.where(present.any(axis=1), sums, np.nan))
