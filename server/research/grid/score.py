# SPDX-License-Identifier: Apache-2.0
"""What one cell has reached, question by question: the columns that everything else is computed from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.forecasting.answers import OTHER
from server.forecasting.prediction import Prediction
from server.forecasting.question import Binary
from server.research.grid.drive import Answer
from server.research.scores import CLAMP

Floats = NDArray[np.float64]

#: A question that nobody answered counts as a coin that was tossed.
COIN_BRIER, COIN_LOG = 0.25, math.log(2.0)
#: Digits after the point in a run's files.
DIGITS = 9


@dataclass(frozen=True, slots=True)
class CellScores:
    """One number for each case, in the order of the data set; NaN where it means nothing.

    ``brier``: half the summed squared error over the outcomes, which for two of
    them is (p - o)². ``log_score``: -ln of what was said of what happened.
    ``said`` and ``happened``: probability and fact that calibration is judged by, those of
    YES, or else of the chosen answer. ``vote_share``: agreement of the members.
    ``latency_s`` and ``cost_usd`` are simulated. ``size``: what the decision
    leaves of a position, 0 = abstain. Unanswered cases are scored as a coin.
    """

    answered: Floats
    right: Floats
    brier: Floats
    log_score: Floats
    said: Floats
    happened: Floats
    vote_share: Floats
    size: Floats
    calls: Floats
    cost_usd: Floats
    latency_s: Floats

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> "CellScores":
        """The columns of a drive."""
        rows = [_row(answer) for answer in answers]
        return cls(*(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))

    def as_json(self) -> dict[str, list[float | None]]:
        """Lists of rounded numbers, None for NaN."""
        return {
            column.name: [
                None if math.isnan(value) else round(value, DIGITS) + 0.0
                for value in getattr(self, column.name).tolist()
            ]
            for column in fields(self)
        }

    @classmethod
    def from_json(cls, columns: dict[str, Any]) -> "CellScores":
        """The inverse of ``as_json``.

        Raises:
            KeyError: a column is missing.
        """
        return cls(
            *(
                np.array([math.nan if v is None else v for v in columns[column.name]], dtype=np.float64)
                for column in fields(cls)
            )
        )


def _row(answer: Answer) -> tuple[float, ...]:
    case, prediction = answer.case, answer.prediction
    cost = math.nan if answer.nano_usd == 0 else answer.nano_usd / 1e9
    if prediction is None:
        nothing = (math.nan,) * 2
        return (0.0, 0.0, COIN_BRIER, COIN_LOG, *nothing, math.nan, 0.0, float(answer.calls), cost, math.nan)
    truth = _truth(prediction, case.outcome)
    said = np.array(prediction.probabilities)
    happened = np.zeros(len(said))
    happened[truth] = 1.0
    right = float(prediction.outcomes[truth] == prediction.outcome)
    binary = isinstance(case.question.kind, Binary)
    return (
        1.0,
        right,
        float(((said - happened) ** 2).sum() / 2.0),
        -math.log(min(max(float(said[truth]), CLAMP), 1.0 - CLAMP)),
        float(said[0]) if binary else prediction.confidence,
        float(happened[0]) if binary else right,
        prediction.agreement.vote_share,
        prediction.decision.size_multiplier,
        float(answer.calls),
        cost,
        prediction.elapsed_s or math.nan,  # virtual time stands still where no latency is declared
    )


def _truth(prediction: Prediction, outcome: str) -> int:
    """Place of what happened; an answer that nobody gave is the column of the others."""
    wanted = outcome if outcome in prediction.outcomes else OTHER
    return prediction.outcomes.index(wanted)
