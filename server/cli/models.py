# SPDX-License-Identifier: Apache-2.0
"""``consilience models``: what the networks are worth."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from server.cli.commands import Commands

app = Commands(help="Networks on order books: score them on a recording.", no_args_is_help=True)


class Weights(StrEnum):
    """Which weights of an artifact are scored."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


@app.callback()
def models() -> None:
    """Networks on order books."""


@app.command()
def evaluate(
    recording: Annotated[
        Path,
        typer.Argument(metavar="RECORDING.book20.npz", help="Rows of a book, or a folder with FI-2010."),
    ],
    json_out: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT.json", help="Write all scores there; left out: a table only."),
    ] = None,
    repository: Annotated[
        Path | None,
        typer.Option("--repository", metavar="FOLDER", help="Left out: the networks that are shipped."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="NETWORK", help="Only this one; may be repeated.")
    ] = None,
    precision: Annotated[Weights, typer.Option(help="A network without such weights is scored in fp32.")] = (
        Weights.FP32
    ),
    threads: Annotated[int, typer.Option(min=0, help="Processors to use; 0: all of them.", metavar="N")] = 0,
) -> None:
    """Score every network, their ensemble and the baselines on a recording, by horizon.

    Macro-F1, Matthews correlation, calibration and the accuracy of the most
    confident tenth; beside them persistence, majority, logistic regression and
    gradient boosting on the 112 features. A minute for a hundred thousand rows
    and the small networks.
    """
    from server.cli.models_evaluating import run_evaluation

    run_evaluation(
        recording, json_out, repository=repository, names=name or (), precision=precision, threads=threads
    )
