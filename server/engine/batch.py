# SPDX-License-Identifier: Apache-2.0
"""Many questions as one request."""

import asyncio
from collections.abc import Sequence

from server.engine.predict import PredictionEngine
from server.engine.request import PredictionRequest
from server.forecasting.errors import ConsilienceError
from server.forecasting.prediction import Prediction

#: Questions of one batch under way at a time.
CONCURRENCY = 64


async def predict_all(
    engine: PredictionEngine, requests: Sequence[PredictionRequest]
) -> list[Prediction | Exception]:
    """Answer every question; a failing one becomes its error, in its place.

    The caller's deadline runs for the batch as a whole, each question's own
    from when it is asked.
    """
    results: list[Prediction | Exception] = [ConsilienceError("not asked")] * len(requests)
    places = asyncio.Semaphore(CONCURRENCY)

    async def one(index: int) -> None:
        async with places:
            try:
                results[index] = await engine.predict(requests[index])
            except Exception as error:  # noqa: BLE001 - it becomes the question's own result
                results[index] = error

    async with asyncio.TaskGroup() as group:
        for index in range(len(requests)):
            group.create_task(one(index))
    return results
