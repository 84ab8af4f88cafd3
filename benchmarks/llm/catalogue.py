# SPDX-License-Identifier: Apache-2.0
"""Every failure against a budget of two seconds: the outcome, when it came, and what was booked.

    python -m benchmarks.llm.catalogue

Writes ``docs/failures.md`` and the raw results. One member at a time, in the
format of OpenAI Chat; the tests run the same catalogue through every format.
"""

import asyncio
import json
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvloop

from benchmarks.llm.question import QUERY
from benchmarks.reporting import write
from benchmarks.serving import REPOSITORY, simulating
from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.forecast import Absent, Answer, Cost, CostSource
from server.llm.attempts import Attempt
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings
from tests.llm.catalogue import CATALOGUE

BUDGET_S = 2.0
ROUNDS = 5
WORDS = {
    "429-wait90000ms": "429 with a Retry-After beyond the deadline",
    "429-first1-wait50ms": "429 with a Retry-After that fits",
    "429bare": "429 without Retry-After",
    "429quota": "429, no quota left",
    "500": "500, again and again",
    "500-first1": "500 once",
    "502": "502",
    "503": "503, overloaded",
    "529": "529, overloaded",
    "504": "504",
    "408": "408",
    "reset": "reset before headers, again and again",
    "reset-first1": "reset before headers once",
    "hang": "silence after accept",
    "slowstart": "slow first token",
    "cut": "cut in the middle, again and again",
    "cut-first1": "cut in the middle once",
    "stall": "stall in the middle",
    "pingstall": "stall in the middle, with pings",
    "badchunk": "malformed chunk",
    "noend": "missing end marker",
    "streamerror": "error in the middle of a stream",
    "error200": "error inside a 200",
    "notjson": "HTML inside a 200, again and again",
    "notjson-first1": "HTML inside a 200 once",
    "truncated": "truncated answer",
    "badjson": "invalid JSON after the number",
    "garbage": "no JSON at all, again and again",
    "garbage-first1": "no JSON at all once",
    "ignoreschema": "schema ignored, again and again",
    "ignoreschema-first1": "schema ignored once",
    "outofrange": "probability out of range",
    "empty": "empty answer",
    "oddfinish": "unknown finish reason",
    "fenced": "JSON in a code fence",
    "prose": "prose with a percentage",
    "context": "context too long",
    "400": "400",
    "413": "413",
    "422": "422",
    "401": "401, key refused",
    "403": "403",
    "404": "404, model unknown",
    "402": "402, billing",
    "filter": "content filter",
    "refuse": "refusal",
    "nousage": "usage missing",
    "nullusage": "usage null",
    "wrongusage": "usage impossible",
    "notemperature": "parameter not supported",
    "noschema": "schemas not supported",
}


@dataclass
class Books:
    """What was told of the attempts."""

    attempts: list[Attempt] = field(default_factory=list)

    def attempted(self, attempt: Attempt) -> None:
        """Keep it."""
        self.attempts.append(attempt)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Of no interest here."""

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """Of no interest here."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    failure: str
    mode: str
    outcome: str
    attempts: int
    worst_ms: float
    booked: str


def room(base_url: str, model: str, books: Books, *, stream: bool, **provider: Any) -> LanguageModels:
    price = {"input": 1.0, "cache_read": 0.1, "output": 4.0}
    chat = {"provider": "sim", "model": model, "price": price, "stream": stream, "temperature": 0.5}
    settings = {"base_url": base_url, "flavour": "openai", **provider}
    return LanguageModels(
        {"sim": ProviderSettings.model_validate(settings)},
        {"m": ChatSettings.model_validate(chat)},
        observer=books,
    )


async def once(base_url: str, model: str, books: Books, *, stream: bool) -> tuple[Answer, float]:
    made = room(base_url, model, books, stream=stream)
    start = time.perf_counter()
    answer = await made.forecasters["m"].forecast(QUERY, Deadline.after(BUDGET_S, SystemClock()))
    took = time.perf_counter() - start
    await made.close()
    return answer, took


async def row(url: str, fault: str, failure: str, *, stream: bool, base_url: str = "") -> Row:
    books, took, answer = Books(), [], None
    for number in range(ROUNDS):
        model = f"sim-p0.7-{fault}-{'s' if stream else 'w'}{number}" if fault else "m"
        answer, seconds = await once(base_url or f"{url}/openai/v1", model, books, stream=stream)
        took.append(1e3 * seconds)
    assert answer is not None
    mode = "stream" if stream else "whole"
    billed = await bill(url, f"sim-p0.7-{fault}-{mode[0]}") if fault else []
    return Row(failure, mode, outcome(answer), answer.attempts, max(took), booked(books.attempts, billed))


