# SPDX-License-Identifier: Apache-2.0
"""``consilience events``: what happens in the server, as it happens."""

from typing import Annotated

import typer

from server.cli import arguments as given


def events(
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="prediction, failure, member, mode, circuit, spend or alert; may be repeated.",
        ),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=0, help="Stop after so many; 0: never.")
    ] = 0,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Watch predictions, failures, members, modes, circuits, spending and alerts until Ctrl-C.

    With --json each event is one line of JSON. One that came after others were lost says how many.
    """
    from consilience import Client
    from server.cli.events_view import shown
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json_line

    out = console()
    with friendly(server, as_json), Client(server) as client, client.admin.watch(kinds or ()) as happenings:
        for number, happening in enumerate(happenings):
            if as_json:
                write_json_line(happening)
            else:
                out.print(shown(happening))
            if number == most > 0:  # the first says only that the watch has begun
                return
