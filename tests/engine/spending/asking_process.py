# SPDX-License-Identifier: Apache-2.0
"""A process that asks: a whole engine with language models, paid for through the ledger.

Takes commands from a pipe and sends the number of answers after each:

    open URL SIMULATOR LEASE_S LOST MODELS MAX_TOKENS   members a, b, ... ask these models, by commas
    ask N AT_ONCE                                       N questions, so many at a time
    request ID                                          one question with a request id
    close                                               close it in good order
"""

import asyncio
import itertools
import os
import sys
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection

import structlog

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.treasury import SpendingTerms, Treasury
from server.forecasting.deadline import SystemClock
from server.forecasting.ensemble import EnsembleSpec, MemberSpec
from server.forecasting.errors import NoAnswerError
from server.forecasting.question import Question
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings
from server.storage.ledger.ledger import open_ledger
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.fakes import Catalogue

#: As the simulator bills where its input costs nothing.
PRICE = {"input": 0.0, "output": 4.0}
_numbers = itertools.count()


async def opened(
    stack: AsyncExitStack, url: str, simulator: str, lease_s: str, lost: str, models: str, cap: str
) -> PredictionEngine:
    """An engine as the server puts it together."""
    store = await open_store(StorageSettings(url=url))
    stack.push_async_callback(store.close)
    ledger = await open_ledger(store.database, lease_s=float(lease_s), lost_calls=lost)
    stack.push_async_callback(ledger.close)
    chats = {
        name: ChatSettings.model_validate(
            {"provider": "sim", "model": model, "price": PRICE, "max_output_tokens": int(cap)}
        )
        for name, model in zip("abcdef", models.split(","), strict=False)
    }
    provider = {"base_url": f"{simulator}/openai/v1", "flavour": "openai", "timeouts": {"connect_s": 30.0}}
    room = LanguageModels({"sim": ProviderSettings.model_validate(provider)}, chats)
    stack.push_async_callback(room.close)
    spec = EnsembleSpec("e", tuple(map(MemberSpec, chats)), deadline_s=60.0, member_timeout_s=60.0)
    ensembles, clock = Ensembles([Ensemble(spec, room.forecasters)], "e"), SystemClock()
    treasury = Treasury(ledger, (), ensembles.switch_off, clock, SpendingTerms())
    recorder = Recorder(store)
    stack.push_async_callback(recorder.close)
    return PredictionEngine(
        ensembles, Catalogue(), recorder, (), clock, EngineSettings("test", 0.05), treasury
    )


async def ask(engine: PredictionEngine, request_id: str = "") -> bool:
    """One question; True: somebody answered."""
    question = Question(f"{os.getpid()}-{next(_numbers)}", "Will it rain?")
    try:
        await engine.predict(PredictionRequest(question, request_id=request_id, caller="alice"))
    except NoAnswerError as error:
        if set(error.absences.values()) != {"policy_budget_exceeded"}:
            raise
        return False
    return True


async def ask_many(engine: PredictionEngine, count: int, at_once: int) -> int:
    places = asyncio.Semaphore(at_once)

    async def one() -> bool:
        async with places:
            return await ask(engine)

    return sum(await asyncio.gather(*(one() for _ in range(count))))


async def obey(orders: Connection) -> None:
    stack = AsyncExitStack()
    while command := (await asyncio.to_thread(orders.recv)).split():
        answers = 0
        match command:
            case ["open", *arguments]:
                engine = await opened(stack, *arguments)
            case ["ask", *numbers]:
                answers = await ask_many(engine, *map(int, numbers))
            case ["request", request_id]:
                answers = await ask(engine, request_id)
            case ["close"]:
                await stack.aclose()
        orders.send(int(answers))


def run(orders: Connection) -> None:
    """The process."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(obey(orders))