def outcome(answer: Answer) -> str:
    return answer.reason.value if isinstance(answer, Absent) else "forecast"


async def bill(url: str, prefix: str) -> list[dict[str, Any]]:
    """The simulator's entries, once it has seen the end of all calls."""
    async with httpx2.AsyncClient() as client:
        while True:
            entries = (await client.get(f"{url}/ledger")).json()["entries"]
            mine = [entry for entry in entries if entry["model"].startswith(prefix)]
            if all(entry["outcome"] != "open" for entry in mine):
                return mine
            await asyncio.sleep(0.01)


def booked(attempts: list[Attempt], entries: list[dict[str, Any]]) -> str:
    """Whether each attempt was booked as it was billed."""
    said = set()
    for attempt, entry in zip(attempts, entries, strict=bool(entries)):
        cost, billed = attempt.cost, entry["billed_nano_usd"]
        if cost is None:
            said.add("nothing" if billed == 0 else "MISSED")
        elif cost.source is CostSource.ESTIMATE:
            said.add("estimate")
        else:
            said.add("exact" if cost.nano_usd == billed else "WRONG")
    return " and ".join(sorted(said)) or "nothing"


async def flapping(url: str) -> Row:
    """Down for six calls, up for six, and so on, with a caller who asks without end."""
    books, took = Books(), []
    breaker = {
        "consecutive_failures": 3,
        "open_s": 0.05,
        "trial_calls": 1,
        "ramp_s": 0.05,
        "max_open_s": 0.05,
    }
    made = room(f"{url}/openai/v1", "sim-p0.7-503-flap6", books, stream=False, breaker=breaker)
    answers = []
    for _ in range(200):
        start = time.perf_counter()
        answers.append(await made.forecasters["m"].forecast(QUERY, Deadline.after(BUDGET_S, SystemClock())))
        took.append(1e3 * (time.perf_counter() - start))
        await asyncio.sleep(0.005)
    await made.close()
    kinds = [outcome(answer) for answer in answers]
    said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    billed = await bill(url, "sim-p0.7-503-flap6")
    return Row(
        "flapping provider, 200 questions",
        "whole",
        said,
        len(billed),
        max(took),
        booked(books.attempts, billed),
    )


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def table(url: str) -> list[Row]:
    rows = [
        await row(
            url, "", "connection refused", stream=stream, base_url=f"http://127.0.0.1:{unused_port()}/v1"
        )
        for stream in (False, True)
    ]
    for case in CATALOGUE:
        for stream in (False, True):
            if case.only in ("", "stream" if stream else "whole"):
                rows.append(await row(url, case.fault, WORDS[case.fault], stream=stream))  # noqa: PERF401
    return [*rows, await flapping(url)]


HEAD = """# Failures inside two seconds

One member, a budget of 2 s, and every failure of the catalogue at the provider simulator, over real
HTTP. `python -m benchmarks.llm.catalogue` writes this page; the tests run the same catalogue through
all wire formats.

"Answered after" is the slowest of {rounds} runs, for a whole answer and for a stream. Booked: "exact" is
equal to the simulator's bill to the nano dollar, "estimate" is marked as one because the provider never
told what the call cost, "nothing" was billed nothing; two words stand for two attempts.

| failure | outcome | attempts | answered after, ms | booked |
| --- | --- | --- | --- | --- |
"""


def document(rows: list[Row]) -> str:
    return HEAD.format(rounds=ROUNDS) + "\n".join(merged(rows)) + "\n"


def merged(rows: list[Row]) -> list[str]:
    """One line for both modes where they agree in all but time."""
    lines: dict[tuple[str, str, int, str], list[Row]] = {}
    for one in rows:
        lines.setdefault((one.failure, one.outcome, one.attempts, one.booked), []).append(one)
    made = []
    for (failure, said, attempts, books), same in lines.items():
        times = " / ".join(f"{one.worst_ms:,.0f}" for one in same)
        only = "" if len(same) == 2 else f" ({same[0].mode})"
        made.append(f"| {failure}{only} | {said} | {attempts} | {times} | {books} |")
    return made


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        simulating(Path(folder)) as simulator,
    ):
        rows = uvloop.run(table(f"http://{simulator.address}"))
    late = [r for r in rows if r.worst_ms > 1e3 * BUDGET_S]
    wrong = [r for r in rows if "MISSED" in r.booked or "WRONG" in r.booked]
    (REPOSITORY / "docs" / "failures.md").write_text(document(rows), encoding="utf-8")
    results = {"late": len(late), "wrongly_booked": len(wrong), "rows": [vars(r) for r in rows]}
    write("llm_catalogue", "python -m benchmarks.llm.catalogue", results)
    print(json.dumps({"rows": len(rows), "late": len(late), "wrongly booked": len(wrong)}))


if __name__ == "__main__":
    main()
