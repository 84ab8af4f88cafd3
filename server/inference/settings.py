# SPDX-License-Identifier: Apache-2.0
"""Settings of the networks: ``[inference]`` and ``[forecasters.*] kind = "network"``."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: In ``load``: every network of the repository.
ALL = "*"


class InferenceSettings(BaseModel):
    """Where the networks are and how many run at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: Path = Field(
        default=Path("models/weights"), description="folder NAME/VERSION/{model.pt,manifest.json}"
    )
    load: tuple[str, ...] = Field(
        default=(),
        description='networks that are served although no ensemble has them as members; "*": all on disk',
    )
    control: Literal["explicit", "none"] = Field(
        default="explicit",
        description="whether Open Inference Protocol callers may load and unload networks",
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="threads that run networks, one intra-op thread each"
    )
    backend: Literal["torchscript", "openvino"] = Field(
        default="torchscript",
        description="what runs the networks; openvino needs pip install 'consilience-server[openvino]'",
    )
    precision: Literal["fp32", "bf16", "int8"] = Field(
        default="fp32",
        description="which weights of an artifact are loaded; of openvino: what it computes in, fp32 or bf16",
    )
    max_batch: int = Field(default=16, ge=1, le=1024, description="items computed together at most")
    queue_delay_ms: float = Field(
        default=0.0, ge=0.0, le=1000.0, description="how long a request may wait for company, milliseconds"
    )
    max_queue: int = Field(
        default=256, ge=1, description="items that may wait for one network; more are refused at once"
    )


class NetworkSettings(BaseModel):
    """A network on order books as a forecaster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["network"] = "network"
    artifact: str = Field(min_length=1, description="name in the repository")
    version: str = Field(
        default="",
        pattern="^[1-9][0-9]*$|^$",
        description="empty: whichever is the default, at first the newest",
    )
    horizon: int = Field(gt=0, description="book updates ahead; one of the artifact's horizons")
