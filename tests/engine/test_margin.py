# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.margin import CAUTION, LARGEST_SHARE, MEMORY_S, ReplyMargin
from server.forecasting.deadline import Deadline
from tests.clock import HandClock

CONFIGURED_S, LEFT_S = 0.15, 2.0


def closing_s(margin: ReplyMargin, clock: HandClock, left_s: float = LEFT_S) -> float:
    """How long before a deadline members are no longer waited for."""
    deadline = Deadline.after(left_s, clock)
    return deadline.at_s - margin.closing(deadline).at_s


def reply(margin: ReplyMargin, clock: HandClock, took_s: float, late_s: float = 0.0) -> None:
    closing = margin.closing(Deadline.after(LEFT_S, clock))
    clock.move(closing.at_s + late_s - clock.monotonic())
    closed_s = clock.monotonic()
    clock.move(took_s)
    margin.replied(closing, closed_s)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def margin(clock: HandClock) -> ReplyMargin:
    return ReplyMargin(CONFIGURED_S, clock)


def test_quick_answers_leave_the_margin_as_configured(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=0.05)
    assert closing_s(margin, clock) == pytest.approx(CONFIGURED_S)


def test_a_slow_one_makes_the_next_close_earlier(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=0.2)
    reply(margin, clock, took_s=0.05)
    assert closing_s(margin, clock) == pytest.approx(CAUTION * 0.2)


def test_being_late_counts_as_slow(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=0.05, late_s=0.15)
    assert closing_s(margin, clock) == pytest.approx(CAUTION * 0.2)


def test_members_keep_most_of_the_time(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=5.0)
    assert closing_s(margin, clock) == pytest.approx(LARGEST_SHARE * LEFT_S)
    assert closing_s(margin, clock, left_s=0.3) == pytest.approx(CONFIGURED_S)


def test_what_was_slow_is_forgotten(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=0.2)
    clock.move(MEMORY_S)
    assert closing_s(margin, clock) > CONFIGURED_S
    clock.move(MEMORY_S)
    assert closing_s(margin, clock) == pytest.approx(CONFIGURED_S)


def test_a_quiet_night_is_not_remembered(margin: ReplyMargin, clock: HandClock) -> None:
    reply(margin, clock, took_s=0.2)
    clock.move(100 * MEMORY_S)
    assert closing_s(margin, clock) == pytest.approx(CONFIGURED_S)


@given(st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 30.0)), max_size=20), st.floats(0.2, 300.0))
def test_between_what_is_configured_and_a_quarter(took: list[tuple[float, float]], left_s: float) -> None:
    clock = HandClock()
    margin = ReplyMargin(CONFIGURED_S, clock)
    for took_s, pause_s in took:
        reply(margin, clock, took_s)
        clock.move(pause_s)
    kept_s = closing_s(margin, clock, left_s)
    assert CONFIGURED_S - 1e-6 <= kept_s <= max(CONFIGURED_S, LARGEST_SHARE * left_s) + 1e-6
