# SPDX-License-Identifier: Apache-2.0
"""``consilience research``: every combination of choices on past questions, through the live engine."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli.arguments import Json


def research(
    run_file: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN.toml]", help="The run; also the configuration.json of an earlier one."),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option("--dataset", metavar="FOLDER", help="Folder of the data set; docs/data.md.")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="KIND", help="panels, matches (free text) or answers (your own text)."
        ),
    ] = "",
    panels: Annotated[
        str, typer.Option("--panels", metavar="A,B", help="Panels by name; left out: all.")
    ] = "",
    pooling: Annotated[str, typer.Option("--pooling", metavar="A,B", help="Poolings to compare.")] = "",
    weighting: Annotated[str, typer.Option("--weighting", metavar="A,B", help="Weightings to compare.")] = "",
    calibration: Annotated[
        str, typer.Option("--calibration", metavar="A,B", help="Calibrations to compare.")
    ] = "",
    execution: Annotated[str, typer.Option("--execution", metavar="A,B", help="Executions to compare.")] = "",
    selection: Annotated[
        str,
        typer.Option(
            "--selection", metavar="A,B", help="all, value:K, random:K, first:K, only:NAME, without:NAME."
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Where results go; a run that was killed goes on there."),
    ] = Path("var/research"),
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Seed of all that is drawn.")
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Draw pictures and the HTML report.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Compare poolings, weightings, calibrations, executions and selections on past questions.

    Questions are asked of the engine that serves live traffic, in virtual time, and
    outcomes are known only after their date. Finished cells are kept: repeat the
    command to go on. Minutes, one processor.
    """
    from server.cli.researching import run_research

    flags = {
        "pooling": pooling,
        "weighting": weighting,
        "calibration": calibration,
        "execution": execution,
        "selection": selection,
    }
    run_research(run_file, dataset, kind, panels, flags, out, seed, plots, as_json)
