# SPDX-License-Identifier: Apache-2.0
"""Runs the provider simulator until it is told to stop."""

import asyncio
import signal
import sys
from collections.abc import Sequence

import typer

from server.addresses import split_address
from server.cli.failures import Failure
from server.cli.plain import write_json_line
from server.simulator.server import WIRES, Simulator
from server.simulator.settings import SimulatorSettings


def settings_of(
    listen: str,
    seed: int,
    default: str,
    models: Sequence[str],
    keys: Sequence[str],
    requests_per_minute: int | None,
) -> SimulatorSettings:
    """The command line as settings.

    Raises:
        typer.BadParameter: an address or a pair is not one.
    """
    try:
        host, port = split_address(listen)
    except ValueError as error:
        raise typer.BadParameter(f"--listen: {error}") from None
    for pair in models:
        if "=" not in pair:
            raise typer.BadParameter(f"--model: {pair!r} is not NAME=BEHAVIOUR")
    return SimulatorSettings(
        host=host,
        port=port,
        seed=seed,
        default=default,
        models=dict(pair.split("=", 1) for pair in models),
        keys=tuple(keys),
        requests_per_minute=requests_per_minute,
    )


async def simulate_until_told(settings: SimulatorSettings, as_json: bool) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        Failure: the port is taken, or a behaviour is not known.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with Simulator(settings) as simulator:
            _announce(simulator.url, as_json)
            await stop.wait()
    except (OSError, ValueError) as error:
        raise Failure(f"the simulator cannot run: {error}", as_json=as_json) from error


def _announce(url: str, as_json: bool) -> None:
    paths = [path for wire in WIRES for path in wire.paths]
    if as_json:
        address = url.removeprefix("http://")
        write_json_line({"address": address, "url": url, "paths": paths, "ledger": f"{url}/ledger"})
        return
    listed = "\n".join(f"  POST {url}{path}" for path in paths)
    sys.stdout.write(f"The simulator is ready at {url}\n{listed}\n  GET  {url}/ledger\nCtrl-C stops it.\n")
    sys.stdout.flush()
