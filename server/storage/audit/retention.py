# SPDX-License-Identifier: Apache-2.0
"""Erases by age, as the policy says."""

import asyncio
import time

import structlog

from server.forecasting.errors import RecordError
from server.storage.audit.erasure import Eraser
from server.storage.audit.settings import RetentionSettings

log = structlog.get_logger(__name__)

ACTOR = "retention"
DAY_US = 86_400_000_000


class Retention:
    """Looks now and then for what is old enough."""

    def __init__(self, eraser: Eraser, settings: RetentionSettings) -> None:
        self._eraser = eraser
        self._settings = settings
        self._task = asyncio.create_task(self._run(), name="retention")

    async def close(self) -> None:
        """Stop looking."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._settings.every_s)

    async def look(self) -> int:
        """Erase what is old enough now; say how much it was."""
        days = self._settings.predictions_days
        if days is None:
            return 0
        before_us = time.time_ns() // 1000 - round(days * DAY_US)
        try:
            erased = await self._eraser.erase(ACTOR, f"older than {days:g} days", before_us=before_us)
        except RecordError as error:
            log.error("retention.failed", error=str(error))
            return 0
        if erased:
            log.info("retention.erased", predictions=erased)
        return erased
