# SPDX-License-Identifier: Apache-2.0
"""``consilience mode``: set the mode of operation by hand."""

from typing import Annotated

import typer

from server.cli import arguments as given


def mode(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODE", help="normal, reduced, cached_only, market_only, halt; auto: the server chooses."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the status.")] = "",
    seconds: Annotated[
        float, typer.Option("--for", metavar="SECONDS", min=0.0, help="How long; left out: until changed.")
    ] = 0.0,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Set how freely the server asks and spends, or give the choice back to it."""
    import sys

    from consilience import Client, OperatingMode
    from server.cli.failures import friendly
    from server.cli.plain import write_json

    known = [each.value for each in OperatingMode if each is not OperatingMode.UNSPECIFIED]
    if name not in (*known, "auto"):
        raise typer.BadParameter(f"{name!r} is not one of: {', '.join(known)}, auto")
    chosen = None if name == "auto" else OperatingMode(name)
    with friendly(server, as_json), Client(server) as client:
        status = client.admin.set_mode(chosen, reason=reason, seconds=seconds or None)
    if as_json:
        write_json(status)
    else:
        sys.stdout.write(f"{status.mode}: {status.reason}\n")
