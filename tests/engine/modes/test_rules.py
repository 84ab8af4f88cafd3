# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.modes.mode import Cause, Mode
from server.engine.modes.rules import Signals, budget_left_share, called_for
from server.engine.modes.settings import DegradationSettings
from server.forecasting.money import Budget, BudgetStatus

SETTINGS = DegradationSettings()


@pytest.mark.parametrize(
    ("signals", "mode", "cause"),
    [
        (Signals(), Mode.NORMAL, Cause.NONE),
        (Signals(paid=3, in_trouble=1), Mode.NORMAL, Cause.NONE),
        (Signals(paid=2, in_trouble=1), Mode.REDUCED, Cause.MEMBERS),
        (Signals(paid=5, in_trouble=4), Mode.CACHED_ONLY, Cause.MEMBERS),
        (Signals(paid=5, in_trouble=5, outage_s=600.0), Mode.MARKET_ONLY, Cause.MEMBERS),
        (Signals(failed_records=0.49), Mode.NORMAL, Cause.NONE),
        (Signals(failed_records=0.5), Mode.MARKET_ONLY, Cause.RECORDS),
        (Signals(failed_records=1.0), Mode.HALT, Cause.RECORDS),
        (Signals(budget_left=0.1), Mode.NORMAL, Cause.NONE),
        (Signals(budget_left=0.09), Mode.REDUCED, Cause.MONEY),
        (Signals(budget_left=0.0), Mode.CACHED_ONLY, Cause.MONEY),
        (Signals(paid=2, in_trouble=1, failed_records=1.0, budget_left=0.0), Mode.HALT, Cause.RECORDS),
    ],
)
def test_what_calls_for_which_mode(signals: Signals, mode: Mode, cause: Cause) -> None:
    call = called_for(signals, SETTINGS)
    assert (call.mode, call.cause) == (mode, cause)


@given(
    st.builds(
        Signals,
        st.integers(0, 9),
        st.integers(0, 9),
        st.floats(0, 1e4),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1),
    ),
    st.floats(0.1, 1.0),
)
def test_leaving_is_harder_than_entering(signals: Signals, ease: float) -> None:
    assert called_for(signals, SETTINGS, ease).mode >= called_for(signals, SETTINGS).mode


def test_the_tightest_budget_that_covers_everything_counts() -> None:
    def status(scope: str, limit: int, settled: int) -> BudgetStatus:
        return BudgetStatus(Budget(scope, scope, limit), settled, 0, None)

    assert budget_left_share([]) is None
    assert budget_left_share([status("caller:alice", 100, 100)]) is None
    assert budget_left_share([status("all", 100, 25), status("all", 1000, 900)]) == 0.1
    assert budget_left_share([status("all", 0, 0)]) == 0.0
