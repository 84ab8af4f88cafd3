# SPDX-License-Identifier: Apache-2.0
"""``consilience simulate``: a provider that costs nothing, for dry runs."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from server.cli import arguments as given


def _on_uvloop() -> Callable[..., Any]:
    import uvloop

    return uvloop.run


def simulate(
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; port 0: any free port."),
    ] = "127.0.0.1:8089",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same answers.")] = 0,
    default: Annotated[
        str,
        typer.Option("--default", metavar="BEHAVIOUR", help="For model names that do not begin with sim."),
    ] = "sim-fast",
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME=BEHAVIOUR", help="How a model behaves; may be repeated."),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="Accept only this key; may be repeated."),
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option("--rpm", min=1, help="Requests a minute for each key and model.")
    ] = None,
    as_json: given.Json = False,
) -> None:
    """Run a server that speaks the providers' wire formats over real HTTP and makes its answers up.

    The model's name picks latency and failures (sim-fast, sim-hang, ...); the
    ledger says what it would have billed. Its answers are never forecasts.
    """
    import asyncio

    from server.cli.simulating import settings_of, simulate_until_told

    settings = settings_of(listen, seed, default, models or (), keys or (), requests_per_minute)
    run = asyncio.run if sys.platform == "win32" else _on_uvloop()
    run(simulate_until_told(settings, as_json))
