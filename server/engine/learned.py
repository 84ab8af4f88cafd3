# SPDX-License-Identifier: Apache-2.0
"""Advice from a memory: the plan's members as learners know them."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from server.forecasting.ensemble import Plan
from server.forecasting.grouping import origin_of, price_is_fresh
from server.forecasting.ports import Forecaster
from server.forecasting.question import Question
from server.learning.calibration import IDENTITY, Curve
from server.learning.learning import Advice
from server.learning.memory import Memory, question_context, with_price

Floats = NDArray[np.float64]


class LearnedAdvice:
    """An ``Advice`` for one plan; ``price`` is the place of the market's price among its members."""

    def __init__(
        self,
        memory: Memory,
        advice: Advice | None,
        plan: Plan,
        kind: str,
        price: int | None = None,
        fresh: bool = True,
    ) -> None:
        self._memory = memory
        self._advice = advice
        self._kind = kind
        self._fixed = advice is None or plan.spec.weighting == "fixed"
        self._configured = np.array([member.weight for member in plan.members])
        self._plan = plan
        self._price = price
        self._fresh = fresh

    @classmethod
    def of(
        cls,
        memory: Memory,
        forecasters: Mapping[str, Forecaster],
        plan: Plan,
        question: Question,
        now: datetime,
    ) -> "LearnedAdvice":
        """Advice for a plan, by its weighting and calibration."""
        members = tuple(member.name for member in plan.members)
        kinds = [forecasters[name].identity.kind for name in members]
        price = kinds.index("market") if "market" in kinds else None
        fresh = price_is_fresh(question, now)
        names, _ = with_price(members, np.zeros((len(members), 1)), price, fresh=fresh)
        spec = plan.spec
        context = question_context(question, spec.name, now)
        advice = memory.learning.advise(spec.weighting, spec.calibration, spec.name, names, context)
        return cls(memory, advice, plan, context.kind, price, fresh)

    @classmethod
    def number(cls, memory: Memory, plan: Plan, question: Question) -> "LearnedAdvice":
        """Advice for a question about a number: pooled as configured, with an interval that is learned."""
        return cls(memory, None, plan, origin_of(question) or plan.spec.name)

    @property
    def coverage(self) -> float:
        """See ``Advice``."""
        return self._memory.coverage.threshold(self._advice is None, self._kind)

    @property
    def version(self) -> str:
        """See ``Advice``."""
        return self._memory.version

    def weights(self, probabilities: Floats) -> Floats:
        """See ``Advice``. Whoever is configured to weigh nothing does; the others weigh what was learned."""
        if self._fixed or self._advice is None:
            return self._configured
        heard = np.where(self._configured[:, None] > 0.0, probabilities, np.nan)
        _, matrix = with_price((), heard, self._price, fresh=self._fresh)
        return self._seated(self._advice.weights(matrix))

    def _seated(self, learned: Floats) -> Floats:
        """Weights (M,) in the plan's order, from the learners' (others, fresh price, stale price)."""
        if self._price is None:
            return learned
        own = float(learned[-2] if self._fresh else learned[-1])
        return np.insert(learned[:-2], self._price, own)

    def independent(self, weights: Floats) -> float | None:
        """See ``Comparing``."""
        record = self._memory.records.get(self._plan.spec.name)
        if record is None:
            return None
        return record.errors.worth(tuple(member.name for member in self._plan.members), weights)

    def curve(self, probabilities: Floats) -> Curve:
        """See ``Advice``."""
        if self._advice is None:
            return IDENTITY
        told = ~np.isnan(probabilities[:, 0])
        price = self._price is not None and bool(told[self._price])
        return self._advice.curve(int(told.sum()) - price)
