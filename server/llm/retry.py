# SPDX-License-Identifier: Apache-2.0
"""What to do after a failure. PROVIDERS section 6, as one pure function."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from server.forecasting.forecast import AbsentReason
from server.llm.failures import Failure


class Step(StrEnum):
    """The next move."""

    GIVE_UP = "give_up"
    AGAIN = "again"
    AFTER_WAIT = "after_wait"
    OTHER_KEY = "other_key"
    WITHOUT_PARAMETER = "without_parameter"
    IN_WORDS = "in_words"


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand. ``typical_s``: what an attempt takes, as far as is known; times in seconds."""

    attempts: int
    max_attempts: int
    left_s: float
    typical_s: float
    other_keys: bool
    in_words: bool
    taken: AbstractSet[Step]


_AGAIN_ONCE = frozenset({AbsentReason.PROVIDER_CONNECTION_FAILED, AbsentReason.PROVIDER_SERVER_ERROR})
_ANOTHER_REQUEST = frozenset({Step.OTHER_KEY, Step.WITHOUT_PARAMETER})
_KEY_AT_FAULT = frozenset({AbsentReason.PROVIDER_AUTH_FAILED, AbsentReason.PROVIDER_BILLING})


def next_step(failure: Failure, now: Situation) -> Step:
    """What to do after ``failure``; never something that cannot finish in the time that is left."""
    if now.attempts >= now.max_attempts:
        return Step.GIVE_UP
    step = _wanted(failure, now)
    # The provider's word is about this request with this key, not about another one.
    if failure.retry is False and step not in _ANOTHER_REQUEST:
        return Step.GIVE_UP
    wait_s = failure.retry_after_s or 0.0 if step is Step.AFTER_WAIT else 0.0
    return step if now.left_s >= wait_s + now.typical_s else Step.GIVE_UP


def _wanted(failure: Failure, now: Situation) -> Step:
    reason = failure.reason
    if failure.parameter is not None:
        return Step.WITHOUT_PARAMETER
    if reason in _KEY_AT_FAULT:
        return Step.OTHER_KEY if now.other_keys else Step.GIVE_UP
    if reason is AbsentReason.PROVIDER_RATE_LIMITED:
        return _after_limit(failure, now)
    if reason is AbsentReason.PROVIDER_BAD_OUTPUT:
        return Step.GIVE_UP if now.in_words or Step.IN_WORDS in now.taken else Step.IN_WORDS
    if reason in _AGAIN_ONCE or failure.retry:
        return Step.GIVE_UP if Step.AGAIN in now.taken else Step.AGAIN
    return Step.GIVE_UP


def _after_limit(failure: Failure, now: Situation) -> Step:
    if now.other_keys:
        return Step.OTHER_KEY
    # Without a time to come back, any wait is a guess.
    if failure.retry_after_s is None or Step.AFTER_WAIT in now.taken:
        return Step.GIVE_UP
    return Step.AFTER_WAIT
