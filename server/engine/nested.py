# SPDX-License-Identifier: Apache-2.0
"""An ensemble as a member of another."""

from collections.abc import Callable
from dataclasses import replace

from server.engine.ensembles import Ensemble
from server.engine.gathering import CHOICES, gather
from server.engine.pricing import Estimate, estimate
from server.engine.selecting import plan_for
from server.engine.verdict import conclude
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Options, Plan
from server.forecasting.forecast import (
    NOT_ASKED,
    Absent,
    AbsentReason,
    Answer,
    Forecast,
    Inner,
    absence_reasons,
)
from server.forecasting.ports import Identity
from server.forecasting.prediction import Action, Prediction
from server.forecasting.query import Query
from server.forecasting.question import Numeric

#: Kept back from the outer deadline at each level for pooling.
MARGIN_S = 0.01


class EnsembleForecaster:
    """Answers with what an inner ensemble pools; an abstaining one is absent.

    ``find`` looks the ensemble up on first use, because ensembles are built
    before all of them exist.
    """

    def __init__(self, name: str, find: Callable[[str], Ensemble]) -> None:
        self.identity = Identity(kind="ensemble", model=name)
        self._find = find

    def inner(self) -> Ensemble:
        """The ensemble that answers for it."""
        return self._find(self.identity.model)

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The inner ensemble's pooled answer."""
        ensemble, plan = self._plan(query)
        if query.purse is not None:
            query = replace(query, purse=query.purse.part(plan.spec.max_cost_nano_usd))
        inner = deadline.within(plan.spec.deadline_s).earlier(MARGIN_S)
        consensus = await gather(ensemble, plan, query, inner)
        prediction = conclude(consensus, "", deadline.clock.now(), "")
        for member in prediction.members:
            ensemble.standings[member.member].add(member)
        return _answer(prediction, query)

    def upper_bound(self, query: Query) -> int | None:
        """Most that all its members can cost; they reserve their calls themselves, and nothing else does."""
        bound = self._estimate(query).bound
        return None if bound is None else bound.nano_usd

    def expected(self, query: Query) -> int | None:
        """What its members usually cost."""
        expected = self._estimate(query).expected
        return None if expected is None else expected.nano_usd

    @property
    def max_calls(self) -> int:
        """One: its members' repetitions are in the bound."""
        return 1

    @property
    def is_free(self) -> bool:
        """Whether all its members are."""
        return not self.inner().is_priced

    def _plan(self, query: Query) -> tuple[Ensemble, Plan]:
        ensemble = self.inner()
        return ensemble, plan_for(ensemble, Options(), query.question, CHOICES)

    def _estimate(self, query: Query) -> Estimate:
        return estimate(*self._plan(query), query)

    async def close(self) -> None:
        """Its members are closed by whoever made them."""


def _answer(prediction: Prediction, query: Query) -> Answer:
    attempts = sum(member.answer.attempts for member in prediction.members)
    if not prediction.probabilities:
        missing = ", ".join(
            f"{name} ({reason})"
            for name, reason in absence_reasons({m.member: m.answer for m in prediction.members}).items()
        )
        reason = _reason(prediction)
        return Absent(reason, f"no member answered: {missing}", prediction.cost, None, attempts)
    if prediction.decision.action is Action.ABSTAIN:
        return Absent(
            AbsentReason.NOT_APPLICABLE,
            f"abstained: {prediction.decision.reason}",
            prediction.cost,
            None,
            attempts,
        )
    numeric = isinstance(query.question.kind, Numeric) and prediction.numeric is not None
    return Forecast(
        probabilities=prediction.numeric.cumulative
        if numeric and prediction.numeric is not None
        else prediction.probabilities,
        self_confidence=prediction.confidence,
        rationale=prediction.explanation,
        model=prediction.ensemble,
        text=prediction.outcome,
        cost=prediction.cost,
        attempts=max(attempts, 1),
        inner=_inner(prediction),
    )


def _reason(prediction: Prediction) -> AbsentReason:
    """Why nobody answered: what most of those who were asked say, the first of equals."""
    asked = [m.absent.reason for m in prediction.members if m.absent and m.absent.reason not in NOT_ASKED]
    return max(asked, key=asked.count, default=AbsentReason.NOT_APPLICABLE)


def _inner(prediction: Prediction) -> Inner | None:
    """How the inner ensemble came to its answer, for replay."""
    computation = prediction.computation
    if computation is None:
        return None
    answers = {member.member: member.answer for member in prediction.members}
    return Inner(computation, tuple(answers[seat] for seat in computation.seats))
