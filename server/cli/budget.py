# SPDX-License-Identifier: Apache-2.0
"""``consilience budget``: set and remove budgets on a running server."""

from typing import Annotated

import typer

from server.cli import arguments as given
from server.cli.commands import Commands

app = Commands(help="Set and remove budgets on a running server.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The budget's name.")]


@app.command("set")
def set_(
    name: Name,
    limit: Annotated[str, typer.Argument(metavar="USD", help="Most that may be spent in each window.")],
    scope: Annotated[
        str,
        typer.Option("--scope", metavar="SCOPE", help="all, category:NAME, caller:NAME or member:NAME."),
    ] = "all",
    window: Annotated[
        str,
        typer.Option("--window", metavar="SPAN", help="For example 1h, 1d, 7d. Left out: for ever."),
    ] = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Set a budget. It holds at once, on every server that shares the database."""
    from consilience import Client
    from server.cli.amounts import dollars, span
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.spend_view import budgets_table

    usd, length = dollars(limit), span(window)
    with friendly(server, as_json), Client(server) as client:
        status = client.admin.set_budget(name, usd, scope=scope, window=length)
    if as_json:
        write_json(status)
    else:
        console().print(budgets_table([status]))


@app.command()
def remove(name: Name, server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False) -> None:
    """Remove a budget; one of the configuration stays away until it is changed there."""
    from consilience import Client
    from server.cli.failures import friendly
    from server.cli.plain import write_json

    with friendly(server, as_json), Client(server) as client:
        client.admin.remove_budget(name)
    if as_json:
        write_json({"removed": name})
    else:
        typer.echo(f"removed budget {name}")
