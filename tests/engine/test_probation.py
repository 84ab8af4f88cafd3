# SPDX-License-Identifier: Apache-2.0
from server.engine.probation import (
    ATTEMPTS,
    DECLINE,
    LONGEST_REST_S,
    PROOFS,
    REST_S,
    RollCall,
    SelectionState,
)
from server.engine.standing import Standing
from server.forecasting.forecast import Absent, AbsentReason, Forecast
from server.forecasting.prediction import MemberAnswer

ACTIVE, PROBATION, DESELECTED = SelectionState


def tell(standing: Standing, *, failed: bool, times: int = 1) -> None:
    answer = Absent(AbsentReason.PROVIDER_TIMEOUT, attempts=1) if failed else Forecast((0.5, 0.5))
    for _ in range(times):
        standing.add(MemberAnswer("gpt", answer, 1.0))


def test_an_outage_deselects_and_proofs_bring_back() -> None:
    roll, standing = RollCall(), Standing()
    changes: list[tuple[str, SelectionState]] = []
    roll.listeners.append(lambda name, state, reason: changes.append((name, state)))
    tell(standing, failed=False, times=ATTEMPTS // 2)
    assert roll.look("gpt", standing, 0.0) is ACTIVE
    tell(standing, failed=True, times=ATTEMPTS // 2)
    assert roll.look("gpt", standing, 1.0) is DESELECTED
    assert "4 of its last 8 attempts failed" in roll.seat("gpt").reason
    assert roll.look("gpt", standing, REST_S) is DESELECTED
    assert roll.look("gpt", standing, REST_S + 1.0) is PROBATION
    tell(standing, failed=False, times=PROOFS - 1)
    assert roll.look("gpt", standing, REST_S + 2.0) is PROBATION
    tell(standing, failed=False)
    assert roll.look("gpt", standing, REST_S + 3.0) is ACTIVE
    # The failures of before do not deselect it again.
    assert roll.look("gpt", standing, REST_S + 4.0) is ACTIVE
    assert changes == [("gpt", DESELECTED), ("gpt", PROBATION), ("gpt", ACTIVE)]


def test_failing_on_probation_doubles_the_rest() -> None:
    roll, standing = RollCall(), Standing()
    tell(standing, failed=True, times=ATTEMPTS)
    now_s = 0.0
    assert roll.look("gpt", standing, now_s) is DESELECTED
    for _ in range(12):
        now_s += roll.seat("gpt").rest_s
        assert roll.look("gpt", standing, now_s) is PROBATION
        tell(standing, failed=True)
        assert roll.look("gpt", standing, now_s) is DESELECTED
    assert roll.seat("gpt").rest_s == LONGEST_REST_S


def test_who_was_never_asked_is_active() -> None:
    assert RollCall().look("gpt", Standing(), 0.0) is ACTIVE


def test_a_decline_is_probation_until_it_is_halved() -> None:
    roll, standing = RollCall(), Standing()
    assert roll.look("gpt", standing, 0.0, DECLINE - 0.001) is ACTIVE
    assert roll.look("gpt", standing, 1.0, DECLINE) is PROBATION
    assert "a decline" in roll.seat("gpt").reason
    assert roll.look("gpt", standing, 2.0, 0.6 * DECLINE) is PROBATION
    assert roll.look("gpt", standing, 3.0, 0.4 * DECLINE) is ACTIVE
