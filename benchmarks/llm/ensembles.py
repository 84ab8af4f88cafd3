# SPDX-License-Identifier: Apache-2.0
"""The engine over chat members at the simulator, put together as the server does it, without the wire."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from server.assembly import Assembly
from server.config import Settings
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.forecasting.deadline import SystemClock
from server.storage.settings import StorageSettings
from server.storage.store import open_store

#: No breaker: slow is not broken, and what it does is measured elsewhere.
PROVIDER = {
    "flavour": "openai",
    "breaker": {"enabled": False},
    "timeouts": {"connect_s": 10.0, "total_s": 20.0},
}


def settings_of(url: str, models: Mapping[str, str], ensembles: Mapping[str, Mapping[str, Any]]) -> Settings:
    """``models``: the simulated model of each member; ``ensembles``: what is special about each."""
    members = {
        name: {"kind": "chat", "provider": "sim", "model": model, "price": {"input": 1.0, "output": 4.0}}
        for name, model in models.items()
    }
    common = {"members": tuple(models), "deadline_s": 20.0, "durability": "none"}
    return Settings.model_validate(
        {
            "providers": {"sim": {**PROVIDER, "base_url": f"{url}/openai/v1"}},
            "forecasters": members,
            "ensembles": {name: {**common, **special} for name, special in ensembles.items()},
        }
    )


def quiet() -> None:
    """Only warnings: a line for each call that was let go would be a measurement of the terminal."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


@asynccontextmanager
async def engine_of(settings: Settings, folder: Path) -> AsyncIterator[PredictionEngine]:
    """The engine, with everything below it."""
    async with AsyncExitStack() as stack:
        assembly = Assembly(settings, stack)
        ensembles = await assembly.build()
        store = await open_store(StorageSettings(url=f"sqlite:///{folder}/records.db"))
        stack.push_async_callback(store.close)
        yield PredictionEngine(
            ensembles,
            assembly.library.catalogue,
            Recorder(store),
            (),
            SystemClock(),
            EngineSettings("benchmark", reply_margin_s=0.02),
        )
