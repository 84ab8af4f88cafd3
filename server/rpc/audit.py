# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: replaying and erasing stored predictions."""

import asyncio

from consilience.v1 import admin_service_pb2 as pb
from kernels.build import build
from server.engine.replay import Verdict, replay
from server.forecasting.audit import PredictionEraser
from server.forecasting.errors import NotFoundError
from server.forecasting.ports import PredictionStore
from server.rpc.call import Call
from server.rpc.prediction_out import prediction_message
from server.rpc.rules import EPOCH, Rules

_VERDICTS = {verdict: getattr(pb, f"REPLAY_VERDICT_{verdict.name}") for verdict in Verdict}
MAX_REASON = 256


class AuditHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, store: PredictionStore, eraser: PredictionEraser) -> None:
        self._store = store
        self._eraser = eraser
        self._turn = asyncio.Lock()

    async def replay_prediction(
        self, request: pb.ReplayPredictionRequest, call: Call
    ) -> pb.ReplayPredictionResponse:
        """Compute a stored prediction again from its record alone."""
        del call
        rules = Rules()
        prediction_id = rules.text("prediction_id", request.prediction_id, 64, least=1, printable=True)
        rules.check()
        record = await self._store.get(prediction_id)
        if record is None:
            raise NotFoundError("prediction", prediction_id)
        again = replay(record)
        computation = record.prediction.computation
        return pb.ReplayPredictionResponse(
            stored=prediction_message(again.stored),
            replayed=prediction_message(again.replayed),
            verdict=_VERDICTS[again.verdict],
            differences=again.differences,
            stored_build="" if computation is None else computation.build,
            build=build(),
        )

    async def erase_predictions(
        self, request: pb.ErasePredictionsRequest, call: Call
    ) -> pb.ErasePredictionsResponse:
        """Erase stored predictions; one such call at a time."""
        rules = Rules()
        rules.text("question_id", request.question_id, 256, printable=True)
        rules.text("reason", request.reason, MAX_REASON, printable=True)
        before = (
            rules.instant("before_time", request.before_time) if request.HasField("before_time") else None
        )
        if not request.question_id and before is None:
            rules.broken("question_id", "name a question, set before_time, or both")
        rules.check()
        before_us = None if before is None else (before - EPOCH) // EPOCH.resolution
        async with self._turn:
            erased = await self._eraser.erase(
                call.caller, request.reason, question_id=request.question_id, before_us=before_us
            )
        return pb.ErasePredictionsResponse(erased=erased)
