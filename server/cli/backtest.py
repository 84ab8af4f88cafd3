# SPDX-License-Identifier: Apache-2.0
"""``consilience backtest``: what decisions on past market questions would have earned."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from server.cli.arguments import Json


def backtest(
    dataset: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Recorded forecasts with prices; docs/data.md.")
    ],
    panels: Annotated[
        str, typer.Option("--panels", metavar="A,B", help="Panels by name; left out: all.")
    ] = "",
    panels_file: Annotated[
        Path | None, typer.Option("--panels-file", metavar="FILE", help="Left out: panels.json in FOLDER.")
    ] = None,
    pooling: Annotated[
        str, typer.Option("--pooling", metavar="NAME", help="Pooling of the ensemble.")
    ] = "log_odds",
    weighting: Annotated[
        str, typer.Option("--weighting", metavar="NAME", help="Weighting of the ensemble.")
    ] = "agreement",
    calibration: Annotated[
        str, typer.Option("--calibration", metavar="NAME", help="Calibration of the ensemble.")
    ] = "hierarchical",
    execution: Annotated[
        str, typer.Option("--execution", metavar="NAME", help="Execution of the ensemble.")
    ] = "parallel",
    selection: Annotated[
        str, typer.Option("--selection", metavar="NAME", help="Selection, as of `consilience research`.")
    ] = "all",
    split: Annotated[
        datetime | None,
        typer.Option(
            "--split",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="Optimise before, test from then on; left out: five parts of the questions in turn.",
        ),
    ] = None,
    kelly: Annotated[
        float, typer.Option("--kelly", min=0.0, max=1.0, help="Share of the growth-optimal stake.")
    ] = 0.25,
    most: Annotated[
        float, typer.Option("--most", min=0.0, max=1.0, help="Most of the equity in one question.")
    ] = 0.05,
    half_spread: Annotated[
        float, typer.Option("--half-spread", min=0.0, max=0.5, help="What buying costs beside the price.")
    ] = 0.01,
    fee: Annotated[float, typer.Option("--fee", min=0.0, max=0.5, help="Fee, share of the price.")] = 0.0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT.json", help="Write everything there, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn past probabilities into positions against past prices, and see how each strategy fares.

    The ensemble through the live engine, its weights optimised in and out of sample,
    every member alone, the market and buying everything; with intervals. A minute.
    """
    from server.cli.backtesting import run_backtest

    choices = (pooling, weighting, calibration, execution, selection)
    run_backtest(dataset, panels, panels_file, choices, split, (kelly, most, half_spread, fee), out, as_json)
