# SPDX-License-Identifier: Apache-2.0
"""Settings of trainings that are started over the contract: ``[training]``."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


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
