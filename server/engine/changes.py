# SPDX-License-Identifier: Apache-2.0
"""Changes by administrators: one at a time, and none that the audit log does not have."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from server.forecasting.audit import AuditLog

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes what, for the log. ``kind`` is the method's name, ``content`` what was asked for."""

    kind: str
    subject: str
    actor: str
    content: Mapping[str, object] = field(default_factory=dict)


class Changes:
    """Carries out changes. One instance serves every administrator of the process."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._turn = asyncio.Lock()

    async def make(self, change: Change, apply: Callable[[], Result], undo: Callable[[], None]) -> Result:
        """Apply a change and write it down; where that fails, it is undone.

        Raises:
            RecordError: the audit log cannot be written; nothing has changed.
            ConsilienceError: ``apply`` refused it; nothing is written.
        """
        async with self._turn:
            result = apply()
            try:
                await self._audit.note(change.kind, change.subject, change.actor, change.content)
            except BaseException:
                undo()
                raise
            return result

    async def note(self, change: Change) -> None:
        """Write down a change that has been made, where making it waits for a disk of its own.

        Raises:
            RecordError: the audit log cannot be written; the change stands.
        """
        await self._audit.note(change.kind, change.subject, change.actor, change.content)
