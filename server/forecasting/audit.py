# SPDX-License-Identifier: Apache-2.0
"""What the rest of the server needs of the audit log."""

from collections.abc import Mapping
from typing import Protocol


class AuditLog(Protocol):
    """Where it is written who did what, and when, so that nobody can change it unseen."""

    async def note(self, kind: str, subject: str, actor: str, content: Mapping[str, object]) -> None:
        """Write an entry; return once it is on disk. ``content``: anything that JSON can hold, no secrets.

        Raises:
            RecordError: it is not.
        """
        ...


class PredictionEraser(Protocol):
    """Erases stored questions and answers without breaking the audit log."""

    async def erase(
        self, actor: str, reason: str, *, question_id: str = "", before_us: int | None = None
    ) -> int:
        """Erase those of a question, those made before an instant (microseconds since 1970), or both; count.

        Raises:
            ValueError: neither is given.
            RecordError: not all of them could be erased.
        """
        ...
