# SPDX-License-Identifier: Apache-2.0
"""A run as it is written down: one TOML or JSON file from which it comes out again."""

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.forecasting.ensemble import EnsembleSpec
from server.research.errors import ResearchError
from server.research.grid.cell import Grid
from server.research.grid.declared import Declared


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Frozen):
    """What is asked."""

    kind: Literal["panels", "matches", "answers"] = Field(
        default="panels",
        description="panels: recorded yes/no forecasts; matches: their exclusive groups as free text; "
        "answers: questions and answers of your own, as text.",
    )
    folder: Path = Field(description="Folder of the data set's files; docs/data.md.")
    panels: tuple[str, ...] = Field(default=(), description="Panels by name; empty: all.")
    panels_file: Path | None = Field(default=None, description="Left out: panels.json in the folder.")
    market: bool = Field(default=True, description="The market's price is a member where there is one.")


class GridSettings(_Frozen):
    """Lists of choices; every combination is a cell."""

    pooling: tuple[str, ...] = Field(default=("linear", "log_odds", "median", "majority"), min_length=1)
    weighting: tuple[str, ...] = Field(default=("fixed", "agreement"), min_length=1)
    calibration: tuple[str, ...] = Field(default=("none", "hierarchical"), min_length=1)
    execution: tuple[str, ...] = Field(default=("parallel", "sequential"), min_length=1)
    selection: tuple[str, ...] = Field(default=("all", "value:3", "random:3"), min_length=1)


class EnsembleChoices(_Frozen):
    """Thresholds and times of the ensembles; names as in [ensembles.NAME]."""

    deadline_s: float = Field(default=60.0, gt=0, le=300)
    member_timeout_s: float = Field(default=30.0, gt=0, le=300)
    min_responses: int | None = Field(default=None, ge=1)
    min_agreement: float = Field(default=0.6, ge=0, le=1)
    high_agreement: float = Field(default=0.8, ge=0, le=1)
    early_stop_threshold: float = Field(default=1.0, ge=0, le=1)
    min_consensus: float = Field(default=0.8, ge=0, le=1)
    confidence_threshold: float = Field(default=0.9, ge=0, le=1)
    hedge_delay_s: float = Field(default=0.5, gt=0, le=300)
    hedge_multiple: float = Field(default=2.0, ge=1, le=100)
    hedge_share: float = Field(default=0.08, ge=0, le=1)
    enough_responses: int | None = Field(default=None, ge=1)
    spare_members: int | None = Field(default=None, ge=0)
    stop_when_settled: bool = False
    stop_when_not_worth: bool = False
    loss_usd: float = Field(default=0.0, ge=0)
    call_cost_usd: float = Field(default=0.0, ge=0)
    stake_threshold_usd: float = Field(default=50.0, ge=0)
    explore_share: float = Field(default=0.05, ge=0, le=1)

    def spec(self) -> EnsembleSpec:
        """An ensemble without name and members."""
        return EnsembleSpec("", (), **self.model_dump())


class DeclaredSettings(_Frozen):
    """A model of calls that is declared, not measured: whatever comes of it is marked as simulated."""

    latency_median_s: float | None = Field(default=None, gt=0, le=3600)
    latency_p99_s: float | None = Field(default=None, gt=0, le=36000)
    cost_usd: float | None = Field(default=None, ge=0, le=1000)
    failure_share: float = Field(default=0.0, ge=0, le=1)

    def declared(self) -> Declared:
        """As the forecasters take it."""
        return Declared(**self.model_dump())


class RunSettings(_Frozen):
    """Everything that decides what a run finds."""

    name: str = Field(default="research", min_length=1, max_length=200)
    seed: int = Field(default=1, ge=0)
    baseline: str = Field(
        default="", description="Cell that the others are compared with, by its name; empty: the first."
    )
    sizes: bool = Field(default=True, description="Reliability against ensemble size.")
    ablations: bool = Field(default=True, description="Leave out one member at a time.")
    data: DataSettings
    grid: GridSettings = GridSettings()
    ensemble: EnsembleChoices = EnsembleChoices()
    declared: dict[str, DeclaredSettings] = Field(
        default_factory=dict, description='By member; "*" stands for whoever is not named.'
    )
    recorded: dict[str, Any] = Field(
        default_factory=dict,
        description="Written by a run: hashes of the data and of the code that it came from.",
    )

    def cells(self) -> Grid:
        """The grid.

        Raises:
            ValueError: a name is not known.
        """
        return Grid(**self.grid.model_dump())


def read_settings(path: Path) -> RunSettings:
    """Settings from a TOML file, or from the ``configuration.json`` of a run.

    Paths in it are relative to the working directory.

    Raises:
        ResearchError: the file is missing or does not fit; names the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ResearchError(path, "", f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResearchError(path, "", f"is neither TOML nor JSON: {error}") from error
    return checked(path, values)


def checked(path: Path, values: dict[str, Any]) -> RunSettings:
    """Settings from plain values; ``path`` is named in errors.

    Raises:
        ResearchError: a key is unknown or its value does not fit.
    """
    try:
        settings = RunSettings.model_validate(values)
        settings.cells().cells()
    except ValidationError as error:
        first = error.errors()[0]
        place = " -> ".join(str(part) for part in first["loc"])
        raise ResearchError(path, place, _message(first)) from None
    except ValueError as error:
        raise ResearchError(path, "", str(error)) from error
    return settings


def _message(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a known key; remove it or correct its name"
    return str(item["msg"])
