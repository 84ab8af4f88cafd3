# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the simulator."""

import asyncio
from types import TracebackType

from aiohttp import web

from server.simulator.app import make_app
from server.simulator.service import Service
from server.simulator.settings import SimulatorSettings
from server.simulator.wire.anthropic_messages import AnthropicMessages
from server.simulator.wire.exchange import Wire
from server.simulator.wire.gemini import Gemini
from server.simulator.wire.openai_chat import OpenAIChat
from server.simulator.wire.openai_responses import OpenAIResponses
from server.simulator.wire.openrouter import OpenRouter
from server.simulator.wire.xai import XAIChat, XAIResponses

#: Every wire format that is spoken.
WIRES: tuple[Wire, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AnthropicMessages(),
    Gemini(),
    XAIResponses(),
    XAIChat(),
    OpenRouter(),
)


class Simulator:
    """A running simulator: ``async with Simulator() as simulator: simulator.url``."""

    def __init__(self, settings: SimulatorSettings | None = None) -> None:
        self.settings = settings or SimulatorSettings()
        self.service = Service(self.settings)
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Address without a trailing slash."""
        return f"http://{self.settings.host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        app = make_app(self.service, WIRES, self._closing)
        # A caller that hangs up ends the handler: the ledger books what was generated until then.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, backlog=2048)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Break every connection and stop."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
