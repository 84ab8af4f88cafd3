# SPDX-License-Identifier: Apache-2.0
"""``consilience spend``: what was spent, and how the budgets stand."""

from typing import Annotated

import typer

from server.cli import arguments as given


def spend(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="GROUP",
            help="member, provider, category, caller or budget. Left out: the total alone.",
        ),
    ] = "",
    days: Annotated[
        float, typer.Option("--days", metavar="N", min=0.0, help="Only calls of the last N days.")
    ] = 0.0,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Show what was spent and how the budgets stand.

    What a provider has not told is an estimate and marked as one.
    """
    from datetime import UTC, datetime, timedelta

    from consilience import Client
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.spend_view import show_spend

    start = datetime.now(UTC) - timedelta(days=days) if days else None
    with friendly(server, as_json), Client(server) as client:
        report = client.admin.spend(by, start=start)
    if as_json:
        write_json(report)
    else:
        show_spend(console(), report, by)
