# SPDX-License-Identifier: Apache-2.0
"""Learning for one cell: one weighting and one calibrator, taught as the questions go by.

The engine asks it for advice as it asks the server's own learning. It is
shown answers when they were given and outcomes when they became known, by the
runner, in the order of virtual time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.engine.advice import Advice
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Plan
from server.forecasting.ports import Forecaster
from server.forecasting.prediction import Prediction
from server.forecasting.question import Binary, Question
from server.learning.batches import PRICES, Asked, Resolved, log_odds
from server.learning.calibration import Calibrator, Curve, Outcomes, Pools
from server.learning.learning import as_rows
from server.learning.market import WithMarket
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS, Weightings
from server.learning.weighting import Weighting
from server.research.grid.dataset import Case

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Answered:
    case: Case
    asked: Asked
    raw: float


class CellAdvice:
    """Advice for one question; see ``server.engine.advice.Advice``."""

    def __init__(
        self, weighting: Weighting, calibrator: Calibrator, case: Case, members: tuple[str, ...], version: str
    ) -> None:
        self._weighting = weighting
        self._calibrator = calibrator
        self._case = case
        self._members = members
        self.version = version

    def weights(self, probabilities: Floats) -> Floats:
        """(M,) weights for (M, C) answers, NaN rows absent."""
        asked = as_rows(self._case.panel, self._members, probabilities, self._case.context)
        return np.asarray(self._weighting.weights(asked).mean(axis=0))

    def curve(self, probabilities: Floats) -> Curve:
        """The calibration of a pool of these answers."""
        there = ~np.isnan(probabilities[:, 0])
        present = sum(bool(t) and name not in PRICES for name, t in zip(self._members, there, strict=True))
        return self._calibrator.curve(self._case.context, present)


class Teacher:
    """An adviser for the case at hand. Yes/no questions teach it; others are answered with fixed weights."""

    def __init__(self, weighting: str, calibration: str, panels: Mapping[str, tuple[str, ...]]) -> None:
        self._learners, self._weighting = _learners(weighting)
        self._calibrator = CALIBRATORS[calibration]()
        self._panels = panels
        self._open: dict[str, _Answered] = {}
        self._case: Case | None = None
        self._answers = 0
        self._outcomes = 0

    def about(self, case: Case) -> None:
        """The case that the next advice is for."""
        self._case = case

    async def advise(
        self, forecasters: Mapping[str, Forecaster], plan: Plan, question: Question, deadline: Deadline
    ) -> Advice | None:
        """See ``server.engine.advice.Adviser``."""
        del forecasters, deadline
        if self._case is None or not isinstance(question.kind, Binary):
            return None
        names = tuple(member.name for member in plan.members)
        version = f"answers-{self._answers}-outcomes-{self._outcomes}"
        return CellAdvice(self._weighting, self._calibrator, self._case, names, version)

    def answered(self, case: Case, prediction: Prediction) -> None:
        """A case has been answered; its outcome is open."""
        if not isinstance(case.question.kind, Binary):
            return
        asked = Asked(
            self._panels[case.panel], _row(self._panels[case.panel], prediction), (case.context,), case.panel
        )
        for learner in self._learners:
            learner.watch(asked)
        self._open[case.question.id] = _Answered(case, asked, prediction.raw_probabilities[0])
        self._answers += 1

    def known(self, cases: Sequence[Case]) -> None:
        """Outcomes of cases that became known at the same time; unanswered ones teach nothing."""
        told = [self._open.pop(case.question.id) for case in cases if case.question.id in self._open]
        if not told:
            return
        for panel in dict.fromkeys(one.case.panel for one in told):
            resolved = _resolved([one for one in told if one.case.panel == panel])
            for learner in self._learners:
                learner.observe(resolved)
        self._calibrator.observe(*_pools(told))
        self._outcomes += len(told)


def _learners(weighting: str) -> tuple[tuple[Weighting, ...], Weighting]:
    if weighting == ADAPTIVE:
        every = Weightings(with_market=True)
        return every.learners, every[ADAPTIVE]
    one = WithMarket(WEIGHTINGS[weighting]())
    return (one,), one


def _row(members: tuple[str, ...], prediction: Prediction) -> Floats:
    """(1, M): each member's probability of YES, NaN where it gave none."""
    said = {m.member: m.forecast.probabilities[0] for m in prediction.members if m.forecast is not None}
    return np.array([[said.get(name, np.nan) for name in members]])


def _happened(told: Sequence[_Answered]) -> Floats:
    return np.array([float(one.case.truth == one.case.question.outcomes[0]) for one in told])


def _resolved(told: Sequence[_Answered]) -> Resolved:
    first = told[0].asked
    stacked = Asked(
        first.members,
        np.concatenate([one.asked.probabilities for one in told]),
        tuple(one.case.context for one in told),
        first.ensemble,
    )
    return Resolved.of(stacked, _happened(told), [one.case.shock for one in told])


def _pools(told: Sequence[_Answered]) -> tuple[Pools, Outcomes]:
    names = [np.array([name not in PRICES for name in one.asked.members]) for one in told]
    members = [int((one.asked.present[0] & own).sum()) for one, own in zip(told, names, strict=True)]
    pools = Pools(
        log_odds(np.array([one.raw for one in told])),
        tuple(one.case.context for one in told),
        np.array(members, dtype=np.int64),
    )
    shocks = tuple(one.case.shock for one in told)
    return pools, Outcomes(_happened(told), shocks, np.ones(len(told)))
