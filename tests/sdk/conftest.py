# SPDX-License-Identifier: Apache-2.0
import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from consilience import AsyncClient, Client
from tests.sdk.answering import Answering, add_to


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "client(**arguments): how the SDK's clients are made")


@dataclass
class Served:
    """A running server: its address, what it heard, how it behaves."""

    address: str
    answering: Answering


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    answering = Answering()
    server = grpc.aio.server()
    add_to(server, answering)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield Served(f"127.0.0.1:{port}", answering)
    await server.stop(None)


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
async def ask(request: pytest.FixtureRequest, served: Served) -> AsyncIterator[Ask]:
    """``await ask("predict", ...)`` on either client; streams and iterators come as lists."""
    given = request.node.get_closest_marker("client")
    arguments = given.kwargs if given else {}
    if request.param == "async":
        async with AsyncClient(served.address, **arguments) as client:
            yield lambda name, *args, **kwargs: _asynchronous(client, name, *args, **kwargs)
    else:
        with Client(served.address, **arguments) as plain:
            yield lambda name, *args, **kwargs: asyncio.to_thread(_plain, plain, name, *args, **kwargs)


def _method(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, part)
    return client


async def _asynchronous(client: AsyncClient, name: str, *args: Any, **kwargs: Any) -> Any:
    answer = _method(client, name)(*args, **kwargs)
    return await answer if inspect.isawaitable(answer) else [item async for item in answer]


def _plain(client: Client, name: str, *args: Any, **kwargs: Any) -> Any:
    answer = _method(client, name)(*args, **kwargs)
    return list(answer) if hasattr(answer, "__next__") else answer
