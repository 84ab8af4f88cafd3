# SPDX-License-Identifier: Apache-2.0
"""What an experiment has shown so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from server.forecasting.experiment import Arm, Experiment, Observation, Unit
from server.learning.always_valid import difference_sequence

CONTROL, BETTER, WORSE, UNDECIDED = "", "better", "worse", "undecided"


@dataclass(frozen=True, slots=True)
class ArmReport:
    """``brier`` is a mean over ``resolved`` questions; ``difference`` is from the control, below 0 is better.

    ``low`` and ``high`` hold at every look. None: nothing is resolved, or it is the control.
    """

    arm: str
    predictions: int
    resolved: int
    brier: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    finding: str = CONTROL


@dataclass(frozen=True, slots=True)
class Loss:
    """The mean Brier score of one unit's predictions of its first outcome."""

    arm: str
    brier: float


def reports(
    experiment: Experiment, counts: Mapping[str, int], observations: Sequence[Observation]
) -> list[ArmReport]:
    """One for each arm, the control first.

    The intervals of all treatments together hold with the experiment's level
    (Bonferroni). Each unit counts once: a question with the mean over its
    predictions, a caller with its first resolved question, because what a caller
    asks later was not drawn anew.
    """
    losses = _losses(experiment.unit, observations)
    control, *treatments = experiment.arms
    alpha = (1.0 - experiment.level) / max(len(treatments), 1)
    found = [_plain(control, counts, losses)]
    return found + [_compared(control, arm, counts, losses, alpha) for arm in treatments]


def _losses(unit: Unit, observations: Iterable[Observation]) -> list[Loss]:
    """One for each unit and arm, in the order in which they became known."""
    grouped: dict[tuple[str, str], list[float]] = {}
    first: dict[tuple[str, str], str] = {}
    for one in observations:
        key = (one.arm, one.question_id if unit is Unit.QUESTION else one.caller)
        if first.setdefault(key, one.question_id) == one.question_id:
            grouped.setdefault(key, []).append(one.brier)
    return [Loss(arm, float(np.mean(scores))) for (arm, _), scores in grouped.items()]


def _plain(arm: Arm, counts: Mapping[str, int], losses: Sequence[Loss]) -> ArmReport:
    own = [loss.brier for loss in losses if loss.arm == arm.name]
    return ArmReport(arm.name, counts.get(arm.name, 0), len(own), float(np.mean(own)) if own else None)


def _compared(
    control: Arm, arm: Arm, counts: Mapping[str, int], losses: Sequence[Loss], alpha: float
) -> ArmReport:
    plain = _plain(arm, counts, losses)
    both = [loss for loss in losses if loss.arm in {control.name, arm.name}]
    if not both:
        return ArmReport(arm.name, plain.predictions, 0, finding=UNDECIDED)
    sequence = difference_sequence(
        np.array([loss.brier for loss in both]),
        np.array([loss.arm == arm.name for loss in both]),
        arm.share / (arm.share + control.share),
        alpha,
    )
    low, high = float(sequence.low[-1]), float(sequence.high[-1])
    finding = BETTER if high < 0.0 else WORSE if low > 0.0 else UNDECIDED
    return ArmReport(
        arm.name,
        plain.predictions,
        plain.resolved,
        plain.brier,
        float(sequence.estimate[-1]),
        low,
        high,
        finding,
    )
