# SPDX-License-Identifier: Apache-2.0
"""How a network is trained. The defaults are those of row M6; recipes change what measurement asked for."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from kernels.labels import LabelKind


class Precision(StrEnum):
    """Arithmetic of the forward pass in training; weights stay float32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Schedule(StrEnum):
    """How the learning rate moves: not at all, or up over a fifth of the steps and down to nothing."""

    CONSTANT = "constant"
    ONE_CYCLE = "one_cycle"


class ThresholdRule(StrEnum):
    """Where a label's threshold comes from: half the mean change, the mean spread, or FI-2010's 0.002."""

    HALF_MEAN = "half_mean"
    SPREAD = "spread"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """What a direction means; see ``kernels.labels``."""

    kind: LabelKind = LabelKind.DECOUPLED
    rule: ThresholdRule = ThresholdRule.HALF_MEAN


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides what comes out of a training, besides data and network.

    ``batch_size`` examples make one gradient, ``accumulation`` gradients one
    step. ``epoch_share``: part of the training rows that one epoch draws; rows
    overlap, so a part says most of the whole. ``mirror``: show half of the
    examples mirrored. ``class_balance``: exponent of the inverse class
    frequencies in the loss, 0 for none. ``call_balance``: the same for the
    direction called, see ``Calibration.call_offset``; None takes what is best
    on the validation part. ``refit``: train the shipped network on all rows, the
    newest too, and calibrate it by the walk-forward tests; False keeps a
    validation part out of it. ``max_seconds``: stop early, keep the best so far.
    """

    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    batch_size: int = 32
    epochs: int = 100
    patience: int = 10
    accumulation: int = 4
    max_gradient_norm: float = 1.0
    direction_weight: float = 1.0
    confidence_weight: float = 0.5
    return_weight: float = 0.3
    schedule: Schedule = Schedule.CONSTANT
    precision: Precision = Precision.BF16
    epoch_share: float = 1.0
    mirror: bool = False
    class_balance: float = 0.0
    call_balance: float | None = None
    refit: bool = False
    max_seconds: float | None = None
    seed: int = 0
    device: str = "cpu"
    validation_share: float = 0.2
    folds: int = 5

    def __post_init__(self) -> None:
        for name in (
            "learning_rate",
            "batch_size",
            "epochs",
            "patience",
            "accumulation",
            "max_gradient_norm",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name)} must be above 0")
        if not 0.0 < self.epoch_share <= 1.0:
            raise ValueError(f"epoch_share: {self.epoch_share} must lie in 0..1, above 0")
        if not 0.0 < self.validation_share < 1.0:
            raise ValueError(f"validation_share: {self.validation_share} must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one architecture is trained with."""

    training: TrainingSettings = field(default_factory=TrainingSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    config: dict[str, Any] = field(default_factory=dict)

    def changed(self, **values: Any) -> "Recipe":
        """The same with some training settings changed; None leaves a setting alone."""
        given = {name: value for name, value in values.items() if value is not None}
        return replace(self, training=replace(self.training, **given))
