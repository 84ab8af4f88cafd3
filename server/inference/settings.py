# SPDX-License-Identifier: Apache-2.0
"""Settings of the networks: ``[inference]`` and ``[forecasters.*] kind = "network"``."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class InferenceSettings(BaseModel):
    """Where the networks are and how many run at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: Path = Field(default=Path("models/weights"), description="folder NAME/VERSION/{model.pt,manifest.json}")
    workers: int = Field(default=1, ge=1, le=64, description="threads that run networks, one intra-op thread each")


class NetworkSettings(BaseModel):
    """A network on order books as a forecaster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["network"] = "network"
    artifact: str = Field(min_length=1, description="name in the repository")
    version: str = Field(default="", description="empty: the newest")
    horizon: int = Field(gt=0, description="book updates ahead; one of the artifact's horizons")
