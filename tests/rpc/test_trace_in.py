# SPDX-License-Identifier: Apache-2.0
import pytest

from server.forecasting.prediction import Trace
from server.rpc.call import Call
from server.rpc.trace_in import MAX_STATE

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_callers_trace_is_read() -> None:
    assert Call(metadata={"traceparent": GOOD}).trace == Trace(GOOD)
    carried = Call(metadata={"traceparent": f" {GOOD} ", "tracestate": "a=1,b=2"}).trace
    assert carried == Trace(GOOD, "a=1,b=2")
    later = Call(metadata={"traceparent": f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"}).trace
    assert later == Trace(f"cc-{TRACE}-{SPAN}-01")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        GOOD.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{GOOD}-more",
        GOOD[:-1],
        f"00-{TRACE}-{SPAN}-0g",
    ],
)
def test_what_is_not_well_formed_is_no_trace(parent: str) -> None:
    assert Call(metadata={"traceparent": parent}).trace is None


def test_a_state_that_is_too_long_is_dropped() -> None:
    assert Call(metadata={"traceparent": GOOD, "tracestate": "x" * (MAX_STATE + 1)}).trace == Trace(GOOD)
