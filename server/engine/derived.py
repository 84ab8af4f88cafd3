# SPDX-License-Identifier: Apache-2.0
"""What follows from a pool: the same code for an answer that is given and for one that is replayed.

Pure: nothing here reads what is configured or learned at present.
"""

from collections.abc import Sequence
from typing import Any

from server.forecasting.answers import AnswerMatrix, numeric_result, votes
from server.forecasting.computation import Computation
from server.forecasting.disagreement import decide
from server.forecasting.explanation import explain
from server.forecasting.pooling import Pooled, meta_confidence
from server.forecasting.prediction import Decision, MemberAnswer
from server.forecasting.question import FreeText, Numeric, QuestionKind


def derived(
    kind: QuestionKind,
    computation: Computation,
    matrix: AnswerMatrix,
    pooled: Pooled,
    members: Sequence[MemberAnswer],
) -> dict[str, Any]:
    """The fields of a ``Prediction`` that follow from its pool; no probabilities where nobody answered."""
    decision = _decision(computation, pooled)
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
        "agreement": pooled.agreement,
        "interval": pooled.interval,
        "decision": decision,
        "members": members,
        "explanation": explain(outcome, pooled.confidence, computation.pooling, members, decision),
        "numeric": numeric_result(kind, pooled.probabilities)
        if numeric and isinstance(kind, Numeric)
        else None,
        "votes": votes(matrix) if isinstance(kind, FreeText) else (),
    }


def _decision(computation: Computation, pooled: Pooled) -> Decision:
    return decide(
        pooled.agreement.vote_share,
        answered=pooled.agreement.answered,
        asked=pooled.agreement.asked,
        min_responses=computation.min_responses,
        min_agreement=computation.min_agreement,
        high_agreement=computation.high_agreement,
        decided=pooled.decided,
    )
