# SPDX-License-Identifier: Apache-2.0
"""From a finished consensus to an answer, with its method and warnings."""

from collections.abc import Sequence
from datetime import datetime

from server.engine.advice import Advice
from server.engine.consensus import RunningConsensus
from server.engine.derived import derived
from server.forecasting.computation import Computation
from server.forecasting.ensemble import Plan
from server.forecasting.forecast import NOT_ASKED, Cost
from server.forecasting.prediction import MemberAnswer, Method, Prediction


def conclude(
    consensus: RunningConsensus, prediction_id: str, create_time: datetime, code_version: str
) -> Prediction:
    """The answer of those in hand; without probabilities when nobody answered."""
    matrix, pooled = consensus.pool()
    plan, question = consensus.plan, consensus.question
    members = consensus.members(pooled)
    computation = consensus.computation(matrix, pooled)
    return Prediction(
        id=prediction_id,
        question_id=question.id,
        ensemble=plan.spec.name,
        cost=Cost.total([m.answer.cost for m in members if m.answer.cost is not None]),
        create_time=create_time,
        elapsed_s=0.0,
        method=_method(plan, consensus.advice, computation, members, code_version),
        warnings=(*plan.warnings, *_warnings(members)),
        computation=computation,
        **derived(question.kind, computation, matrix, pooled, members),
    )


def _method(
    plan: Plan,
    advice: Advice | None,
    computation: Computation,
    members: Sequence[MemberAnswer],
    code_version: str,
) -> Method:
    spec = plan.spec
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
        curve=computation.curve,
        curve_parameters=computation.curve_parameters,
    )


def _warnings(members: Sequence[MemberAnswer]) -> tuple[str, ...]:
    others = [
        f"{m.member} was answered by its fallback {m.forecast.fallback}"
        for m in members
        if m.forecast is not None and m.forecast.fallback
    ]
    missing = [m.member for m in members if m.absent is not None and m.absent.reason not in NOT_ASKED]
    if not missing:
        return tuple(others)
    return (f"{len(missing)} of {len(members)} members gave no answer: {', '.join(missing)}", *others)
