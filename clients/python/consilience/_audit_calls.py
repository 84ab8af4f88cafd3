# SPDX-License-Identifier: Apache-2.0
"""The administrator's calls about stored predictions, as values."""

from datetime import datetime

from consilience._calls import Call
from consilience._settings import Settings
from consilience._times import to_timestamp
from consilience.replay import Replay
from consilience.v1 import admin_service_pb2 as admin

_ADMIN = "/consilience.v1.AdminService/"


def replay(
    settings: Settings, prediction_id: str, timeout_s: float | None
) -> Call[admin.ReplayPredictionResponse, Replay]:
    """``AdminService.ReplayPrediction``."""
    return Call(
        _ADMIN + "ReplayPrediction",
        admin.ReplayPredictionRequest(prediction_id=prediction_id),
        admin.ReplayPredictionResponse,
        Replay.from_message,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def erase(
    settings: Settings, question_id: str, before: datetime | None, reason: str, timeout_s: float | None
) -> Call[admin.ErasePredictionsResponse, int]:
    """``AdminService.ErasePredictions``."""
    return Call(
        _ADMIN + "ErasePredictions",
        admin.ErasePredictionsRequest(
            question_id=question_id,
            before_time=None if before is None else to_timestamp("before", before),
            reason=reason,
        ),
        admin.ErasePredictionsResponse,
        lambda response: response.erased,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )
