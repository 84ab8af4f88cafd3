# SPDX-License-Identifier: Apache-2.0
"""What the walk-forward tests teach the network that is shipped.

A validation part is one stretch of one market. The tests together are several
times as many rows, each later than anything its network had learned from or
was calibrated on, as all rows will be that the shipped network meets.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from models import scores
from models.training import calibrate
from models.training.inference import answer
from models.training.walk_forward import Task, Tested, Trained


def set_from_tests(trained: Trained, tests: Sequence[Tested], task: Task) -> None:
    """Set the calls of the shipped network, and after a refit its calibration, from the tests."""
    if not tests:
        return
    if task.settings.call_balance is None:
        _set_calls(trained, tests, task)
    if task.settings.refit:
        _set_calibration(trained, tests)


def _set_calls(trained: Trained, tests: Sequence[Tested], task: Task) -> None:
    exponents = []
    for h in range(len(task.config.horizons)):
        found = [calibrate.fit_call_balance(test.answers, test.directions, test.shares)[h] for test in tests]
        exponents.append(float(np.mean(found)))
    trained.balances[:] = exponents
    rows = trained.split.validation.rows
    calibrate.set_call_balance(trained.network, trained.shares, exponents)
    calibrate.unset_confidence(trained.network)
    answers = answer(trained.network, trained.examples, rows, device=task.settings.device)
    calibrate.set_confidence(trained.network, answers, trained.examples.targets.directions[rows])


def _set_calibration(trained: Trained, tests: Sequence[Tested]) -> None:
    """The mean calibration of the tested networks, corrected by what was still amiss in the tests."""
    calibration = trained.network.calibration()
    means = {
        name: np.mean([test.calibration[name] for test in tests], axis=0) for name in tests[0].calibration
    }
    factor = residual_temperature(tests)[:, None]
    calibration.scale.copy_(torch.from_numpy(means["scale"] * factor))
    # The shift undoes class weights, which are those of this training; it was scaled on the rows it saw.
    calibration.shift.copy_(torch.from_numpy(means["shift"] * factor))
    trust, doubt = residual_confidence(tests)
    calibration.trust.copy_(torch.from_numpy(trust * means["trust"] / factor[:, 0]))
    calibration.lean.copy_(torch.from_numpy(trust * means["lean"]))
    calibration.doubt.copy_(torch.from_numpy(trust * means["doubt"] + doubt))


def residual_temperature(tests: Sequence[Tested]) -> NDArray[np.float32]:
    """The factor on the logits, (H,), by which the calibrated networks fit all their tests best."""
    horizons = range(tests[0].directions.shape[1])
    return np.array(
        [
            scores.calibration_slope(
                np.concatenate([test.directions[:, h] for test in tests]),
                np.concatenate([test.answers.probabilities[:, h] for test in tests]),
            )
            for h in horizons
        ],
        np.float32,
    )


def residual_confidence(tests: Sequence[Tested]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor and addend on the odds of the confidence, (H,) each, that fit all tests best."""
    found = []
    for h in range(tests[0].directions.shape[1]):
        directions = np.concatenate([test.directions[:, h] for test in tests])
        calls = np.concatenate([test.calls[:, h] for test in tests])
        claimed = np.concatenate([test.answers.confidence[:, h] for test in tests]).astype(np.float64)
        known = directions >= 0
        claimed = np.clip(claimed[known], 1e-6, 1 - 1e-6)
        odds, nothing = np.log(claimed / (1 - claimed)), np.zeros(len(claimed))
        trust, _, doubt = calibrate.fit_confidence(odds, nothing, (calls == directions)[known])
        found.append((trust, doubt))
    columns = np.asarray(found, np.float32)
    return columns[:, 0], columns[:, 1]
