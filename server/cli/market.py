# SPDX-License-Identifier: Apache-2.0
"""``consilience market``: replay an order-book recording through the server."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given


def market(
    replay: Annotated[
        Path,
        typer.Option(
            "--replay", metavar="FILE", help="A recording: X.events.npz, X.book20.npz, or their common X."
        ),
    ],
    speed: Annotated[
        float,
        typer.Option("--speed", metavar="N", min=0.0, help="N times real time; 0: as fast as possible."),
    ] = 0.0,
    symbol: Annotated[
        str, typer.Option("--symbol", help="Name of the instrument. Left out: as recorded.")
    ] = "",
    ensemble: given.Ensemble = "",
    every: Annotated[
        int,
        typer.Option(
            "--every", metavar="UPDATES", min=0, help="A signal after so many updates; 0: as configured."
        ),
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", metavar="UPDATES", min=0, help="Stop after so many updates; 0: all.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only notices and the summary.")] = False,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Replay an order-book recording and print the signals and how good they were.

    The summary compares each signal with what the mid price did until its
    horizon: a hit is an UP before a rise or a DOWN before a fall. With --json
    each reply and the summary are one line of JSON.
    """
    import asyncio

    from server.cli.failures import friendly
    from server.cli.replay import Replay, run
    from server.cli.replay_view import Lines, Silent, View

    plan = Replay(replay, speed, symbol, ensemble, every, limit)
    view: View = Lines(as_json) if as_json or not quiet else Silent()
    with friendly(server, as_json):
        tally = asyncio.run(run(plan, server, view))
    view.finish(tally)
