# SPDX-License-Identifier: Apache-2.0
"""The failure catalogue: what can go wrong at a provider, by name.

A fault is one of four kinds. REFUSALS are answered with an error status before
anything is generated. CONNECTION faults happen below HTTP. DELIVERY faults
spoil the bytes of a good answer on their way. CONTENT faults are well-formed
answers that say the wrong thing. ``wire/`` renders refusals in each provider's
own words; ``app.py`` does the rest, the same for all.
"""

from enum import StrEnum


class Fault(StrEnum):
    """Every way in which a simulated call can fail; the value is its name in a model's name."""

    # Refusals.
    BAD_REQUEST = "400"
    AUTH = "401"
    BILLING = "402"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    REQUEST_TIMEOUT = "408"
    TOO_LARGE = "413"
    UNPROCESSABLE = "422"
    RATE_LIMITED = "429"
    RATE_LIMITED_SILENTLY = "429bare"
    QUOTA = "429quota"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    OVERLOADED = "529"
    CONTEXT_LENGTH = "context"
    CONTENT_FILTER = "filter"
    IN_FLIGHT_BUDGET = "402wait"
    # Connection.
    RESET = "reset"
    HANG = "hang"
    # Delivery.
    SLOW_START = "slowstart"
    CUT = "cut"
    STALL = "stall"
    PING_STALL = "pingstall"
    BAD_CHUNK = "badchunk"
    NO_END = "noend"
    STREAM_ERROR = "streamerror"
    NOT_JSON = "notjson"
    ERROR_IN_200 = "error200"
    # Content.
    TRUNCATED = "truncated"
    REFUSE = "refuse"
    GARBAGE = "garbage"
    BROKEN_JSON = "badjson"
    FENCED = "fenced"
    PROSE = "prose"
    SCHEMA_IGNORED = "ignoreschema"
    SCHEMA_DROPPED = "dropschema"
    OUT_OF_RANGE = "outofrange"
    EMPTY = "empty"
    UNKNOWN_FINISH = "oddfinish"
    # Accounting.
    NO_USAGE = "nousage"
    NULL_USAGE = "nullusage"
    WRONG_USAGE = "wrongusage"


REFUSALS = frozenset(
    {
        Fault.BAD_REQUEST,
        Fault.AUTH,
        Fault.BILLING,
        Fault.FORBIDDEN,
        Fault.NOT_FOUND,
        Fault.REQUEST_TIMEOUT,
        Fault.TOO_LARGE,
        Fault.UNPROCESSABLE,
        Fault.RATE_LIMITED,
        Fault.RATE_LIMITED_SILENTLY,
        Fault.QUOTA,
        Fault.SERVER_ERROR,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.GATEWAY_TIMEOUT,
        Fault.OVERLOADED,
        Fault.CONTEXT_LENGTH,
        Fault.CONTENT_FILTER,
        Fault.IN_FLIGHT_BUDGET,
    }
)

CONTENT = frozenset(
    {
        Fault.TRUNCATED,
        Fault.REFUSE,
        Fault.GARBAGE,
        Fault.BROKEN_JSON,
        Fault.FENCED,
        Fault.PROSE,
        Fault.SCHEMA_IGNORED,
        Fault.SCHEMA_DROPPED,
        Fault.OUT_OF_RANGE,
        Fault.EMPTY,
        Fault.UNKNOWN_FINISH,
    }
)

#: HTTP status of each refusal whose name is not the status itself.
STATUS = {
    Fault.RATE_LIMITED_SILENTLY: 429,
    Fault.QUOTA: 429,
    Fault.CONTEXT_LENGTH: 400,
    Fault.CONTENT_FILTER: 400,
    Fault.IN_FLIGHT_BUDGET: 402,
}


def status_of(fault: Fault) -> int:
    """HTTP status of a refusal."""
    return STATUS[fault] if fault in STATUS else int(fault.value)
