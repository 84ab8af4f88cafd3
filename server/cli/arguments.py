# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from typing import Annotated

import typer

Server = Annotated[
    str,
    typer.Option(
        "--server", envvar="CONSILIENCE_SERVER", metavar="HOST:PORT", help="Where the server listens."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
QuestionId = Annotated[str, typer.Option("--question", metavar="ID", help="A question of the catalogue.")]
Text = Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="A question of your own.")]
Ensemble = Annotated[
    str, typer.Option("--ensemble", metavar="NAME", help="Who is asked. Left out: the default ensemble.")
]
Pooling = Annotated[
    str, typer.Option("--pooling", metavar="NAME", help="How answers become one; `status` lists the names.")
]
Deadline = Annotated[
    float, typer.Option("--deadline", metavar="SECONDS", min=0.001, max=300.0, help="When the answer is due.")
]
Members = Annotated[
    list[str] | None, typer.Option("--member", metavar="NAME", help="Ask only this member; may be repeated.")
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        metavar="NAME",
        help="A possible answer to TEXT, two or more of them. Left out: yes or no.",
    ),
]
MarketPrice = Annotated[
    float | None,
    typer.Option("--market", min=0.0, max=1.0, metavar="P", help="The market's price for TEXT, 0 to 1."),
]

DEFAULT_SERVER = "127.0.0.1:50051"
DEFAULT_DEADLINE_S = 2.0
