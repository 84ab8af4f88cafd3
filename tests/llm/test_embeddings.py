# SPDX-License-Identifier: Apache-2.0
"""Embeddings over the pooled client: both formats, paid from the purse, never in the way."""

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

import openai
import pytest
from google import genai

from server.forecasting.forecast import Cost, CostSource, Forecast
from server.forecasting.purse import Purse, Refused
from server.llm.embeddings import LONGEST
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, EmbeddingSettings, Policy, ProviderSettings
from server.simulator.embeddings import vector
from server.simulator.server import Simulator
from tests.llm.conftest import QUERY, deadline
from tests.llm.wires import WIRES
from tests.patience import LoopClock
from tests.simulator.conftest import plain_client

EMBEDDING_WIRES = [wire for wire in WIRES if wire.name != "anthropic"]
LOCAL = {"policy": Policy.LOCAL}
PRICE = {"input": 1.0, "output": 0.0}


@dataclass
class Counting:
    """Counts, and refuses where it is empty."""

    empty: bool = False
    reserved: list[int | None] = field(default_factory=list)
    settled: list[Cost | None] = field(default_factory=list)
    unpriced: int = 0

    async def reserve(
        self, member: str, provider: str, nano_usd: int | None, *, callers_key: bool = False
    ) -> Any:
        assert member == "embeddings"
        self.reserved.append(nano_usd)
        return Refused("empty") if self.empty else self

    def settle(self, cost: Cost | None, *, unpriced: bool = False) -> None:
        self.settled.append(cost)
        self.unpriced += unpriced

    def paid(self, member: str) -> Forecast | None:
        return None

    def keep(self, member: str, forecast: Forecast) -> None:
        """Nothing."""

    def part(self, nano_usd: int) -> Purse:
        return self


def room(url: str, wire: Any) -> LanguageModels:
    settings = ProviderSettings.model_validate(wire.provider(url))
    return LanguageModels({"sim": settings}, {}, clock=LoopClock())


def settings(model: str) -> EmbeddingSettings:
    return EmbeddingSettings.model_validate({"provider": "sim", "model": model, "price": PRICE})


@pytest.mark.parametrize("wire", EMBEDDING_WIRES, ids=lambda wire: wire.name)
async def test_a_vector_and_its_bill(wire: Any) -> None:
    async with Simulator() as simulator:
        models, purse = room(simulator.url, wire), Counting()
        embedder = models.embedder(settings("sim-e"))
        query = replace(QUERY, purse=purse)
        found = await embedder.embed("new york city", query, deadline(5.0))
        assert found == pytest.approx(vector("new york city"))
        assert await embedder.embed("new york city", query, deadline(5.0)) == found  # kept: asked once
        await models.close()
        (entry,) = simulator.service.ledger.entries()
    (cost,), (bound,) = purse.settled, purse.reserved
    assert purse.unpriced == 0
    assert cost is not None
    assert bound is not None
    assert cost.nano_usd <= bound
    if cost.source is not CostSource.ESTIMATE:
        assert cost.nano_usd == entry.billed_nano_usd


@pytest.mark.parametrize("model", ["sim-500", "sim-401", "sim-429", "sim-hang"])
async def test_trouble_is_no_vector_and_no_error(model: str) -> None:
    async with Simulator() as simulator:
        models, purse = room(simulator.url, WIRES[0]), Counting()
        found = await models.embedder(settings(model)).embed("x", replace(QUERY, purse=purse), deadline(0.3))
        await models.close()
    assert found is None
    assert len(purse.settled) == 1


@pytest.mark.parametrize(
    ("fault", "calls"), [("500", 5), ("hang", 5), ("401", 1), ("429-wait60000ms", 1), ("404", 1)]
)
async def test_an_endpoint_in_trouble_is_left_alone(fault: str, calls: int) -> None:
    """As a model is: five failures open its circuit, a limit is waited for, a dead key rests."""
    async with Simulator() as simulator:
        models = room(simulator.url, WIRES[0])
        embedder = models.embedder(settings(f"sim-{fault}").model_copy(update={"timeout_s": 0.1}))
        for number in range(8):
            assert await embedder.embed(f"text {number}", QUERY, deadline(5.0)) is None
        await models.close()
        assert len(simulator.service.ledger.entries()) == calls


async def test_a_call_that_ran_out_of_time_is_booked_as_an_estimate() -> None:
    async with Simulator() as simulator:
        models, purse = room(simulator.url, WIRES[0]), Counting()
        embedder = models.embedder(settings("sim-hang"))
        assert await embedder.embed("x", replace(QUERY, purse=purse), deadline(0.3)) is None
        await models.close()
    (cost,) = purse.settled
    assert cost is not None
    assert cost.source is CostSource.ESTIMATE


