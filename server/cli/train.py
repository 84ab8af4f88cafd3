# SPDX-License-Identifier: Apache-2.0
"""``consilience train``: train a network on a recording, or on FI-2010."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Labels(StrEnum):
    """Between which mids a move is measured."""

    DECOUPLED = "decoupled"
    FORWARD_MEAN = "forward_mean"
    TWO_SIDED = "two_sided"
    FI2010 = "fi2010"


class Threshold(StrEnum):
    """Half of the mean move, the mean spread, or 0.002."""

    HALF_MEAN = "half_mean"
    SPREAD = "spread"
    FIXED = "fixed"


class Precision(StrEnum):
    """Arithmetic of the forward pass; weights stay fp32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


def train(
    architecture: Annotated[
        str, typer.Option("--architecture", metavar="NAME", help="Kind of network; docs/models.md.")
    ],
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            metavar="NAME",
            help="A recording's path, name or symbol ($CONSILIENCE_DATA/lob), or a folder with FI-2010.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="NAME/VERSION", help="Folder of the artifact that comes out.")
    ],
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Left out: the recipe's.")] = None,
    epoch_share: Annotated[
        float | None,
        typer.Option("--epoch-share", min=0.0, max=1.0, help="Part of the rows that an epoch draws."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="Left out: the recipe's.")
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", min=0, help="May be repeated: all are tested, the first is shipped."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=0, help="Walk-forward tests; 0: none. Left out: 5.")
    ] = None,
    labels: Annotated[
        Labels | None, typer.Option("--labels", help="How a move is measured. Left out: decoupled.")
    ] = None,
    threshold: Annotated[
        Threshold | None,
        typer.Option("--threshold", help="Which move is UP or DOWN. Left out: half_mean."),
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0.0, help="Time budget of each single training.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    precision: Annotated[
        Precision | None,
        typer.Option(
            "--precision", help="Arithmetic: bf16 pays where GPU or processor have instructions for it."
        ),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Processors to compute on.")] = 1,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FOLDER", help="Write a report with plots there."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the artifact that is there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Progress and result as lines of JSON.")] = False,
) -> None:
    """Train a network: walk-forward tests, then the one that is shipped, then its artifact.

    Stop it at any time: the same command goes on from its last epoch. Under
    torchrun several processes share the work, one GPU each.
    """
    from models.training.train import main

    options = {
        "--epochs": epochs,
        "--epoch-share": epoch_share,
        "--batch-size": batch_size,
        "--folds": folds,
        "--labels": labels,
        "--threshold": threshold,
        "--max-seconds": max_seconds,
        "--precision": precision,
        "--report": report,
    }
    given = [str(part) for pair in options.items() if pair[1] is not None for part in pair]
    arguments = ["--architecture", architecture, "--recording", dataset, "--out", str(out), *given]
    arguments += ["--seeds", ",".join(map(str, seed or [0])), "--device", device, "--threads", str(threads)]
    arguments += [flag for flag, wished in (("--overwrite", overwrite), ("--json", as_json)) if wished]
    raise typer.Exit(main(arguments))
