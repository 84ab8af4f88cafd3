# SPDX-License-Identifier: Apache-2.0
"""Settings of watch lists."""

from pydantic import BaseModel, ConfigDict, Field


class WatchSettings(BaseModel):
    """Questions answered in advance, for everybody. A budget of `caller:watch:NAME` bounds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: tuple[str, ...] = Field(default=(), description="ids of the catalogue")
    category: str = Field(default="", description="also the catalogue's questions of this category")
    contains: str = Field(default="", description="also those that contain this text")
    most: int = Field(default=100, ge=1, le=10_000, description="questions by category and text at most")
    ensemble: str = Field(default="", description="who is asked; empty: the default ensemble")
    every_s: float = Field(default=300.0, gt=0, description="while an answer moves or is in demand")
    slowest_s: float = Field(default=3_600.0, gt=0, description="while nothing happens")
