# SPDX-License-Identifier: Apache-2.0
"""A server as a process: its event loop, its signals, its memory."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable

import structlog
import uvloop

from server.app import App
from server.config import Settings
from server.telemetry.logs import configure_logs

log = structlog.get_logger(__name__)


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's sight.

    It never becomes garbage, and walking it again and again was a third of the
    processor time of small calls. Not even once: that takes a third of a second.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


async def serve(settings: Settings, ready: Callable[[App], None]) -> None:
    """Run a server until SIGTERM or SIGINT, then drain it. ``ready`` is called once it serves."""
    app = App(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await app.start()
    settle_memory()
    log.info("serving", address=app.rpc.address, metrics=app.metrics_address)
    ready(app)
    await stopped.wait()
    log.info("draining")
    await app.stop()
    log.info("stopped")


def run(settings: Settings, ready: Callable[[App], None]) -> None:
    """Run a server in this process until it is told to stop.

    Raises:
        ConfigError, StorageError, OSError: it cannot be started.
    """
    configure_logs(settings.telemetry)
    if sys.platform == "win32":
        asyncio.run(serve(settings, ready))
    else:
        uvloop.run(serve(settings, ready))
