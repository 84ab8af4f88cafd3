# SPDX-License-Identifier: Apache-2.0
"""Keeps what has been learned abreast of the database, and gives advice from it.

Everything it knows comes from the store, so several servers on one database learn
the same: each reads what is new every few moments and after its own outcomes. What
comes in the order of time is learned at once; what does not (a correction, a late
outcome, a restart without a snapshot) is learned anew from the stored past, in a
thread, while the present memory goes on serving.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from server.engine.advice import Advice, Experience
from server.engine.ensembles import Ensemble
from server.engine.learned import LearnedAdvice
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Plan
from server.forecasting.errors import RecordError
from server.forecasting.grouping import asked_time
from server.forecasting.outcomes import InForce, OutcomeStore, Recorded
from server.forecasting.ports import Forecaster
from server.forecasting.question import FreeText, Numeric, Question, Resolution
from server.learning import snapshots
from server.learning.memory import SECOND_US, Memory, question_context
from server.learning.rebuilding import judgements, rebuilt
from server.learning.standing import Standing

log = structlog.get_logger(__name__)

#: Stored answers are read again from so long before the last one, and the longest deadline more: a
#: record is older than its commit, and no two machines' clocks agree.
OVERLAP_US = 60 * SECOND_US
#: Answers learned from between two calls.
PAGE = 200
#: Open answers that a memory is rebuilt from: so far back, and so many; judged ones are read whatever
#: their age and number.
RECENT_US = 90 * 86_400 * SECOND_US
MOST_OPEN = 20_000
#: More instants than that are learned in a thread, not between calls.
FEW = 32
#: Memories of past instants kept for questions that are asked as of then.
PASTS = 8
#: Share of what is left of the deadline that advice may wait for.
PATIENCE = 0.25
#: Judged answers from which on a member's decline is believed.
LEAST_ANSWERS = 20
#: Changes after which a snapshot is written.
SNAPSHOT_EVERY = 512


@dataclass(frozen=True, slots=True)
class LearningStatus:
    """What has been learned so far; ``ready``: all that was stored at the start is in it."""

    version: str
    answers: int
    outcomes: int
    belief: Mapping[str, float]
    ready: bool


class Learner:
    """One for each server. Used on the event loop that started it."""

    def __init__(
        self,
        store: OutcomeStore,
        clock: Clock,
        prices: Mapping[str, str],
        *,
        longest_s: float = 0.0,
        code_version: str = "",
        poll_s: float = 1.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._prices = dict(prices)
        self._writer = f"{snapshots.FORM}/{code_version}"
        self._poll_s = poll_s
        self._overlap_us = OVERLAP_US + round(longest_s * SECOND_US)
        #: Whether answers are watched while their outcomes are open; else outcomes alone are read.
        self.watches = False
        self.memory = Memory(self._prices)
        self._sequence = 0
        self._cursor_us = 0
        self._seen: dict[str, int] = {}
        self._pasts: OrderedDict[int, asyncio.Task[Memory]] = OrderedDict()
        self._advancing = asyncio.Lock()
        self._ready = asyncio.Event()
        self._stale = False
        self._saved = (0, "")
        self._task: asyncio.Task[None] | None = None
        self._excess: tuple[tuple[str, int], Mapping[str, float]] = (("", -1), {})

    def start(self) -> None:
        """Begin to read the past; the server need not wait for it."""
        self._task = asyncio.create_task(self._run(), name="learner")

    async def ready(self) -> None:
        """Return once all that was stored at the start has been learned."""
        await self._ready.wait()

    async def close(self) -> None:
        """Stop reading and keep a snapshot."""
        tasks = [task for task in (self._task, *self._pasts.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ready.is_set() and not self._stale:
            await self._keep()

    async def record(self, resolutions: Sequence[Resolution], actor: str = "") -> Sequence[Recorded]:
        """Store outcomes and learn from them before this returns, but for what is learned in a thread.

        Raises:
            RecordError: nothing was stored.
        """
        recorded = await self._store.record(resolutions, self._clock.now(), actor)
        if self._ready.is_set():
            try:
                await self.advance()
            except Exception as error:  # noqa: BLE001 - they are stored, and learned with what comes next
                log.warning("learning.behind", error=str(error))
        return recorded

    async def advance(self) -> None:
        """Learn what has been stored since the last time, by whatever server."""
        async with self._advancing:
            if self.watches:
                await self._watch_new()
            await self._learn_new()
            if self._stale:
                self._replace(await self._rebuilt(None))
                self._stale = False
            if self._changes() - self._saved[0] >= SNAPSHOT_EVERY:
                await self._keep()

    def status(self) -> LearningStatus:
        """What has been learned so far."""
        learning = self.memory.learning
        return LearningStatus(
            learning.version, learning.answers, learning.outcomes, learning.belief, self._ready.is_set()
        )

    async def advise(
        self, forecasters: Mapping[str, Forecaster], plan: Plan, question: Question, deadline: Deadline
    ) -> Advice | None:
        """See ``Adviser``. A question asked as of the past gets advice from what was known then."""
        if isinstance(question.kind, FreeText):
            return None
        self.watches = True
        now = self._clock.now()
        memory = await self._memory_at(question, now, deadline)
        if isinstance(question.kind, Numeric):
            return LearnedAdvice.number(memory, plan, question)
        return LearnedAdvice.of(memory, forecasters, plan, question, now)

    def accuracies(self, ensemble: str) -> dict[str, float]:
        """Share of judged questions on which each member was right, over all time."""
        rows = self.memory.standings(ensemble, self._now_us(), ("all",))
        return {row.member: row.accuracy for row in rows if not (row.category or row.horizon or row.regime)}

    def experience(self, ensemble: str, question: Question) -> Experience | None:
        """See ``Adviser``. Decline is looked up once for each change of what is known."""
        record = self.memory.records.get(ensemble)
        if record is None or record.value.empty:
            return None
        now = self._clock.now()
        if _microseconds(asked_time(question, now)) < self.memory.known_us:
            return None
        key = (ensemble, self.memory.learning.outcomes)
        if self._excess[0] != key:
            self._excess = (key, _excess(self.memory.standings(ensemble, self._now_us(), ("30d",))))
        return Experience(record.value, question_context(question, ensemble, now), self._excess[1])

    async def _memory_at(self, question: Question, now: datetime, deadline: Deadline) -> Memory:
        patience_s = PATIENCE * max(deadline.remaining_s(), 0.0)
        if not self._ready.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), patience_s)
        if not self._ready.is_set():
            return Memory(self._prices)
        asked_us = _microseconds(asked_time(question, now))
        if question.as_of_time is None or asked_us >= self.memory.latest_us:
            return self.memory
        past = self._past(asked_us)
        await asyncio.wait({past}, timeout=patience_s)
        return past.result() if past.done() and not _failed(past) else Memory(self._prices, asked_us)

    def _past(self, limit_us: int) -> "asyncio.Task[Memory]":
        task = self._pasts.get(limit_us)
        if task is None or (task.done() and _failed(task)):
            task = self._pasts[limit_us] = asyncio.create_task(self._rebuilt(limit_us), name="past memory")
            while len(self._pasts) > PASTS:
                self._pasts.popitem(last=False)[1].cancel()
        self._pasts.move_to_end(limit_us)
        return task

    async def _run(self) -> None:
        while True:
            try:
                if not self._ready.is_set():
                    await self._restore()
                    self._ready.set()
                await self.advance()
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                log.warning("learning.behind", error=str(error))
            await asyncio.sleep(self._poll_s)

    async def _restore(self) -> None:
        """From the last snapshot and what has come since; without one, from the whole past."""
        kept = await self._store.load(self._writer)
        if kept is not None:
            try:
                memory = await asyncio.to_thread(snapshots.load, kept[2])
            except snapshots.SnapshotError as error:
                log.warning("learning.snapshot_unreadable", error=str(error))
            else:
                self.memory, self._sequence, self._cursor_us = memory, kept[0], kept[1]
                self._saved = (self._changes(), memory.version)
                return
        self._sequence = await self._store.last_sequence()
        self._replace(await self._rebuilt(None))

    def _replace(self, memory: Memory) -> None:
        self.memory = memory
        self._saved = (0, "")

    async def _rebuilt(self, limit_us: int | None) -> Memory:
        known = await self._store.outcomes()
        judged = await self._store.judged([one.question_id for one in known])
        ids = await self._store.ids_since(self._now_us() - RECENT_US if limit_us is None else 0)
        told = {case.prediction_id for case in judged}
        open_cases = await self._store.answered([name for name, _ in ids if name not in told][-MOST_OPEN:])
        if limit_us is None:
            self._mark_seen(ids)
        return await asyncio.to_thread(rebuilt, (*judged, *open_cases), known, self._prices, limit_us)

    async def _watch_new(self) -> None:
        ids = await self._store.ids_since(max(self._cursor_us - self._overlap_us, 0))
        fresh = [name for name, _ in ids if name not in self._seen]
        for start in range(0, len(fresh), PAGE):
            cases = await self._store.answered(fresh[start : start + PAGE])
            self.memory.watch(cases)
            self._forget_pasts(min((case.asked_us for case in cases), default=None))
        self._mark_seen(ids)  # not before: what could not be read is read again

    def _mark_seen(self, ids: Sequence[tuple[str, int]]) -> None:
        self._seen.update(ids)
        self._cursor_us = max(self._cursor_us, *(created_us for _, created_us in ids), 0)
        since_us = self._cursor_us - 2 * self._overlap_us
        self._seen = {name: created_us for name, created_us in self._seen.items() if created_us >= since_us}

    def _now_us(self) -> int:
        return _microseconds(self._clock.now())

    async def _learn_new(self) -> None:
        news = await self._store.outcomes(self._sequence)
        if not news:
            return
        self._forget_pasts(min(one.known_us for one in news))
        found = judgements(await self._store.judged([one.question_id for one in news]), news)
        if len(found) > FEW or any(one.version > 1 for one in news):
            self._stale = True
        else:
            self._stale = self._stale or self._is_late(news)
            for known_us, judged in found.items():
                self.memory.learn(judged, known_us)
                await asyncio.sleep(0)
        # Not before: where this ends half-way, the same news comes again, is late then, and mends it.
        self._sequence = max(one.sequence for one in news)

    def _is_late(self, news: Sequence[InForce]) -> bool:
        """Whether something of later time, or of the same instant, has been learned already."""
        return min(one.known_us for one in news) <= self.memory.known_us

    def _forget_pasts(self, since_us: int | None) -> None:
        """Memories of instants after this one may lack something now."""
        if since_us is not None:
            for limit_us in [limit for limit in self._pasts if limit >= since_us]:
                self._pasts.pop(limit_us)

    def _changes(self) -> int:
        return self.memory.learning.answers + self.memory.learning.outcomes

    async def _keep(self) -> None:
        if self._saved[1] == self.memory.version:
            return
        self._saved = (self._changes(), self.memory.version)
        state = await asyncio.to_thread(snapshots.dump, self.memory)
        with contextlib.suppress(RecordError):
            await self._store.keep(self._writer, self._sequence, self._cursor_us, state)


def market_members(ensembles: Iterable[Ensemble]) -> dict[str, str]:
    """By ensemble, the member that is the market's price."""
    return {
        ensemble.spec.name: name
        for ensemble in ensembles
        for name, forecaster in ensemble.forecasters.items()
        if forecaster.identity.kind == "market"
    }


def longest_s(ensembles: Iterable[Ensemble]) -> float:
    """The longest that an answer may take."""
    return max((ensemble.spec.deadline_s for ensemble in ensembles), default=0.0)


def _excess(rows: Iterable[Standing]) -> dict[str, float]:
    """Each member's over all questions, where it has been judged often enough."""
    return {
        row.member: row.excess
        for row in rows
        if row.answers >= LEAST_ANSWERS and not (row.category or row.horizon or row.regime)
    }


def _failed(past: "asyncio.Task[Memory]") -> bool:
    return past.cancelled() or past.exception() is not None


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
