# SPDX-License-Identifier: Apache-2.0
"""``consilience serve``: run the server."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given


def serve(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Configuration in TOML. Left out: the quickstart."),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            "--listen", metavar="HOST:PORT", help="Where to listen, whatever the configuration says."
        ),
    ] = "",
    as_json: given.Json = False,
) -> None:
    """Run the server until Ctrl-C or SIGTERM; calls under way are finished first.

    One line says when it is ready; the log goes to standard error.
    """
    import gc
    import time

    from server.cli.patience import Patience

    # Most of the time goes into this import, so the clock runs before it. None of what
    # it makes is garbage: the collector sleeps until the server is up.
    started_s = time.monotonic()
    gc.disable()
    with Patience(silent=as_json) as patience:
        from server.cli.serving import serve_until_told

        serve_until_told(config, listen, as_json, started_s, patience.end)
