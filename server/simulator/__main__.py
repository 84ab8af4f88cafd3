# SPDX-License-Identifier: Apache-2.0
"""``python -m server.simulator``: run the simulator until it is told to stop."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from server.simulator.server import WIRES, Simulator
from server.simulator.settings import SimulatorSettings


def read_arguments(arguments: Sequence[str] | None = None) -> tuple[SimulatorSettings, bool]:
    """Command line to settings, and whether to say the address in JSON."""
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
    parser.add_argument("--json", action="store_true", help="say the address in JSON, for programs")
    given = parser.parse_args(arguments)
    settings = SimulatorSettings(
        host=given.host,
        port=given.port,
        seed=given.seed,
        default=given.default,
        keys=tuple(given.key),
        requests_per_minute=given.rpm,
        models=dict(pair.split("=", 1) for pair in given.model),
    )
    return settings, given.json


async def serve(settings: SimulatorSettings, as_json: bool = False) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Simulator(settings) as simulator:
        sys.stdout.write(_greeting(simulator.url, as_json=as_json))
        sys.stdout.flush()
        await stop.wait()


def _greeting(url: str, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"address": url.removeprefix("http://"), "url": url}) + "\n"
    paths = "\n".join(f"  POST {url}{path}" for wire in WIRES for path in wire.paths)
    return f"simulator ready on {url}\n{paths}\n  GET  {url}/ledger\n"


def main() -> None:
    """Entry point."""
    settings, as_json = read_arguments()
    try:
        import uvloop  # noqa: PLC0415 - a third faster, and absent on Windows
    except ImportError:
        asyncio.run(serve(settings, as_json))
    else:
        uvloop.run(serve(settings, as_json))


if __name__ == "__main__":
    main()
