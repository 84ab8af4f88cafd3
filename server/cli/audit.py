# SPDX-License-Identifier: Apache-2.0
"""``consilience audit``: has anybody changed what was written?"""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given
from server.cli.commands import Commands

app = Commands(
    help="Verify the audit log, sign how far it has come, show what models were sent.", no_args_is_help=True
)

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The server's configuration. Left out: the quickstart."),
]


@app.callback()
def audit() -> None:
    """Verify the audit log, sign how far it has come, show what models were sent."""


@app.command()
def verify(
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere."),
    ] = None,
    config: Config = None,
    as_json: given.Json = False,
) -> None:
    """Find every entry and every prediction that was altered, removed, moved, cut off or put in.

    Reads the database itself, so no server need run, and one that runs goes on.
    Without a checkpoint from elsewhere, what was cut off the end cannot be seen.
    Exit code 1 where anything is wrong.
    """
    from server.cli.auditing import run_verify

    run_verify(config, checkpoint, as_json)


@app.command()
def checkpoint(config: Config = None, as_json: given.Json = False) -> None:
    """Sign how far every chain has come, on standard output: one line of JSON, to be kept elsewhere."""
    from server.cli.auditing import run_checkpoint

    run_checkpoint(config, as_json)


@app.command()
def transcript(
    prediction_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a stored prediction.")],
    config: Config = None,
    as_json: given.Json = False,
) -> None:
    """Show every call that was made for a prediction: prompts as sent, answers as they came.

    Reads the database itself, so no server need run. Failed calls, and those that were let go
    because another was quicker, are listed too.
    """
    from server.cli.auditing import run_transcript

    run_transcript(config, prediction_id, as_json)
