# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from server.forecasting.forecast import AbsentReason
from server.llm.failures import Failure, Parameter
from server.llm.retry import Situation, Step, next_step

R = AbsentReason
FRESH = Situation(
    attempts=1, max_attempts=3, left_s=1.5, typical_s=0.3, other_keys=False, in_words=False, taken=frozenset()
)


@pytest.mark.parametrize(
    ("failure", "situation", "step"),
    [
        (Failure(R.PROVIDER_CONNECTION_FAILED), FRESH, Step.AGAIN),
        (Failure(R.PROVIDER_CONNECTION_FAILED), replace(FRESH, taken={Step.AGAIN}), Step.GIVE_UP),
        (Failure(R.PROVIDER_SERVER_ERROR), FRESH, Step.AGAIN),
        (Failure(R.PROVIDER_SERVER_ERROR, retry=False), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_OVERLOADED), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_OVERLOADED, retry=True), FRESH, Step.AGAIN),
        (Failure(R.PROVIDER_TIMEOUT), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_RATE_LIMITED, retry_after_s=0.5), FRESH, Step.AFTER_WAIT),
        (Failure(R.PROVIDER_RATE_LIMITED, retry_after_s=1.4), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_RATE_LIMITED), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_RATE_LIMITED, retry_after_s=9), replace(FRESH, other_keys=True), Step.OTHER_KEY),
        (
            Failure(R.PROVIDER_RATE_LIMITED, retry_after_s=0.1),
            replace(FRESH, taken={Step.AFTER_WAIT}),
            Step.GIVE_UP,
        ),
        (Failure(R.PROVIDER_BILLING), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_BILLING), replace(FRESH, other_keys=True), Step.OTHER_KEY),
        (Failure(R.PROVIDER_AUTH_FAILED), replace(FRESH, other_keys=True), Step.OTHER_KEY),
        (Failure(R.CALLER_MODEL_UNKNOWN), FRESH, Step.GIVE_UP),
        (Failure(R.CALLER_INVALID_REQUEST), FRESH, Step.GIVE_UP),
        (
            Failure(R.CALLER_INVALID_REQUEST, parameter=Parameter.TEMPERATURE),
            FRESH,
            Step.WITHOUT_PARAMETER,
        ),
        (Failure(R.PROVIDER_REFUSED), replace(FRESH, other_keys=True), Step.GIVE_UP),
        (Failure(R.PROVIDER_BAD_OUTPUT), FRESH, Step.IN_WORDS),
        (Failure(R.PROVIDER_BAD_OUTPUT), replace(FRESH, in_words=True), Step.GIVE_UP),
        (Failure(R.PROVIDER_BAD_OUTPUT, retry=False), FRESH, Step.GIVE_UP),
        # "x-should-retry: false" is about the same request, which this is not:
        (
            Failure(R.PROVIDER_BILLING, retry=False),
            replace(FRESH, other_keys=True),
            Step.OTHER_KEY,
        ),
        (
            Failure(R.CALLER_INVALID_REQUEST, parameter=Parameter.SEED, retry=False),
            FRESH,
            Step.WITHOUT_PARAMETER,
        ),
        (Failure(R.PROVIDER_RATE_LIMITED, retry_after_s=0.1, retry=False), FRESH, Step.GIVE_UP),
        (Failure(R.POLICY_CIRCUIT_OPEN), FRESH, Step.GIVE_UP),
        (Failure(R.POLICY_RATE_LIMITED), FRESH, Step.GIVE_UP),
        (Failure(R.PROVIDER_SERVER_ERROR), replace(FRESH, attempts=3), Step.GIVE_UP),
        (Failure(R.PROVIDER_SERVER_ERROR), replace(FRESH, left_s=0.29), Step.GIVE_UP),
    ],
)
def test_next_step(failure: Failure, situation: Situation, step: Step) -> None:
    assert next_step(failure, situation) is step


@pytest.mark.parametrize("reason", AbsentReason)
def test_nothing_is_tried_for_ever(reason: AbsentReason) -> None:
    """Whatever fails, in whatever way, the same failure again and again comes to an end."""
    for parameter in (None, Parameter.SCHEMA):
        for wait in (None, 0.0):
            now, failure = FRESH, Failure(reason, parameter=parameter, retry_after_s=wait)
            while (step := next_step(failure, now)) is not Step.GIVE_UP:
                now = replace(now, attempts=now.attempts + 1, taken={*now.taken, step})
            assert now.attempts <= now.max_attempts
