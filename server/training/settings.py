# SPDX-License-Identifier: Apache-2.0
"""Settings of trainings that are started over the contract: ``[training]``."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.training.state import Wish


class RetrainSettings(BaseModel):
    """A network that is trained again and again, on a data set that grows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = Field(min_length=1, max_length=128, description="kind of network; docs/models.md")
    dataset: str = Field(
        min_length=1, max_length=128, description="a recording's name or symbol in the data folder"
    )
    every_hours: float = Field(
        gt=0, le=24 * 366, description="from the start of one training to that of the next, hours"
    )
    serve: Literal["better", "always", "never"] = Field(
        default="better",
        description="when its artifact becomes the default; better: if its tests lead persistence by more",
    )
    seed: int = Field(default=0, ge=0, description="seed of the training")
    epochs: int | None = Field(default=None, ge=1, description="left out: the recipe's")
    batch_size: int | None = Field(default=None, ge=1, description="left out: the recipe's")
    learning_rate: float | None = Field(default=None, gt=0, description="left out: the recipe's")
    folds: int | None = Field(default=None, ge=0, description="walk-forward tests; left out: 5")
    max_seconds: float | None = Field(default=None, gt=0, description="time budget of each single training")

    @model_validator(mode="after")
    def _has_tests(self) -> "RetrainSettings":
        if self.serve == "better" and self.folds == 0:
            raise ValueError('serve: "better" is found by walk-forward tests; set folds to 1 or more')
        return self

    @property
    def wish(self) -> Wish:
        """What is to be trained."""
        named = {"learning_rate": self.learning_rate, "folds": self.folds, "max_seconds": self.max_seconds}
        parameters = {name: float(value) for name, value in named.items() if value is not None}
        return Wish(self.architecture, self.dataset, self.epochs, self.batch_size, self.seed, parameters)


class TrainingSettings(BaseModel):
    """Where trainings are kept and how much of the machine one may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(
        default=Path("var/training"), description="state, progress and checkpoints of every training"
    )
    data: str = Field(
        default="", description="folder with lob/NAME.book20.npz; empty: $CONSILIENCE_DATA of the environment"
    )
    threads: int = Field(default=1, ge=1, le=256, description="processors that a training computes on")
    niceness: int = Field(
        default=10, ge=0, le=19, description="how far a training stands back behind serving; 19: furthest"
    )
    device: str = Field(default="cpu", pattern="^(cpu|cuda)$", description="cpu or cuda")
    precision: Literal["fp32", "bf16", "fp16"] | None = Field(
        default=None,
        description="arithmetic; bf16 pays where it is in hardware; left out: the recipe's",
    )
    retrain: dict[str, RetrainSettings] = Field(default={}, description="networks trained on schedule")
