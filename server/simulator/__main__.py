# SPDX-License-Identifier: Apache-2.0
"""``python -m server.simulator``: run the simulator until it is told to stop."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from server.simulator.server import WIRES, Simulator
from server.simulator.settings import SimulatorSettings


def read_arguments(arguments: Sequence[str] | None = None) -> SimulatorSettings:
    """Command line to settings."""
    parser = argparse.ArgumentParser(prog="python -m server.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089, help="0: any free port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--default", default="sim-fast", help="behaviour of names that do not begin with sim")
    parser.add_argument("--rpm", type=int, default=None, help="requests a minute for each key and model")
    parser.add_argument("--key", action="append", default=[], help="accept only this key; may be repeated")
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME=BEHAVIOUR", help="may be repeated"
    )
    given = parser.parse_args(arguments)
    return SimulatorSettings(
        host=given.host,
        port=given.port,
        seed=given.seed,
        default=given.default,
        keys=tuple(given.key),
        requests_per_minute=given.rpm,
        models=dict(pair.split("=", 1) for pair in given.model),
    )


async def serve(settings: SimulatorSettings) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Simulator(settings) as simulator:
        paths = "\n".join(f"  POST {simulator.url}{path}" for wire in WIRES for path in wire.paths)
        sys.stdout.write(f"simulator ready on {simulator.url}\n{paths}\n  GET  {simulator.url}/ledger\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Entry point."""
    try:
        import uvloop  # noqa: PLC0415 - a third faster, and absent on Windows
    except ImportError:
        asyncio.run(serve(read_arguments()))
    else:
        uvloop.run(serve(read_arguments()))


if __name__ == "__main__":
    main()
