# SPDX-License-Identifier: Apache-2.0
"""What follows from a pool: the same code for an answer that is given and for one that is replayed.

Pure: nothing here reads what is configured or learned at present.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from server.forecasting.answers import AnswerMatrix, numeric_result, votes
from server.forecasting.computation import Computation
from server.forecasting.covering import doubt, label_set, number_interval
from server.forecasting.disagreement import decide
from server.forecasting.explanation import explain
from server.forecasting.pooling import Pooled, meta_confidence
from server.forecasting.prediction import Action, Agreement, Decision, LabelSet, MemberAnswer, NumericResult
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, QuestionKind


def derived(
    kind: QuestionKind,
    computation: Computation,
    matrix: AnswerMatrix,
    pooled: Pooled,
    members: Sequence[MemberAnswer],
) -> dict[str, Any]:
    """The fields of a ``Prediction`` that follow from its pool; no probabilities where nobody answered."""
    doubted = _doubt(kind, computation, pooled)
    decision = _decision(computation, pooled, doubted)
    outcome = matrix.outcomes[pooled.chosen] if pooled.probabilities else ""
    numeric = isinstance(kind, Numeric) and bool(pooled.probabilities)
    return {
        "outcomes": matrix.outcomes,
        "probabilities": pooled.probabilities,
        "raw_probabilities": pooled.raw or pooled.probabilities,
        "outcome": outcome,
        "confidence": pooled.confidence,
        "meta_confidence": meta_confidence(
            pooled.confidence, pooled.agreement.vote_share, pooled.normalised_dispersion
        ),
        "agreement": _agreement(computation, pooled),
        "interval": pooled.interval,
        "decision": decision,
        "members": members,
        "explanation": explain(outcome, pooled.confidence, computation.pooling, members, decision),
        "numeric": _number(kind, computation, pooled) if numeric and isinstance(kind, Numeric) else None,
        "label_set": _labels(kind, computation, matrix, pooled),
        "doubt": doubted,
        "votes": votes(matrix) if isinstance(kind, FreeText) else (),
    }


def _agreement(computation: Computation, pooled: Pooled) -> Agreement:
    if computation.independent_members is None:
        return pooled.agreement
    return replace(pooled.agreement, independent_members=computation.independent_members)


def _number(kind: Numeric, computation: Computation, pooled: Pooled) -> NumericResult:
    found = numeric_result(kind, pooled.probabilities)
    if not computation.coverage:
        return found
    return replace(found, interval=number_interval(found, computation.coverage, computation.coverage_level))


def _labels(
    kind: QuestionKind, computation: Computation, matrix: AnswerMatrix, pooled: Pooled
) -> LabelSet | None:
    if not (computation.coverage and pooled.probabilities and isinstance(kind, Binary | Exclusive)):
        return None
    return label_set(matrix.outcomes, pooled.probabilities, computation.coverage, computation.coverage_level)


def _doubt(kind: QuestionKind, computation: Computation, pooled: Pooled) -> float | None:
    """Only calibrated probabilities say what is to be expected of them."""
    known = computation.curve != "none" and bool(pooled.probabilities)
    return doubt(pooled.probabilities) if known and isinstance(kind, Binary | Exclusive) else None


def _decision(computation: Computation, pooled: Pooled, doubted: float | None) -> Decision:
    voted = _voted(computation, pooled)
    if doubted is None or doubted <= computation.max_doubt or voted.action is Action.ABSTAIN:
        return voted
    reason = f"an expected loss of {doubted:.3f} is above the threshold {computation.max_doubt:.3f}"
    return Decision(Action.ABSTAIN, 0.0, reason)


def _voted(computation: Computation, pooled: Pooled) -> Decision:
    return decide(
        pooled.agreement.vote_share,
        answered=pooled.agreement.answered,
        asked=pooled.agreement.asked,
        min_responses=computation.min_responses,
        min_agreement=computation.min_agreement,
        high_agreement=computation.high_agreement,
        decided=pooled.decided,
    )
