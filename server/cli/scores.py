# SPDX-License-Identifier: Apache-2.0
"""How good a forecast was, once the outcome is known."""

from collections.abc import Sequence

from consilience import Prediction, Question


def truth_of(question: Question | None, outcomes: Sequence[str]) -> tuple[float, ...] | None:
    """What came true, as one number for each outcome; None while that is not known.

    A partial resolution counts in proportion. Annulled and retracted questions,
    and numeric ones, have no such truth.
    """
    resolution = question.resolution if question else None
    if resolution is None or resolution.annulled or resolution.retracted:
        return None
    if resolution.fraction is not None and len(outcomes) == 2:
        return resolution.fraction, 1.0 - resolution.fraction
    if resolution.outcome in outcomes:
        return tuple(float(name == resolution.outcome) for name in outcomes)
    return None


def brier_score(probabilities: Sequence[float], truth: Sequence[float]) -> float:
    """Mean squared difference: 0 is perfect, 1 certain and wrong.

    Half the sum over the outcomes, so that a binary question has the familiar
    (p - y)².  Source: Brier (1950), Verification of forecasts.
    """
    return sum((p - y) ** 2 for p, y in zip(probabilities, truth, strict=True)) / 2


def member_scores(prediction: Prediction, truth: Sequence[float]) -> dict[str, float]:
    """Brier score of each member that answered, by name."""
    return {
        part.member: brier_score(part.forecast.probabilities, truth)
        for part in prediction.members
        if part.forecast is not None and len(part.forecast.probabilities) == len(truth)
    }


def scores_of(prediction: Prediction, question: Question | None) -> dict[str, object] | None:
    """Brier scores of the ensemble and of each member, for machines; None while nothing is known."""
    truth = truth_of(question, prediction.outcomes)
    if truth is None or not prediction.probabilities:
        return None
    return {
        "brier": brier_score(prediction.probabilities, truth),
        "members": member_scores(prediction, truth),
    }
