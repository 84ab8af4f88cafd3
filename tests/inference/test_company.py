# SPDX-License-Identifier: Apache-2.0
import pytest

from server.inference.company import LITTLE, MOST_PATIENCE_S, PATIENCE, TRIAL, Company

TAKEN_S = 0.01
PATIENT_S = PATIENCE * TAKEN_S


def patience_s(company: Company, items: int = 4, waiting: int = 0, taken_s: float = TAKEN_S) -> float:
    """How long the first to come is kept for others after a batch."""
    company.answered(items, waiting, taken_s, 100.0)
    return company.left_s(1, 100.0)


@pytest.fixture
def company() -> Company:
    return Company(16)


def test_as_many_as_were_answered_or_waited_are_expected(company: Company) -> None:
    assert patience_s(company, items=3, waiting=2) == pytest.approx(PATIENT_S)
    assert company.expected == 5
    assert company.left_s(4, 100.0) == pytest.approx(PATIENT_S)
    assert company.left_s(5, 100.0) == 0.0


def test_no_more_are_expected_than_a_batch_holds(company: Company) -> None:
    patience_s(company, items=16, waiting=9)
    assert company.expected == 16


def test_nobody_is_waited_for_in_an_empty_queue_or_alone(company: Company) -> None:
    assert patience_s(company, items=1) == 0.0
    patience_s(company, items=4)
    assert company.left_s(0, 100.0) == 0.0


def test_waiting_has_an_end(company: Company) -> None:
    patience_s(company)
    assert company.left_s(1, 100.0 + PATIENT_S / 2) == pytest.approx(PATIENT_S / 2)
    assert company.left_s(1, 100.0 + 2 * PATIENT_S) == 0.0


def test_patience_is_short_for_what_is_quick_and_limited_for_what_is_slow(company: Company) -> None:
    assert patience_s(company, taken_s=0.0005) == 0.0
    assert patience_s(company, taken_s=10.0) == pytest.approx(MOST_PATIENCE_S)


def wait_in_vain(company: Company, times: int) -> None:
    for _ in range(times):
        patience_s(company)
        company.waited(1)


def test_callers_that_do_not_come_back_are_waited_for_a_little(company: Company) -> None:
    wait_in_vain(company, 10)
    patiences = [patience_s(company) for _ in range(TRIAL)]
    assert sorted(patiences) == pytest.approx([LITTLE * PATIENT_S] * (TRIAL - 1) + [PATIENT_S])


def test_who_comes_back_after_all_is_waited_for_again(company: Company) -> None:
    wait_in_vain(company, 100)
    for _ in range(5 * TRIAL):
        patience_s(company)
        company.waited(4)
    assert all(patience_s(company) == pytest.approx(PATIENT_S) for _ in range(TRIAL))


def test_some_that_are_late_change_nothing(company: Company) -> None:
    for number in range(40):
        patience_s(company)
        company.waited(1 if number % 8 == 0 else 4)
    assert patience_s(company) == pytest.approx(PATIENT_S)
