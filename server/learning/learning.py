# SPDX-License-Identifier: Apache-2.0
"""All that is learned while serving: what the engine asks of it, and what it tells it.

Shapes: M members, C outcomes.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from server.learning.batches import PRICES, Asked, Floats, Resolved, log_odds
from server.learning.calibration import Calibrator, Curve, Outcomes, Pools
from server.learning.context import Context
from server.learning.methods import CALIBRATORS, Weightings
from server.learning.weighting import Weighting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """A question as an ensemble answered it.

    ``members`` (M names) and ``probabilities`` (M, C), NaN rows for the absent; a
    member that is the market price goes by ``batches.MARKET`` (``STALE_MARKET`` where
    it is days old). ``raw`` (C,): what the pool said before calibration.
    """

    ensemble: str
    members: tuple[str, ...]
    probabilities: Floats
    raw: Floats
    context: Context


@dataclass(frozen=True, slots=True)
class Known:
    """An answered question whose outcome has become known.

    ``outcome`` (C,): how far each outcome happened, summing to 1; one-hot but for
    fractional resolutions. ``shock``: what moved it together with others, e.g. its
    source and the day; None stands alone.
    """

    answered: Answered
    outcome: Floats
    shock: Hashable = None


class Advice:
    """Weights and a calibration curve for one question, as of now.

    It follows what is learned later; ask anew for each question, and store the
    weights and the curve that were used: with them, a replay needs no learning.
    """

    def __init__(
        self,
        weighting: Weighting,
        calibrator: Calibrator,
        ensemble: str,
        members: tuple[str, ...],
        context: Context,
        version: str,
    ) -> None:
        self._weighting = weighting
        self._calibrator = calibrator
        self._ensemble = ensemble
        self._members = members
        self._context = context
        self.version = version

    def weights(self, probabilities: Floats) -> Floats:
        """(M,), >= 0, summing to 1 over those present: for this matrix (M, C), NaN rows absent."""
        asked = as_rows(self._ensemble, self._members, probabilities, self._context)
        return np.asarray(self._weighting.weights(asked).mean(axis=0))

    def curve(self, present: int) -> Curve:
        """The curve for a pool of so many members, prices not counted."""
        return self._calibrator.curve(self._context, present)


class Learning:
    """Learns from every answer and outcome that it is told of, in the order of time.

    It keeps nothing on disk: at start, tell it the stored past again, and after an
    outcome was corrected, annulled or retracted, tell a new one. 10,000 stored
    predictions take a few seconds.
    """

    def __init__(self) -> None:
        self._weightings = Weightings(with_market=True)
        self._calibrators = {name: make() for name, make in CALIBRATORS.items()}
        self._answers = 0
        self._outcomes = 0

    @property
    def answers(self) -> int:
        """Answers learned from."""
        return self._answers

    @property
    def outcomes(self) -> int:
        """Outcomes learned from."""
        return self._outcomes

    @property
    def version(self) -> str:
        """What has been learned from, so that an answer can name it."""
        return f"answers-{self._answers}-outcomes-{self._outcomes}"

    def advise(
        self, weighting: str, calibration: str, ensemble: str, members: tuple[str, ...], context: Context
    ) -> Advice:
        """Advice for one question.

        Raises:
            KeyError: no weighting or no calibration has that name.
        """
        return Advice(
            self._weightings[weighting],
            self._calibrators[calibration],
            ensemble,
            members,
            context,
            self.version,
        )

    def answered(self, batch: Sequence[Answered]) -> None:
        """Questions have been answered; their outcomes are open."""
        for group in _groups(batch, _team):
            asked = _stacked(group)
            for learner in self._weightings.learners:
                learner.watch(asked)
        self._answers += len(batch)

    def known(self, batch: Sequence[Known]) -> None:
        """Outcomes have become known, all at the same time; a question among them only once."""
        for group in _groups(batch, lambda one: _team(one.answered)):
            resolved = Resolved(
                _stacked([one.answered for one in group]),
                np.concatenate([_happened(one) for one in group]),
                _shocks(group),
                np.concatenate([_weights(one) for one in group]),
            )
            for learner in self._weightings.learners:
                learner.observe(resolved)
        if batch:
            pools, outcomes = _pools(batch)
            for calibrator in self._calibrators.values():
                calibrator.observe(pools, outcomes)
        self._outcomes += len(batch)

    @property
    def belief(self) -> dict[str, float]:
        """Share of each weighting in the adaptive mixture."""
        return self._weightings.mixture.belief


def as_rows(ensemble: str, members: tuple[str, ...], probabilities: Floats, context: Context) -> Asked:
    """A matrix (M, C) as rows: one for two outcomes (the first), else one for each."""
    rows = probabilities[:, :1].T if probabilities.shape[1] == 2 else probabilities.T
    return Asked(members, np.ascontiguousarray(rows), (context,) * len(rows), ensemble)


def _team(answered: Answered) -> Hashable:
    """What answers must share to be rows of one matrix."""
    return answered.ensemble, answered.members


def _groups(batch: Sequence[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    found: dict[Hashable, list[T]] = {}
    for one in batch:
        found.setdefault(key(one), []).append(one)
    return list(found.values())


def _stacked(group: Sequence[Answered]) -> Asked:
    """The rows of questions that the same members of the same ensemble were asked."""
    each = [as_rows(one.ensemble, one.members, one.probabilities, one.context) for one in group]
    return Asked(
        each[0].members,
        np.concatenate([one.probabilities for one in each]),
        tuple(context for one in each for context in one.contexts),
        each[0].ensemble,
    )


def _happened(one: Known) -> Floats:
    return one.outcome[:1] if len(one.outcome) == 2 else one.outcome


def _weights(one: Known) -> Floats:
    """One row of two outcomes counts 1, C rows of one question 1 / (C - 1) each."""
    return np.full(len(_happened(one)), 1.0 / (len(one.outcome) - 1))


def _shocks(batch: Sequence[Known]) -> tuple[Hashable, ...]:
    return tuple(one.shock for one in batch for _ in _happened(one))


def _pools(batch: Sequence[Known]) -> tuple[Pools, Outcomes]:
    happened = [_happened(one) for one in batch]
    raw = [one.answered.raw[: len(own)] for one, own in zip(batch, happened, strict=True)]
    contexts = [one.answered.context for one, own in zip(batch, happened, strict=True) for _ in own]
    members = np.repeat([_present(one.answered) for one in batch], [len(own) for own in happened])
    weights = np.concatenate([_weights(one) for one in batch])
    return (
        Pools(log_odds(np.concatenate(raw)), tuple(contexts), members),
        Outcomes(np.concatenate(happened), _shocks(batch), weights),
    )


def _present(answered: Answered) -> int:
    """How many members answered, prices not counted."""
    told = ~np.isnan(answered.probabilities[:, 0])
    return sum(bool(there) and name not in PRICES for name, there in zip(answered.members, told, strict=True))
