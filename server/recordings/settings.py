# SPDX-License-Identifier: Apache-2.0
"""Settings of the recordings: ``[recordings]`` and ``[forecasters.*] kind = "recorded"``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

#: TOML has no null: an empty string stands for "no folder".
Folder = Annotated[Path | None, BeforeValidator(lambda value: None if value == "" else value)]


class RecordingsSettings(BaseModel):
    """Where recorded forecasts are, and which of their questions are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    forecasts: Folder = Field(
        default=None,
        description="Folder with forecasts.parquet and questions.parquet; left out: no recordings.",
    )
    min_forecasters: int = Field(
        default=1,
        ge=1,
        description="List only questions that so many models answered; any is found by its id.",
    )
    frozen_prices: bool = Field(
        default=False,
        description="Fall back to the older price (about 10 days) where that of the day is unknown.",
    )
    cache: Folder = Field(
        default=Path("var/cache"), description="Folder for decoded tables, which load faster; empty: none."
    )


class RecordedSettings(BaseModel):
    """A forecaster that answers with what one model said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["recorded"] = "recorded"
    model: str = Field(min_length=1, description="Value of the column `model` in forecasts.parquet.")
