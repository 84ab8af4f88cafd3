# SPDX-License-Identifier: Apache-2.0
"""``consilience erase``: erase stored questions and answers."""

from typing import Annotated

import typer

from server.cli import arguments as given


def erase(
    question: Annotated[
        str, typer.Option("--question", metavar="ID", help="Erase what is stored about this question.")
    ] = "",
    older_than: Annotated[
        float, typer.Option("--older-than", metavar="DAYS", min=0.0, help="Erase only what is older.")
    ] = 0.0,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the audit log.")] = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Erase stored predictions: questions, answers, reasons, all.

    The audit log keeps their ids and digests, who erased them, when and why; it
    still verifies. Erasing is for ever.
    """
    from datetime import UTC, datetime, timedelta

    from consilience import Client
    from server.cli.failures import Failure, friendly
    from server.cli.looks import counted
    from server.cli.plain import write_json

    if not question and not older_than:
        raise Failure("nothing is named to erase", "give --question ID, --older-than DAYS, or both", as_json)
    before = datetime.now(UTC) - timedelta(days=older_than) if older_than else None
    with friendly(server, as_json), Client(server) as client:
        erased = client.admin.erase(question, before=before, reason=reason, timeout_s=300.0)
    if as_json:
        write_json({"erased": erased})
    else:
        typer.echo(f"erased {counted(erased, 'prediction')}")
