# SPDX-License-Identifier: Apache-2.0
"""What happens in the server, for those who watch it: bounded for each watcher, and it says what it lost."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum

from server.engine.modes.mode import ModeStatus
from server.engine.probation import SelectionState
from server.forecasting.deadline import Clock
from server.forecasting.ensemble import EnsembleSpec, MemberSpec
from server.forecasting.prediction import FailedPrediction, Prediction

#: Happenings that wait for one watcher; the oldest give way.
QUEUE = 256


class Kind(StrEnum):
    """What may happen."""

    WATCHING = "watching"
    PREDICTION = "prediction"
    FAILURE = "failure"
    MEMBER = "member"
    MODE = "mode"
    CIRCUIT = "circuit"
    SPEND = "spend"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. ``lost``: how many before it did not reach this watcher."""

    time: datetime
    kind: Kind
    subject: str
    message: str
    prediction: Prediction | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    lost: int = 0


class Watcher:
    """One who watches; an asynchronous iterator over what happens from now on."""

    def __init__(self, kinds: Collection[Kind]) -> None:
        self._kinds = frozenset(kinds)
        self._waiting: deque[Happening] = deque()
        self._lost = 0
        self._arrived = asyncio.Event()

    def wants(self, kind: Kind) -> bool:
        """Whether it is interested; in everything where it names nothing."""
        return not self._kinds or kind in self._kinds

    def tell(self, happening: Happening) -> None:
        """Queue one; with the queue full the oldest is lost."""
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(happening)
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[Happening]:
        return self

    async def __anext__(self) -> Happening:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        happening, lost = self._waiting.popleft(), self._lost
        self._lost = 0
        return replace(happening, lost=lost) if lost else happening


class Happenings:
    """Everything that is to be watched is told here. With nobody watching it costs a look at an empty list.

    It is a ``PredictionObserver``, and listens to modes and ensembles.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watchers: list[Watcher] = []

    @contextmanager
    def watch(self, kinds: Collection[Kind] = ()) -> Iterator[Watcher]:
        """Watch until the context is left."""
        watcher = Watcher(kinds)
        watcher.tell(Happening(self._clock.now(), Kind.WATCHING, "", "watching from now on"))
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    def tell(
        self,
        kind: Kind,
        subject: str,
        message: str,
        prediction: Prediction | None = None,
        figures: Mapping[str, float] | None = None,
    ) -> None:
        """Something has happened. Never blocks or raises."""
        if not self._watchers:
            return
        happening = Happening(self._clock.now(), kind, subject, message, prediction, figures or {})
        for watcher in self._watchers:
            if watcher.wants(kind):
                watcher.tell(happening)

    def predicted(self, prediction: Prediction) -> None:
        """A prediction has been answered."""
        if self._watchers:
            figures = {"elapsed_s": prediction.elapsed_s, "confidence": prediction.confidence}
            if prediction.cost is not None:
                figures["cost_usd"] = prediction.cost.nano_usd / 1e9
            self.tell(Kind.PREDICTION, prediction.question_id, prediction.explanation, prediction, figures)

    def failed(self, failure: FailedPrediction) -> None:
        """A prediction has failed."""
        name = failure.ensemble
        self.tell(Kind.FAILURE, name, f"a prediction of {name!r} failed: {failure.reason}")

    def mode_changed(self, before: ModeStatus, after: ModeStatus) -> None:
        """The server asks and spends more or less freely."""
        name, old = after.mode.name.lower(), before.mode.name.lower()
        self.tell(
            Kind.MODE, name, f"from {old} to {name}: {after.reason}", figures={"mode": float(after.mode)}
        )

    def circuit_changed(self, provider: str, model: str, before: str, after: str) -> None:
        """A breaker has opened, or is on its way back."""
        self.tell(Kind.CIRCUIT, f"{provider}/{model}", f"circuit from {before} to {after}")

    def spec_changed(self, before: EnsembleSpec, after: EnsembleSpec) -> None:
        """An ensemble or a member of it was changed, added or removed."""
        if not self._watchers:
            return
        old = {member.name: member for member in before.members}
        new = {member.name: member for member in after.members}
        for name in (*old, *(name for name in new if name not in old)):
            if old.get(name) != new.get(name):
                self.tell(Kind.MEMBER, name, _change(after.name, old.get(name), new.get(name)))
        if replace(before, members=()) != replace(after, members=()):
            self.tell(Kind.MEMBER, after.name, f"{after.name}: changed")

    def selection_changed(self, ensemble: str, member: str, state: SelectionState, reason: str) -> None:
        """A member is asked less because of an outage or a decline, or is back."""
        why = f": {reason}" if reason else ""
        self.tell(Kind.MEMBER, member, f"{ensemble}: selection {state.value}{why}")

    def spent(self, member: str, provider: str, usd: float, source: str) -> None:
        """A call has cost money."""
        self.tell(Kind.SPEND, member, f"{usd:.6f} USD at {provider} ({source})", figures={"cost_usd": usd})

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Something needs an operator."""
        self.tell(Kind.ALERT, provider, f"{what}: {detail}" if detail else what)


def _change(ensemble: str, before: MemberSpec | None, after: MemberSpec | None) -> str:
    if before is None or after is None:
        return f"{ensemble}: {'added' if before is None else 'removed'}"
    changed = [
        f"{each.name} from {getattr(before, each.name)} to {getattr(after, each.name)}"
        for each in fields(after)
        if getattr(before, each.name) != getattr(after, each.name)
    ]
    return f"{ensemble}: {', '.join(changed)}"
