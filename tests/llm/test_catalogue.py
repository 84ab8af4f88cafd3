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
from tests.llm.catalogue import CATALOGUE, DIFFERENT, Case
from tests.llm.conftest import Bench, Notes
from tests.llm.wires import WIRES, WireCase


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
            temperature=None if self.wire.name == "anthropic" else 0.5,  # which has none
        )

    def check(self, bench: Bench) -> None:
        assert self.answer is not None
        expected = DIFFERENT.get((self.wire.name, self.case.fault), self.case.reason)
        assert reason_of(self.answer) == expected
        attempts = 2 if expected is AbsentReason.PROVIDER_SERVER_ERROR else self.case.attempts
        if (self.wire.name, self.case.fault) == ("anthropic", "notemperature"):
            attempts = 1
        if (self.wire.name, self.case.fault) == ("openrouter", "noschema"):
            attempts = 3  # it does not name what it refuses, and the schema is given up last
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
