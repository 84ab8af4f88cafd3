# SPDX-License-Identifier: Apache-2.0
"""An ensemble as a member of another."""

from collections.abc import Callable

from server.engine.ensembles import Ensemble
from server.engine.gathering import CHOICES, gather
from server.engine.selecting import plan_for
from server.engine.verdict import conclude
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Options
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast, absence_reasons
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

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The inner ensemble's pooled answer."""
        ensemble = self._find(self.identity.model)
        plan = plan_for(ensemble, Options(), query.question, CHOICES)
        inner = deadline.within(plan.spec.deadline_s).earlier(MARGIN_S)
        consensus = await gather(ensemble, plan, query, inner)
        return _answer(conclude(consensus, "", deadline.clock.now(), ""), query)

    async def close(self) -> None:
        """Its members are closed by whoever made them."""


def _answer(prediction: Prediction, query: Query) -> Answer:
    attempts = sum(member.answer.attempts for member in prediction.members)
    if not prediction.probabilities:
        missing = ", ".join(
            f"{name} ({reason})"
            for name, reason in absence_reasons({m.member: m.answer for m in prediction.members}).items()
        )
        return Absent(
            AbsentReason.NOT_APPLICABLE, f"no member answered: {missing}", prediction.cost, None, attempts
        )
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
    )
