# SPDX-License-Identifier: Apache-2.0
"""Settings of experiments on live traffic."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.forecasting.ensemble import Options
from server.forecasting.experiment import Arm, Experiment, Unit


class ArmSettings(BaseModel):
    """One way to answer: its share, and what differs from the ensemble as configured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(gt=0, le=1, description="share of the traffic")
    ensemble: str = Field(default="", description="another ensemble answers, with its members and prompts")
    members: tuple[str, ...] = Field(default=(), description="only these members are asked")
    pooling: str = Field(default="", description="empty: the ensemble's")
    execution: str = Field(default="", description="empty: the ensemble's")
    selection: str = Field(default="", description="empty: the ensemble's")
    calibration: str = Field(default="", description="empty: the ensemble's")
    weighting: str = Field(default="", description="empty: the ensemble's")
    weights: dict[str, float] = Field(default_factory=dict, description="weights by member")

    def arm(self, name: str) -> Arm:
        """The arm as the engine takes it."""
        return Arm(name, self.share, Options(**self.model_dump(exclude={"share"})))


class ExperimentSettings(BaseModel):
    """One experiment on live traffic: the arm ``control`` and one or more others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ensemble: str = Field(default="", description="whose requests take part; empty: the default ensemble")
    unit: Unit = Field(default=Unit.QUESTION, description="what always gets the same arm")
    level: float = Field(default=0.95, gt=0.5, lt=1, description="of all intervals together, at every look")
    arms: dict[str, ArmSettings] = Field(min_length=2)

    @model_validator(mode="after")
    def _has_control(self) -> "ExperimentSettings":
        if "control" not in self.arms:
            raise ValueError('arms: one must be named "control"; the others are compared with it')
        total = sum(arm.share for arm in self.arms.values())
        if total > 1.0 + 1e-9:
            raise ValueError(f"arms: the shares sum to {total:g}; at most 1")
        return self

    def experiment(self, name: str) -> Experiment:
        """The experiment as the engine takes it, the control first."""
        names = ["control", *(arm for arm in self.arms if arm != "control")]
        arms = tuple(self.arms[arm].arm(arm) for arm in names)
        return Experiment(name, self.ensemble, self.unit, arms, self.level)
