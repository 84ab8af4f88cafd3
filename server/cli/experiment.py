# SPDX-License-Identifier: Apache-2.0
"""``consilience experiment``: what experiments on live traffic have shown, and what becomes of them."""

from typing import Annotated

import typer

from server.cli import arguments as given
from server.cli.commands import Commands

app = Commands(help="Experiments on live traffic: report, promote, roll back.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the experiment.")]
Etag = Annotated[
    str, typer.Option("--etag", metavar="ETAG", help="Refuse if somebody has changed it since this was read.")
]


@app.callback()
def experiment() -> None:
    """Experiments on live traffic: report, promote, roll back."""


@app.command("list")
def list_(server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False) -> None:
    """List the experiments and what was decided about them."""
    from server.cli.experimenting import show_list

    show_list(server, as_json)


@app.command()
def report(name: Name, server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False) -> None:
    """Show what an experiment has shown so far.

    The intervals hold at every look: look as often as you like and stop when one
    excludes 0.
    """
    from server.cli.experimenting import show_report

    show_report(name, server, as_json)


@app.command()
def promote(
    name: Name,
    arm: Annotated[str, typer.Argument(metavar="ARM", help="The arm that gets all traffic.")],
    etag: Etag = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Give one arm all of the experiment's traffic, from now on and after restarts."""
    from server.cli.experimenting import change

    change(name, "promoted", arm, etag, server, as_json)


@app.command()
def rollback(
    name: Name, etag: Etag = "", server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False
) -> None:
    """Answer everything as the ensemble is configured."""
    from server.cli.experimenting import change

    change(name, "rolled_back", "", etag, server, as_json)


@app.command()
def resume(
    name: Name, etag: Etag = "", server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False
) -> None:
    """Split the traffic by the arms' shares again."""
    from server.cli.experimenting import change

    change(name, "running", "", etag, server, as_json)
