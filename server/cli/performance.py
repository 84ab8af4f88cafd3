# SPDX-License-Identifier: Apache-2.0
"""``consilience performance``: how well members did, and a summary of what was answered."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given


def performance(
    ensemble: given.Ensemble = "",
    member: Annotated[str, typer.Option("--member", metavar="NAME", help="Only this member.")] = "",
    category: Annotated[str, typer.Option("--category", metavar="NAME", help="Only this category.")] = "",
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="NAME", help="Only this time to expiry, e.g. '<=10d'.")
    ] = "",
    regime: Annotated[str, typer.Option("--regime", metavar="NAME", help="Only this market regime.")] = "",
    window: Annotated[
        str, typer.Option("--window", metavar="24h|7d|30d|all", help="Over how long; left out: all time.")
    ] = "",
    cells: Annotated[bool, typer.Option("--cells", help="Also by category, horizon and regime.")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all rows there: .parquet or .csv."),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="What was answered: latency, consensus, cost, scores.")
    ] = False,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Show how well members did on questions whose outcome is known."""
    from server.cli.performance_view import Cell, show_performance, show_summary

    if summary:
        show_summary(server, as_json)
    else:
        cell = Cell(category, horizon, regime)
        show_performance(ensemble, member, cell, window, cells, export, server, as_json)
