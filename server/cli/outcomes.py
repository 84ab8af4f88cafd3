# SPDX-License-Identifier: Apache-2.0
"""``consilience outcomes``: say what happened."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given
from server.cli.commands import Commands

app = Commands(help="Say what happened: score the stored forecasts, and learn from it.", no_args_is_help=True)

Time = Annotated[
    str, typer.Option("--known", metavar="TIME", help="When it became known, ISO 8601. Left out: now.")
]


@app.command("record")
def record(
    question_id: Annotated[str, typer.Argument(metavar="QUESTION_ID")],
    outcome: Annotated[
        str, typer.Argument(metavar="[OUTCOME]", help="Name of the outcome that came true, e.g. YES.")
    ] = "",
    fraction: Annotated[
        float | None, typer.Option("--fraction", min=0.0, max=1.0, help="Share of YES, if it is partial.")
    ] = None,
    value: Annotated[float | None, typer.Option("--value", help="The number, of a numeric question.")] = None,
    annulled: Annotated[bool, typer.Option("--annulled", help="The question has no outcome.")] = False,
    retracted: Annotated[bool, typer.Option("--retracted", help="What was said before was wrong.")] = False,
    known: Time = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Say what became of one question. Saying it again changes nothing; saying another corrects it."""
    from server.cli.recording_outcomes import record_one

    record_one(question_id, outcome, fraction, value, annulled, retracted, known, server, as_json)


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Parquet or CSV; docs/learning.md lists the columns.")
    ],
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Say what became of many questions, from a file."""
    from server.cli.recording_outcomes import record_file

    record_file(file, server, as_json)


@app.command("recorded")
def recorded(
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Only what was known by then, ISO 8601.")
    ] = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Say what became of all questions of the server's catalogue whose outcome was recorded with them."""
    from server.cli.recording_outcomes import record_catalogue

    record_catalogue(until, server, as_json)
