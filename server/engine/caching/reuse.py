# SPDX-License-Identifier: Apache-2.0
"""A kept answer as a new one: it says what it is, and costs nothing."""

from dataclasses import replace

from server.forecasting.forecast import NOT_ASKED, AbsentReason, Answer, Cost, Forecast
from server.forecasting.prediction import CacheHit, CacheKind, MemberAnswer, Prediction
from server.forecasting.question import Question

#: Absences that asking again would not mend.
_LASTING = NOT_ASKED | {
    AbsentReason.NOT_APPLICABLE,
    AbsentReason.PROVIDER_REFUSED,
    AbsentReason.CALLER_INVALID_REQUEST,
}


def is_whole(prediction: Prediction) -> bool:
    """Whether nobody is missing for a passing reason, such as a slow provider."""
    return all(member.absent is None or member.absent.reason in _LASTING for member in prediction.members)


def reused(
    original: Prediction, kind: CacheKind, age_s: float, likeness: float, question: Question
) -> Prediction:
    """The original's answer for ``question``, without an id: the engine gives it one of its own."""
    saved = original.cost.nano_usd if original.cost is not None else 0
    return replace(
        original,
        id="",
        question_id=question.id,
        members=tuple(map(_reused_member, original.members)),
        cost=_free(original.cost),
        durable=False,
        cached=True,
        attempts=(),
        prompts=(),
        cache_hit=CacheHit(kind, age_s, original.id, original.question_id, likeness, saved),
        warnings=(*original.warnings, _warning(original, kind, age_s, likeness)),
    )


def _reused_member(member: MemberAnswer) -> MemberAnswer:
    answer: Answer = replace(member.answer, cost=_free(member.answer.cost), usage=None)
    if isinstance(answer, Forecast):
        answer = replace(answer, cached=True, raw="")
    return replace(member, answer=answer, latency_s=None)


def _free(cost: Cost | None) -> Cost | None:
    return None if cost is None else Cost(0, cost.source)


def _warning(original: Prediction, kind: CacheKind, age_s: float, likeness: float) -> str:
    if kind is CacheKind.SHARED:
        return f"one answer served several callers: it was being made for {original.id}"
    if kind is CacheKind.EXACT:
        return f"from the cache: the answer {original.id} of {age_s:.0f} s ago"
    return (
        f"from the cache: the answer {original.id} of {age_s:.0f} s ago to {original.question_id}, "
        f"the same question in other words (similarity {likeness:.2f})"
    )
