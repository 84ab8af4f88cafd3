# SPDX-License-Identifier: Apache-2.0
"""Whether a market signal is worth acting on: a direction with enough lean, confidence and agreement."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kernels.filters import choose_unless_neutral
from server.forecasting.ensemble import TradeRule
from server.forecasting.prediction import Action, Prediction

DIRECTIONS = ("DOWN", "NEUTRAL", "UP")
NEUTRAL = DIRECTIONS.index("NEUTRAL")


@dataclass(frozen=True, slots=True)
class Call:
    """What a signal calls. ``reason`` is empty where ``should_trade``, else why not."""

    direction: str
    confidence: float
    meta_confidence: float
    should_trade: bool
    reason: str


def call(prediction: Prediction, rule: TradeRule) -> Call:
    """The direction of a market prediction and whether to trade on it; no direction where nobody answered.

    NEUTRAL is called where it is the most probable, and where the probabilities of
    UP and DOWN differ by less than ``rule.neutral_threshold``. The confidence is the
    probability of what is called; the meta-confidence shrinks with it.
    """
    if not prediction.probabilities:
        return Call("", 0.0, 0.0, should_trade=False, reason=prediction.decision.reason)
    place = _called(prediction.probabilities, rule.neutral_threshold)
    confidence = prediction.probabilities[place]
    meta = prediction.meta_confidence
    if DIRECTIONS[place] != prediction.outcome and prediction.confidence > 0.0:
        meta *= confidence / prediction.confidence
    reason = _objection(prediction, place, confidence, rule)
    return Call(DIRECTIONS[place], confidence, meta, should_trade=not reason, reason=reason)


def _called(probabilities: Sequence[float], threshold: float) -> int:
    return int(choose_unless_neutral(np.array(probabilities, np.float64), NEUTRAL, threshold))


def _objection(prediction: Prediction, place: int, confidence: float, rule: TradeRule) -> str:
    down, _, up = prediction.probabilities
    if prediction.decision.action is Action.ABSTAIN:
        return prediction.decision.reason
    if place == NEUTRAL and prediction.outcome != DIRECTIONS[NEUTRAL]:
        return f"UP and DOWN differ by {abs(up - down):.3f}, less than {rule.neutral_threshold:.3f}"
    if place == NEUTRAL:
        return "no direction is the most probable"
    if confidence < rule.confidence_threshold:
        return f"a confidence of {confidence:.3f} is below the threshold {rule.confidence_threshold:.3f}"
    return ""
