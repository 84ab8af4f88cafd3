# SPDX-License-Identifier: Apache-2.0
"""From a finished consensus to an answer: decision, explanation, warnings."""

from collections.abc import Sequence
from datetime import datetime

from server.engine.consensus import RunningConsensus
from server.forecasting.answers import AnswerMatrix, numeric_result, votes
from server.forecasting.disagreement import decide
from server.forecasting.ensemble import Plan
from server.forecasting.explanation import explain
from server.forecasting.forecast import NOT_ASKED, Cost
from server.forecasting.pooling import Pooled, meta_confidence
from server.forecasting.prediction import Decision, MemberAnswer, Method, Prediction
from server.forecasting.question import FreeText, Numeric
from server.learning.calibration import IDENTITY


def conclude(
    consensus: RunningConsensus, prediction_id: str, create_time: datetime, code_version: str
) -> Prediction:
    """The answer of those in hand; without probabilities when nobody answered."""
    matrix, pooled = consensus.pool()
    plan, question = consensus.plan, consensus.question
    members = consensus.members(pooled)
    decision = _decision(plan, pooled)
    outcome = matrix.outcomes[pooled.chosen] if pooled.probabilities else ""
    numeric = isinstance(question.kind, Numeric) and bool(pooled.probabilities)
    return Prediction(
        id=prediction_id,
        question_id=question.id,
        ensemble=plan.spec.name,
        outcomes=matrix.outcomes,
        probabilities=pooled.probabilities,
        raw_probabilities=pooled.raw or pooled.probabilities,
        outcome=outcome,
        confidence=pooled.confidence,
        meta_confidence=meta_confidence(
            pooled.confidence, pooled.agreement.vote_share, pooled.normalised_dispersion
        ),
        agreement=pooled.agreement,
        interval=pooled.interval,
        decision=decision,
        members=members,
        cost=Cost.total([m.answer.cost for m in members if m.answer.cost is not None]),
        create_time=create_time,
        elapsed_s=0.0,
        method=_method(consensus, matrix, members, code_version),
        warnings=(*plan.warnings, *_warnings(members)),
        explanation=explain(outcome, pooled.confidence, plan.spec.pooling, members, decision),
        numeric=numeric_result(question.kind, pooled.probabilities)
        if numeric and isinstance(question.kind, Numeric)
        else None,
        votes=_votes(question.kind, matrix),
    )


def _decision(plan: Plan, pooled: Pooled) -> Decision:
    return decide(
        pooled.agreement.vote_share,
        answered=pooled.agreement.answered,
        asked=pooled.agreement.asked,
        min_responses=plan.min_responses,
        min_agreement=plan.spec.min_agreement,
        high_agreement=plan.spec.high_agreement,
        decided=pooled.decided,
    )


def _method(
    consensus: RunningConsensus, matrix: AnswerMatrix, members: Sequence[MemberAnswer], code_version: str
) -> Method:
    spec, advice = consensus.plan.spec, consensus.advice
    curve = IDENTITY if advice is None else advice.curve(matrix.probabilities)
    hashes = {m.forecast.prompt_hash for m in members if m.forecast is not None and m.forecast.prompt_hash}
    return Method(
        pooling=spec.pooling,
        weighting=spec.weighting,
        calibration=spec.calibration,
        execution=spec.execution,
        selection=spec.selection,
        weights_version="" if advice is None else advice.version,
        calibrator_version="" if advice is None else advice.version,
        code_version=code_version,
        prompt_hash=",".join(sorted(hashes)),
        parameters=dict(spec.parameters),
        curve=curve.method.name.lower(),
        curve_parameters=curve.parameters,
    )


def _votes(kind: object, matrix: AnswerMatrix) -> tuple[int, ...]:
    return votes(matrix) if isinstance(kind, FreeText) else ()


def _warnings(members: Sequence[MemberAnswer]) -> tuple[str, ...]:
    missing = [m.member for m in members if m.absent is not None and m.absent.reason not in NOT_ASKED]
    if not missing:
        return ()
    return (f"{len(missing)} of {len(members)} members gave no answer: {', '.join(missing)}",)
