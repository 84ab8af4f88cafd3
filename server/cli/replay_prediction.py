# SPDX-License-Identifier: Apache-2.0
"""``consilience replay``: compute a stored prediction again."""

from typing import Annotated

import typer

from server.cli import arguments as given


def replay(
    prediction_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a stored prediction.")],
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Compute a stored prediction again from its record alone, and compare.

    IDENTICAL: the same bits. EQUIVALENT: within 1e-12, on another build or
    processor. DIFFERENT: the record was changed, or the code computes otherwise;
    the exit code is then 1.
    """
    from consilience import Client, ReplayVerdict
    from server.cli.failures import FAILED, friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.replayed_view import show_replay

    with friendly(server, as_json), Client(server) as client:
        again = client.admin.replay(prediction_id)
    if as_json:
        write_json(again)
    else:
        show_replay(console(), again)
    if again.verdict is ReplayVerdict.DIFFERENT:
        raise typer.Exit(FAILED)
