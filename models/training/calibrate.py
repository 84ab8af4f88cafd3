# SPDX-License-Identifier: Apache-2.0
"""What is set after training, on the validation part: temperature, direction calls, confidence."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from models import scores
from models.heads import ForecastNetwork
from models.training.inference import Answers
from models.training.losses import balance_offsets

BALANCES = np.linspace(0.0, 1.0, 11)
#: How strongly trust, lean and doubt are held at 1, 0 and 0, in examples. What was learned beside
#: the direction's own odds ordered later rows worse than those odds did, so it has to earn its place.
PRIOR_EXAMPLES = (20.0, 2000.0, 20.0)


def fit_temperature(answers: Answers, directions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Factor on the logits of each horizon, (H,), that makes them claim neither too much nor too little."""
    probabilities = answers.probabilities
    return np.array(
        [scores.calibration_slope(directions[:, h], probabilities[:, h]) for h in range(directions.shape[1])]
    )


def fit_call_balance(
    answers: Answers, directions: NDArray[np.int64], shares: NDArray[np.float64]
) -> list[float]:
    """For each horizon the exponent of the inverse class shares that gives the best macro-F1.

    The curve is smoothed over its neighbours first: its best point on one part
    is rarely the best on the next.
    """
    return [_best_balance(answers.logits[:, h], directions[:, h], shares[h]) for h in range(len(shares))]


def _best_balance(
    logits: NDArray[np.float32], directions: NDArray[np.int64], shares: NDArray[np.float64]
) -> float:
    curve = [
        scores.macro_f1(directions, np.argmax(logits - balance * np.log(shares), axis=1))
        for balance in BALANCES
    ]
    smooth = np.convolve(np.pad(curve, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return float(BALANCES[int(np.argmax(smooth))])


def fit_confidence(
    odds: NDArray[np.float64], lift: NDArray[np.float64], right: NDArray[np.bool_], *, steps: int = 50
) -> tuple[float, float, float]:
    """Trust, lean and doubt of one horizon: right ~ sigmoid(trust * odds + lean * lift + doubt).

    Source: Platt 1999, Advances in Large Margin Classifiers, with a second
    input. Held near (1, 0, 0) by a weak prior: what was learned beside the
    direction's own odds counts only as far as unseen rows bear it out.
    """
    design = np.stack((odds, lift, np.ones(len(odds))), axis=1)
    start = np.array([1.0, 0.0, 0.0])
    fitted, hold = start.copy(), np.diag(PRIOR_EXAMPLES)
    for _ in range(steps):
        given = 1.0 / (1.0 + np.exp(-np.clip(design @ fitted, -30.0, 30.0)))
        slope = design.T @ (given - right) + hold @ (fitted - start)
        curvature = design.T @ (design * (given * (1 - given))[:, None]) + hold
        move = np.linalg.solve(curvature, slope)
        fitted -= move
        if np.abs(move).max() < 1e-9:
            break
    return float(fitted[0]), float(fitted[1]), float(fitted[2])


def odds_and_lift(
    answers: Answers, calls: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-odds of each call, (N, H), and what the confidence adds to them while nothing is calibrated."""
    called = np.take_along_axis(answers.log_probabilities, calls[..., None], axis=2)[..., 0]
    called = np.minimum(called, -1e-6)
    odds = called - np.log(-np.expm1(called))
    claimed = np.clip(answers.confidence.astype(np.float64), 1e-6, 1 - 1e-6)
    return odds, np.log(claimed / (1 - claimed)) - odds


def set_temperature(network: ForecastNetwork, temperature: NDArray[np.float64]) -> None:
    """Multiply the logits by (H,), on top of what is set already."""
    calibration = network.calibration()
    factor = torch.from_numpy(temperature.astype(np.float32))[:, None]
    calibration.scale *= factor
    calibration.shift *= factor


def take_over(network: ForecastNetwork, other: ForecastNetwork) -> None:
    """Set temperature and confidence to those of another network."""
    mine, theirs = network.calibration(), other.calibration()
    for name in ("scale", "shift", "trust", "lean", "doubt"):
        getattr(mine, name).copy_(getattr(theirs, name))


def set_call_balance(
    network: ForecastNetwork, shares: NDArray[np.float64], exponents: Sequence[float]
) -> None:
    """Set the offsets by which directions are called."""
    network.calibration().call_offset.copy_(balance_offsets(shares, exponents))


def set_confidence(network: ForecastNetwork, answers: Answers, directions: NDArray[np.int64]) -> None:
    """Fit and set trust, lean and doubt of every horizon.

    ``answers`` come from the network as it is now, its confidence not calibrated yet.
    """
    calibration = network.calibration()
    calls = answers.calls(calibration.call_offset.cpu().numpy())
    odds, lift = odds_and_lift(answers, calls)
    for h in range(directions.shape[1]):
        known = directions[:, h] >= 0
        right = calls[known, h] == directions[known, h]
        trust, lean, doubt = fit_confidence(odds[known, h], lift[known, h], right)
        calibration.trust[h], calibration.lean[h], calibration.doubt[h] = trust, lean, doubt


def unset_confidence(network: ForecastNetwork) -> None:
    """Take the calibration of the confidence back."""
    calibration = network.calibration()
    calibration.trust.fill_(1.0)
    calibration.lean.fill_(1.0)
    calibration.doubt.fill_(0.0)
