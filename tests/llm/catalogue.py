# SPDX-License-Identifier: Apache-2.0
"""The failure catalogue: what must become of each fault. Tested here, timed in ``benchmarks``."""

from dataclasses import dataclass

from server.forecasting.forecast import AbsentReason


@dataclass(frozen=True)
class Case:
    """What must become of a fault. ``only``: the mode in which it exists. ``seconds``: the budget."""

    fault: str
    reason: AbsentReason | None
    attempts: int = 1
    seconds: float = 10.0
    only: str = ""


R = AbsentReason
#: Long enough for an honest answer on a busy machine, short for those who wait in vain.
SHORT = 0.5

CATALOGUE = [
    Case("429-wait90000ms", R.PROVIDER_RATE_LIMITED),
    Case("429bare", R.PROVIDER_RATE_LIMITED),
    Case("429-first1-wait50ms", None, attempts=2),
    Case("429quota", R.PROVIDER_BILLING),
    Case("500", R.PROVIDER_SERVER_ERROR, attempts=2),
    Case("500-first1", None, attempts=2),
    Case("502", R.PROVIDER_OVERLOADED),
    Case("503", R.PROVIDER_OVERLOADED),
    Case("529", R.PROVIDER_OVERLOADED),
    Case("504", R.PROVIDER_TIMEOUT),
    Case("408", R.PROVIDER_TIMEOUT),
    Case("reset", R.PROVIDER_CONNECTION_FAILED, attempts=2),
    Case("reset-first1", None, attempts=2),
    Case("hang", R.PROVIDER_TIMEOUT, seconds=SHORT),
    Case("slowstart", R.PROVIDER_TIMEOUT, seconds=SHORT),
    Case("cut", R.PROVIDER_CONNECTION_FAILED, attempts=2),
    Case("cut-first1", None, attempts=2),
    Case("stall", R.PROVIDER_TIMEOUT, seconds=SHORT),
    Case("pingstall", R.PROVIDER_TIMEOUT, seconds=SHORT, only="stream"),
    Case("badchunk", None),
    Case("noend", None, only="whole"),
    Case("streamerror", R.PROVIDER_OVERLOADED, only="stream"),
    Case("error200", R.PROVIDER_OVERLOADED),
    Case("notjson", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("notjson-first1", None, attempts=2),
    Case("truncated", R.PROVIDER_BAD_OUTPUT),
    Case("badjson", None),  # broken after the number: the number is good
    Case("garbage", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("garbage-first1", None, attempts=2),
    Case("ignoreschema", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("ignoreschema-first1", None, attempts=2),
    Case("outofrange", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("empty", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("oddfinish", R.PROVIDER_BAD_OUTPUT, attempts=2),
    Case("fenced", None),
    Case("prose", None),
    Case("context", R.CALLER_INVALID_REQUEST),
    Case("400", R.CALLER_INVALID_REQUEST),
    Case("413", R.CALLER_INVALID_REQUEST),
    Case("422", R.CALLER_INVALID_REQUEST),
    Case("401", R.PROVIDER_AUTH_FAILED),
    Case("403", R.PROVIDER_AUTH_FAILED),
    Case("404", R.CALLER_MODEL_UNKNOWN),
    Case("402", R.PROVIDER_BILLING),
    Case("filter", R.PROVIDER_REFUSED),
    Case("refuse", R.PROVIDER_REFUSED),
    Case("nousage", None),
    Case("nullusage", None),
    Case("wrongusage", None),
    Case("notemperature", None, attempts=2),
    Case("noschema", None, attempts=2),
]

#: Where a format differs, because its provider does.
DIFFERENT = {
    ("openai_chat", "streamerror"): R.PROVIDER_SERVER_ERROR,
    ("xai_chat", "streamerror"): R.PROVIDER_SERVER_ERROR,
    ("local", "streamerror"): R.PROVIDER_SERVER_ERROR,
    ("openai_responses", "streamerror"): R.PROVIDER_SERVER_ERROR,
    ("xai_responses", "streamerror"): R.PROVIDER_SERVER_ERROR,
    ("openai_responses", "error200"): R.PROVIDER_SERVER_ERROR,
    ("xai_responses", "error200"): R.PROVIDER_SERVER_ERROR,
    ("openai_chat", "error200"): R.PROVIDER_SERVER_ERROR,
    ("xai_chat", "error200"): R.PROVIDER_SERVER_ERROR,
    ("local", "error200"): R.PROVIDER_SERVER_ERROR,
}
