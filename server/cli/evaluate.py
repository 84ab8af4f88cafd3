# SPDX-License-Identifier: Apache-2.0
"""``consilience evaluate``: score every method on past forecasts, walk-forward."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    forecasts: Annotated[
        Path, typer.Argument(metavar="FORECASTS.parquet", help="Past forecasts with outcomes; docs/data.md.")
    ],
    market: Annotated[
        Path | None, typer.Option("--market", metavar="FILE", help="Market prices, as a Parquet file.")
    ] = None,
    panels: Annotated[
        Path | None,
        typer.Option(
            "--panels", metavar="FILE", help="Panels to score; left out: panels.json beside FORECASTS."
        ),
    ] = None,
    json_out: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT.json", help="Write all rows there; left out: a table only."),
    ] = None,
) -> None:
    """Score every pooling, weighting and calibration on past forecasts, strictly walk-forward.

    No method sees an outcome before the day after its resolution. One method is
    marked as the default: the one that the server uses. Minutes, one processor.
    """
    from server.cli.evaluating import run_evaluation

    run_evaluation(forecasts, panels or forecasts.parent / "panels.json", market, json_out)