@pytest.mark.parametrize(
    "numbers", [[10**400], ["x"], [1.0] * (LONGEST + 1), "0.5", [0.0], {}, None, [[1.0]]]
)
async def test_what_is_no_vector(numbers: object) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        body = json.dumps({"data": [{"embedding": numbers}], "usage": {"prompt_tokens": 1}}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as peer:
        models, purse = room(f"http://127.0.0.1:{peer.sockets[0].getsockname()[1]}", WIRES[0]), Counting()
        embedder = models.embedder(settings("any"))
        assert await embedder.embed("x", replace(QUERY, purse=purse), deadline(5.0)) is None
        await models.close()
    assert purse.settled == [Cost(1_000, CostSource.PRICE_TABLE)], "it was paid all the same"


async def test_without_money_nobody_is_asked() -> None:
    async with Simulator() as simulator:
        models = room(simulator.url, WIRES[0])
        query = replace(QUERY, purse=Counting(empty=True))
        assert await models.embedder(settings("sim-fast")).embed("x", query, deadline(5.0)) is None
        await models.close()
        assert not simulator.service.ledger.entries()


async def test_a_provider_without_embeddings_is_named() -> None:
    (wire,) = (wire for wire in WIRES if wire.name == "anthropic")
    with pytest.raises(ValueError, match="'sim' has no embeddings"):
        room("http://127.0.0.1:9", wire).embedder(settings("x"))


def trusted(own: dict[str, Any], other: dict[str, Any]) -> LanguageModels:
    """A room with a member at provider "own"; provider "sim" is to compare the answers."""
    url = "http://127.0.0.1:9"
    providers = {
        "own": ProviderSettings.model_validate(WIRES[0].provider(url, **own)),
        "sim": ProviderSettings.model_validate(WIRES[0].provider(url, **other)),
    }
    return LanguageModels(providers, {"m": ChatSettings(provider="own", model="sim-fast")})


@pytest.mark.parametrize(
    ("own", "other", "hidden"),
    [
        ({}, {"policy": "strict"}, "background, category, market_price"),
        ({"policy": "local"}, {"policy": "trusted"}, "caller, stake, tags"),
        ({"policy": "strict", "allow": ["question", "tags"]}, {"policy": "trusted"}, "tags"),
    ],
)
def test_answers_go_only_to_who_may_see_what_they_may_repeat(
    own: dict[str, Any], other: dict[str, Any], hidden: str
) -> None:
    with pytest.raises(ValueError, match=f"'sim' may not be shown {hidden}, which provider 'own' is shown"):
        trusted(own, other).embedder(settings("sim-e"))


@pytest.mark.parametrize(("own", "other"), [({}, {}), ({"policy": "strict"}, {}), ({}, {"policy": "local"})])
async def test_answers_go_to_who_is_trusted_as_far(own: dict[str, Any], other: dict[str, Any]) -> None:
    models = trusted(own, other)
    assert models.embedder(settings("sim-e")).min_similarity == 0.8
    await models.close()


async def test_a_member_that_comes_later_is_held_to_it() -> None:
    models = room("http://127.0.0.1:9", WIRES[0])
    models._settings = {**models._settings, "own": models._settings["sim"].model_copy(update=LOCAL)}
    models.embedder(settings("sim-e"))
    with pytest.raises(ValueError, match="may not be shown caller"):
        models.add("late", ChatSettings(provider="own", model="sim-fast"))
    assert list(models.providers) == ["sim"]
    await models.close()


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_the_official_sdks_read_them() -> None:
    async with Simulator() as simulator:
        async with openai.AsyncOpenAI(
            base_url=f"{simulator.url}/openai/v1", api_key="sk-test", http_client=plain_client()
        ) as client:
            made = await client.embeddings.create(
                model="sim-fast", input=["paris", "rome"], encoding_format="float"
            )
        assert [one.embedding for one in made.data] == [
            pytest.approx(vector("paris")),
            pytest.approx(vector("rome")),
        ]
        assert made.usage.prompt_tokens == simulator.service.ledger.entries()[0].usage.prompt
        options = genai.types.HttpOptions(base_url=f"{simulator.url}/gemini")
        gemini = genai.Client(api_key="k", http_options=options)
        answer = await gemini.aio.models.embed_content(model="sim-fast", contents="paris")
        assert answer.embeddings is not None
        assert answer.embeddings[0].values == pytest.approx(vector("paris"))
        await gemini.aio.aclose()
