# SPDX-License-Identifier: Apache-2.0
"""The failure catalogue: each fault, in each wire format, whole and streamed.

For each: the right outcome, the right reason, the number of attempts that the
simulator saw, and every attempt billed as the simulator billed it.
"""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import product

import pytest

from server.forecasting.forecast import Absent, AbsentReason, Answer, CostSource
from server.simulator.ledger import Entry
from tests.eventually import eventually
from tests.llm.conftest import Bench, Notes
from tests.llm.wires import WIRES, WireCase


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


@pytest.mark.parametrize("case", CATALOGUE, ids=lambda case: case.fault)
async def test_catalogue(bench: Bench, case: Case, subtests: pytest.Subtests) -> None:
    """All formats and modes at once, each with a model and an observer of its own."""
    runs = [Run(case, wire, mode, number) for number, (wire, mode) in enumerate(product(WIRES, MODES))]
    runs = [run for run in runs if case.only in ("", run.mode)]
    await asyncio.gather(*(run.ask(bench) for run in runs))
    await eventually(lambda: all(entry.outcome != "open" for entry in bench.entries()))
    for run in runs:
        with subtests.test(f"{run.wire.name} {run.mode}"):
            run.check(bench)


MODES = ("whole", "stream")


@dataclass
class Run:
    """One case in one format and mode."""

    case: Case
    wire: WireCase
    mode: str
    number: int
    notes: Notes = field(default_factory=Notes)
    answer: Answer | None = None

    @property
    def model(self) -> str:
        return f"sim-p0.73-{self.case.fault}-w{self.number}"

    async def ask(self, bench: Bench) -> None:
        self.answer = await replace(bench, notes=self.notes).ask(
            self.model,
            seconds=self.case.seconds,
            provider=self.wire.provider(bench.simulator.url),
            stream=self.mode == "stream",
            temperature=0.5,
        )

    def check(self, bench: Bench) -> None:
        assert self.answer is not None
        expected = DIFFERENT.get((self.wire.name, self.case.fault), self.case.reason)
        assert reason_of(self.answer) == expected
        attempts = 2 if expected is R.PROVIDER_SERVER_ERROR else self.case.attempts
        if (self.wire.name, self.case.fault) == ("anthropic", "notemperature"):
            attempts = 1  # which never gets one
        entries = bench.entries(self.model)
        assert self.answer.attempts == attempts == len(entries)
        every_attempt_is_billed(self.notes, entries)


def reason_of(answer: Answer) -> AbsentReason | None:
    if isinstance(answer, Absent):
        assert answer.detail
        return answer.reason
    assert answer.probabilities[0] == pytest.approx(0.73)
    return None


def every_attempt_is_billed(notes: Notes, entries: list[Entry]) -> None:
    """Attempt by attempt: what is no estimate equals the bill; what is one is marked, and had to be."""
    for attempt, entry in zip(notes.attempts, entries, strict=True):
        if attempt.cost is None:
            assert entry.billed_nano_usd == 0
        elif attempt.cost.source is CostSource.ESTIMATE:
            assert attempt.usage is not None
            assert attempt.usage.estimated
            assert unknowable(entry)
        else:
            assert attempt.cost.nano_usd == entry.billed_nano_usd


def unknowable(entry: Entry) -> bool:
    """Whether nobody told us what this call cost."""
    untold = {"nousage", "nullusage", "wrongusage", "notjson", "streamerror"}
    return entry.outcome in ("disconnected", "broken") or entry.fault in untold
