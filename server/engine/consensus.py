# SPDX-License-Identifier: Apache-2.0
"""The consensus of one prediction as its answers come in."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kernels.build import build
from server.engine.advice import Advice, Comparing, Covering
from server.engine.asking import Asked, cut_off, not_needed
from server.engine.calibrating import recalibrated
from server.engine.events import Arrived, Listener, Running
from server.engine.settled import action_settled, outcome_settled
from server.engine.stopping import enough, may_stop_early
from server.engine.worth import Worth
from server.forecasting.answers import AnswerMatrix, Answers, choices
from server.forecasting.computation import Computation, packed
from server.forecasting.ensemble import Plan
from server.forecasting.forecast import Absent, AbsentReason
from server.forecasting.plugged_pooling import any_pooling
from server.forecasting.pooling import Pooled, resolved_parameters, weight_vector
from server.forecasting.prediction import MemberAnswer
from server.forecasting.question import Question
from server.learning.calibration import IDENTITY
from server.learning.coverage import LEVEL

Pool = Callable[[NDArray[np.float64], NDArray[np.float64]], Pooled]


class RunningConsensus:
    """Collects answers by seat and pools those in hand."""

    def __init__(
        self, question: Question, plan: Plan, listener: Listener | None, advice: Advice | None = None
    ) -> None:
        self.question = question
        self.plan = plan
        self.stopped = False
        self.advice = advice
        self.worth: Worth | None = None
        self._listener = listener
        self._stops = may_stop_early(plan.spec)
        self._asked: list[Asked | None] = [None] * len(plan.members)
        self._raw_weights = [member.weight for member in plan.members]
        self._weights = weight_vector(self._raw_weights)
        self._answers = Answers(question, [member.min_confidence for member in plan.members])
        self._waiting = np.ones(len(plan.members), dtype=np.bool_)

    def arrive(self, index: int, asked: Asked) -> bool:
        """Take one answer; True once the rest is not needed any more."""
        self._asked[index] = asked
        self._answers.put(index, asked.answer)
        self._waiting[index] = False
        if self._listener is None and not self._stops:
            return False
        matrix, pooled = self.pool()
        settled = self._is_settled(matrix, pooled)
        if self._listener is not None:
            running = Running(matrix.outcomes, pooled, settled) if pooled.probabilities else None
            self._listener(Arrived(self._member(index, pooled), running))
        self.stopped = self._stops and self._may_stop(matrix, pooled, settled)
        return self.stopped

    def _is_settled(self, matrix: AnswerMatrix, pooled: Pooled) -> bool:
        """Whether the members still out cannot change the most probable outcome."""
        if self.advice is not None:  # what they will say decides how much they and the others weigh
            return bool(pooled.probabilities) and not self._waiting.any()
        return outcome_settled(self.question.kind, self.plan, matrix, pooled, self._waiting, self._weights)

    def _may_stop(self, matrix: AnswerMatrix, pooled: Pooled, settled: bool) -> bool:
        if enough(self.plan, matrix, pooled, self._weights) or not self._worth_asking(matrix, pooled):
            return True
        if not (settled and self.plan.spec.stop_when_settled):
            return False
        present = matrix.probabilities[~np.isnan(matrix.probabilities[:, 0])]
        agreeing = int((choices(present) == pooled.chosen).sum())
        return action_settled(self.plan, pooled, agreeing, self._asked.count(None))

    def _worth_asking(self, matrix: AnswerMatrix, pooled: Pooled) -> bool:
        if self.worth is None or pooled.agreement.answered < max(self.plan.min_responses, 1):
            return True
        return self.worth.asks_on(matrix.probabilities, pooled.probabilities, self._waiting, self._weights)

    def pool(self) -> tuple[AnswerMatrix, Pooled]:
        """Pool the answers in hand."""
        matrix = self._answers.matrix()
        rows, columns = matrix.probabilities.shape
        spec = self.plan.spec
        pool = any_pooling(spec.pooling, spec.parameters, rows, columns).pool
        if self.advice is None:
            return matrix, pool(matrix.probabilities, self._weights)
        return matrix, self._advised(self.advice, matrix, pool)

    def _advised(self, advice: Advice, matrix: AnswerMatrix, pool: Pool) -> Pooled:
        """The pool with what has been learned; the plan's weights still say who must be waited for."""
        weights = advice.weights(matrix.probabilities)
        self._raw_weights = weights.tolist()
        return recalibrated(pool(matrix.probabilities, weights), matrix, advice.curve(matrix.probabilities))

    def computation(self, matrix: AnswerMatrix, pooled: Pooled) -> Computation:
        """What ``pool`` has just computed with, for the record; both are what it returned."""
        spec, advice = self.plan.spec, self.advice
        curve = IDENTITY if advice is None else advice.curve(matrix.probabilities)
        return Computation(
            pooling=spec.pooling,
            seats=tuple(member.name for member in self.plan.members),
            weights=tuple(self._raw_weights),
            min_confidences=tuple(member.min_confidence for member in self.plan.members),
            matrix=packed(matrix.probabilities),
            min_responses=self.plan.min_responses,
            min_agreement=spec.min_agreement,
            high_agreement=spec.high_agreement,
            parameters=resolved_parameters(spec.pooling, spec.parameters),
            curve=curve.method.name.lower(),
            curve_parameters=curve.parameters,
            build=build(),
            max_doubt=spec.max_doubt,
            coverage=advice.coverage if advice is not None and isinstance(advice, Covering) else 0.0,
            coverage_level=LEVEL,
            independent_members=self._independent(pooled),
        )

    def _independent(self, pooled: Pooled) -> float | None:
        """How many independent members the pooled ones are worth, where their errors have been compared."""
        if not (pooled.probabilities and isinstance(self.advice, Comparing)):
            return None
        return self.advice.independent(np.array(pooled.weights))

    def members(self, pooled: Pooled) -> tuple[MemberAnswer, ...]:
        """Everyone of the ensemble in configured order, with the parts they played."""
        absent = not_needed() if self.stopped else cut_off()
        self._asked = [asked or absent for asked in self._asked]
        played = {member.name: self._member(i, pooled) for i, member in enumerate(self.plan.members)}
        for member in self.plan.left_out:
            reason = AbsentReason.NOT_SELECTED if member.enabled else AbsentReason.DISABLED
            played[member.name] = MemberAnswer(member.name, Absent(reason), member.weight)
        return tuple(played[member.name] for member in self.plan.spec.members)

    def _member(self, index: int, pooled: Pooled) -> MemberAnswer:
        asked = self._asked[index] or cut_off()
        return MemberAnswer(
            member=self.plan.members[index].name,
            answer=asked.answer,
            raw_weight=self._raw_weights[index],
            weight=pooled.weights[index],
            contribution=pooled.contributions[index],
            latency_s=asked.latency_s,
            begun_s=asked.begun_s,
        )
