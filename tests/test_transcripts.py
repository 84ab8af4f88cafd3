# SPDX-License-Identifier: Apache-2.0
"""What models were sent and said, from a whole server's question to its record, and to the command line."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.forecasting.forecast import CostSource
from server.forecasting.prediction import Prediction
from server.forecasting.transcript import Attempted
from server.simulator.server import Simulator
from server.storage.documents import decode
from tests.running import Running, chat, running, settings

OURS = "sk-ours-7f3a9c5e1b"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as started:
        yield started


def parts(simulator: Simulator, members: dict[str, Any], **more: Any) -> dict[str, Any]:
    provider = {"base_url": f"{simulator.url}/openai/v1", "flavour": "openai", "key": "env:OUR_KEY"}
    asked = [name for name in members if name != "stand-in"]
    ensemble = {"members": asked, "deadline_s": 10, "min_responses": 1, **more.pop("ensemble", {})}
    return {
        "providers": {"sim": provider, "other": {**provider, "base_url": f"{simulator.url}/xai/v1"}},
        "forecasters": members,
        "ensembles": {"all": ensemble},
        **more,
    }


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", OURS)


async def stored(server: Running, folder: Path, prediction_id: str) -> Prediction:
    del server
    with sqlite3.connect(folder / "test.db") as database:
        (text,) = database.execute(
            "SELECT document FROM predictions WHERE id = ?", (prediction_id,)
        ).fetchone()
    return decode(text).prediction


def by_member(prediction: Prediction) -> dict[str, list[Attempted]]:
    found: dict[str, list[Attempted]] = {}
    for attempt in prediction.attempts:
        found.setdefault(attempt.member, []).append(attempt)
    return found


async def test_every_call_is_on_record_with_what_was_sent_and_said(
    simulator: Simulator, tmp_path: Path
) -> None:
    members = {
        "well": chat("sim-p0.7"),
        "same": chat("sim-p0.6"),
        "again": chat("sim-500-first1"),
        "babbles": chat("sim-garbage"),
        "sick": chat("sim-503"),
        "words": chat("sim-p0.5", schema_mode="words"),
    }
    async with running(settings(tmp_path, **parts(simulator, members))) as server:
        answered = await server.ask(f"Will it rain on {OURS}?")
        prediction = await stored(server, tmp_path, answered.id)
    found = by_member(prediction)
    assert {name: [one.reason for one in each] for name, each in found.items()} == {
        "well": [""],
        "same": [""],
        "again": ["provider_server_error", ""],
        "babbles": ["provider_bad_output", "provider_bad_output"],
        "sick": ["provider_overloaded"],
        "words": [""],
    }
    assert len(prediction.prompts) == 2, "one text for all, and the one with the schema in words"
    (well,), (same,), (words,) = found["well"], found["same"], found["words"]
    assert well.prompt == same.prompt != words.prompt
    assert well.prompt is not None
    prompt = prediction.prompts[well.prompt]
    assert "Question: Will it rain on ***?" in prompt.user
    assert prompt.system.startswith("You are a careful forecaster")
    assert json.loads(prompt.schema)["required"] == ["rationale", "probability", "confidence"]
    assert words.prompt is not None
    assert prediction.prompts[words.prompt].schema == ""
    assert '"probability"' in prediction.prompts[words.prompt].user
    assert json.loads(well.answer)["probability"] == 0.7
    assert not well.is_cut
    assert all(one.answer and "probability" not in one.answer for one in found["babbles"])
    assert (found["sick"][0].status, found["sick"][0].answer) == (503, "")
    spent = sum(one.cost.nano_usd for one in prediction.attempts if one.cost is not None)
    bill = sum(entry.billed_nano_usd for entry in simulator.service.ledger.entries())
    assert spent == bill
    assert all(0.0 <= one.after_s <= one.after_s + one.latency_s <= 10.0 for one in prediction.attempts)
    database = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert OURS.encode() in database, "the caller wrote it into the question, which is stored as asked"
    assert OURS not in str((prediction.attempts, prediction.prompts))


async def test_texts_are_bounded_and_can_be_left_out(simulator: Simulator, tmp_path: Path) -> None:
    members = {"well": chat("sim-p0.7")}
    for number, (chosen, wanted) in enumerate(
        [({"keep": False}, (None, 0)), ({"max_kib": 1, "max_answer_kib": 1}, (None, 1_024))]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with running(settings(folder, **parts(simulator, members, transcripts=chosen))) as server:
            answered = await server.ask("Will it rain?" * 40)
            prediction = await stored(server, folder, answered.id)
        (attempt,) = prediction.attempts
        assert (attempt.reason, attempt.prompt) == ("", wanted[0])
        assert len(attempt.answer) <= wanted[1]
        assert prediction.prompts == ()
        assert attempt.cost is not None


async def test_a_slow_member_is_hedged_at_another_provider(simulator: Simulator, tmp_path: Path) -> None:
    members = {"slow": chat("sim-hang", fallbacks=["stand-in"]), "stand-in": chat("sim-p0.7", "other")}
    hedged = {"execution": "hedged", "hedge_delay_s": 0.05, "hedge_share": 1.0}
    async with running(settings(tmp_path, **parts(simulator, members, ensemble=hedged))) as server:
        answered = await server.ask()
        prediction = await stored(server, tmp_path, answered.id)
    (member,) = prediction.members
    assert member.forecast is not None
    assert member.forecast.fallback == "stand-in"
    first, second = sorted(prediction.attempts, key=lambda one: one.after_s)
    assert (first.provider, first.reason) == ("sim", "caller_cancelled")
    assert first.cost is not None
    assert first.cost.source is CostSource.ESTIMATE
    assert (second.provider, second.model, second.reason) == ("other", "sim-p0.7", "")
    assert second.after_s >= 0.05


async def test_an_answer_from_the_cache_made_no_calls(simulator: Simulator, tmp_path: Path) -> None:
    chosen = parts(simulator, {"well": chat("sim-p0.7")}, cache={"max_age_s": 60.0})
    async with running(settings(tmp_path, **chosen)) as server:
        first, second = await server.ask(), await server.ask()
        assert second.cached
        assert (await stored(server, tmp_path, first.id)).attempts
        assert (await stored(server, tmp_path, second.id)).attempts == ()


async def test_the_command_shows_it(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(settings(tmp_path, **parts(simulator, {"well": chat("sim-p0.7")}))) as server:
        answered = await server.ask("Will it rain?")
    monkeypatch.setenv("CONSILIENCE_STORAGE__URL", f"sqlite:///{tmp_path / 'test.db'}")

    async def command(*given: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.cli", "audit", "transcript", *given, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return process.returncode, out.decode()

    code, text = await command(answered.id)
    assert code == 0
    assert "Question: Will it rain?" in text
    assert "well: sim/sim-p0.7, prompt 1, at " in text
    code, whole = await command(answered.id, "--json")
    assert code == 0
    found = json.loads(whole)
    assert found["prediction_id"] == answered.id
    assert found["attempts"][0]["prompt"] == 0
    assert "Will it rain?" in found["prompts"][0]["user"]
    assert (await command("0" * 28))[0] == 1
