# SPDX-License-Identifier: Apache-2.0
"""What a face hands to the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.engine.purse import Allowance
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Options
from server.forecasting.prediction import Trace
from server.forecasting.question import Question


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """One question with the caller's wishes.

    ``deadline`` is the caller's own, None where there is none. ``keys`` are the
    caller's provider keys; never stored. ``shared`` is a limit on cost that
    several requests have in common, as those of a batch. ``experiment`` and
    ``arm`` say which experiment the request was drawn into. ``trace`` is the caller's.
    """

    question: Question
    options: Options = Options()
    request_id: str = ""
    caller: str = ""
    deadline: Deadline | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    shared: Allowance | None = None
    experiment: str = ""
    arm: str = ""
    trace: Trace | None = None
