# SPDX-License-Identifier: Apache-2.0
"""Where answers are kept: bounded in number and memory, least recently used ones go first."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.engine.caching.alike import Subject
from server.forecasting.prediction import Prediction
from server.forecasting.question import Question

#: About what an entry takes beside its texts, in bytes: itself, and each member's answer.
_ENTRY_BYTES, _MEMBER_BYTES = 4_096, 1_536


@dataclass(slots=True)
class Entry:
    """An answer and what must be known to use it again. Times in seconds on the cache's clock.

    ``whole``: nobody is missing for a passing reason. ``good_for_s``: it may be
    used up to this age also where the request says nothing.
    """

    prediction: Prediction
    question: Question
    subject: Subject | None
    stored_s: float
    expires_s: float
    good_for_s: float = 0.0
    whole: bool = True
    bytes: int = field(default=0)

    def __post_init__(self) -> None:
        self.bytes = size_of(self.prediction, self.question)


def size_of(prediction: Prediction, question: Question) -> int:
    """About how much memory an answer takes, in bytes."""
    texts = len(question.text) + len(question.background) + len(question.resolution_criteria)
    texts += len(prediction.explanation)
    for member in prediction.members:
        if member.forecast is not None:
            texts += len(member.forecast.rationale) + len(member.forecast.text)
    return _ENTRY_BYTES + _MEMBER_BYTES * len(prediction.members) + 2 * texts


class Shelf:
    """Entries by exact key, and by what they are about."""

    def __init__(self, entries: int, most_bytes: int) -> None:
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._subjects: dict[tuple[bytes, bytes], list[bytes]] = {}
        self._scopes: dict[bytes, bytes] = {}
        self._capacity = entries
        self._most_bytes = most_bytes
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, exact: bytes, now_s: float) -> Entry | None:
        """The entry of that key, if it has not expired."""
        entry = self._entries.get(exact)
        if entry is None:
            return None
        if now_s >= entry.expires_s:
            self._drop(exact)
            return None
        self._entries.move_to_end(exact)
        return entry

    def about(self, scope: bytes, subject: Subject, now_s: float) -> Iterator[Entry]:
        """Entries of the scope with the same guarded facts."""
        for exact in tuple(self._subjects.get((scope, subject.guard), ())):
            if (entry := self.get(exact, now_s)) is not None:
                yield entry

    def put(self, scope: bytes, exact: bytes, entry: Entry) -> None:
        """Keep an entry; what no longer fits is forgotten."""
        self._drop(exact)
        self._entries[exact] = entry
        self.bytes += entry.bytes
        if entry.subject is not None:
            self._scopes[exact] = scope
            self._subjects.setdefault((scope, entry.subject.guard), []).append(exact)
        while len(self._entries) > self._capacity or self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, exact: bytes) -> None:
        entry = self._entries.pop(exact, None)
        if entry is None:
            return
        self.bytes -= entry.bytes
        scope = self._scopes.pop(exact, None)
        if scope is not None and entry.subject is not None:
            place = (scope, entry.subject.guard)
            self._subjects[place].remove(exact)
            if not self._subjects[place]:
                del self._subjects[place]
