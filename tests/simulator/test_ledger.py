# SPDX-License-Identifier: Apache-2.0
"""What is billed when, asked over HTTP as a test of another program would."""

from typing import Any

import httpx2
import pytest

from server.simulator.server import Simulator
from server.simulator.settings import SimulatorSettings
from tests.simulator.conftest import plain_client

BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Will it rain?"}]}


async def ask(simulator: Simulator, model: str, *, seconds: float = 5.0, **more: Any) -> httpx2.Response:
    async with plain_client(seconds) as client:
        return await client.post(f"{simulator.url}/v1/chat/completions", json=BODY | {"model": model} | more)


async def report(simulator: Simulator, model: str = "") -> dict[str, Any]:
    async with plain_client() as client:
        return dict((await client.get(f"{simulator.url}/ledger", params={"model": model})).json())


async def test_refusals_are_free_and_answers_are_not(simulator: Simulator) -> None:
    for model in ("sim-fast", "sim-429", "sim-500", "sim-truncated", "sim-refuse"):
        await ask(simulator, model)
    entries = (await report(simulator))["entries"]
    assert [entry["outcome"] for entry in entries] == [
        "complete",
        "refused",
        "refused",
        "complete",
        "complete",
    ]
    assert [entry["billed_nano_usd"] > 0 for entry in entries] == [True, False, False, True, True]
    assert (await report(simulator))["billed_nano_usd"] == sum(entry["billed_nano_usd"] for entry in entries)


@pytest.mark.parametrize(
    ("policy", "nano_usd"), [("nothing", 0), ("prompt", 12_000), ("everything", 12_000 + 28 * 4_000)]
)
async def test_a_caller_who_hangs_up_pays_by_policy(policy: Any, nano_usd: int) -> None:
    async with Simulator(SimulatorSettings(bill_cancelled=policy)) as simulator:
        with pytest.raises(httpx2.ReadTimeout):
            await ask(simulator, "sim-p0.5-30000ms", seconds=0.1)
        entry = await settled(simulator)
        assert entry["outcome"] == "disconnected"
        assert entry["billed_nano_usd"] == nano_usd


async def settled(simulator: Simulator) -> dict[str, Any]:
    """The only entry, once the simulator has seen that the caller is gone."""
    while (entry := (await report(simulator))["entries"][0])["outcome"] == "open":
        pass
    return dict(entry)


async def test_models_are_reported_alone_and_forgotten_on_demand(simulator: Simulator) -> None:
    await ask(simulator, "sim-fast-a")
    await ask(simulator, "sim-fast-b")
    assert (await report(simulator, "sim-fast-b"))["calls"] == 1
    async with plain_client() as client:
        assert (await client.delete(f"{simulator.url}/ledger")).status_code == 204
    assert await report(simulator) == {"calls": 0, "billed_nano_usd": 0, "entries": []}


async def test_a_key_is_kept_as_a_fingerprint_only(simulator: Simulator) -> None:
    async with plain_client() as client:
        client.headers["Authorization"] = "Bearer sk-very-secret"
        await client.post(f"{simulator.url}/v1/chat/completions", json=BODY | {"model": "sim-fast"})
        text = (await client.get(f"{simulator.url}/ledger")).text
    assert "very-secret" not in text
    assert len((await report(simulator))["entries"][0]["key"]) == 8


async def test_behaviour_can_change_while_running(simulator: Simulator) -> None:
    async with plain_client() as client:
        wanted = {"model": "gpt-x", "behaviour": "sim-503"}
        assert (await client.put(f"{simulator.url}/behaviour", json=wanted)).status_code == 204
        assert (await ask(simulator, "gpt-x")).status_code == 503
        await client.put(f"{simulator.url}/behaviour", json=wanted | {"behaviour": ""})
        assert (await ask(simulator, "gpt-x")).status_code == 200
        refused = await client.put(f"{simulator.url}/behaviour", json=wanted | {"behaviour": "sim-odd"})
        assert (refused.status_code, "odd" in refused.text) == (400, True)


async def test_only_known_keys_where_keys_are_set() -> None:
    async with Simulator(SimulatorSettings(keys=("sk-good",))) as simulator:
        assert (await ask(simulator, "sim-fast")).status_code == 401


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{}", b'{"model": 3, "messages": 1}'])
async def test_bad_bodies_are_refused_with_a_reason(simulator: Simulator, content: bytes) -> None:
    async with plain_client() as client:
        answer = await client.post(f"{simulator.url}/v1/chat/completions", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_the_same_seed_gives_the_same_answers() -> None:
    async def run(seed: int) -> list[str]:
        async with Simulator(SimulatorSettings(seed=seed)) as simulator:
            bodies = [(await ask(simulator, "sim-500-rate50")).status_code for _ in range(20)]
            return [str(body) for body in bodies]

    assert await run(1) == await run(1) != await run(2)
