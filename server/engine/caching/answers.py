# SPDX-License-Identifier: Apache-2.0
"""The cache of answers: the same question again, at the same time, or in other words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from server.engine.caching.alike import Subject, alike, subject_of
from server.engine.caching.flights import Flights
from server.engine.caching.keys import EVERYBODY, Key, key_of, tenant_of
from server.engine.caching.reuse import is_whole, reused
from server.engine.caching.settings import CacheSettings
from server.engine.caching.shelf import Entry, Shelf
from server.engine.ensembles import Ensemble
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.prediction import CacheKind, Prediction
from server.forecasting.question import Question

Ask = Callable[[], Awaitable[Prediction]]
_MEBIBYTE = 1 << 20


@dataclass(slots=True)
class CacheCounts:
    """Since the start."""

    exact: int = 0
    shared: int = 0
    similar: int = 0
    misses: int = 0
    saved_nano_usd: int = 0


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request on its way to the members.

    ``stale``: nobody is paid just now, so any answer that is still kept will do.
    ``whole``: everyone planned is asked, so that the answer is worth keeping.
    """

    request: PredictionRequest
    question: Question
    ensemble: Ensemble
    deadline: Deadline
    stale: bool = False
    whole: bool = True


class AnswerCache:
    """Answers in the memory of one process. One instance serves every face of it."""

    def __init__(self, settings: CacheSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._shelf = Shelf(settings.entries, settings.max_mib * _MEBIBYTE)
        self._flights = Flights()
        self.counts = CacheCounts()
        #: Told of every hit by the hit's question id; the watch list looks after what is in demand.
        self.on_hit: Callable[[str], None] | None = None

    def __len__(self) -> int:
        return len(self._shelf)

    async def answer(self, inquiry: Inquiry, ask: Ask) -> Prediction:
        """A kept answer, that of an equal question under way, or a new one, which is kept.

        The kept one says so, has an id of its own and costs nothing.
        """
        options = inquiry.request.options
        tenant = tenant_of(inquiry.request, shared=self.settings.shared)
        key = key_of(inquiry.request, inquiry.question, inquiry.ensemble, tenant)
        if options.max_age_s == 0.0:
            return self._keep(await ask(), inquiry, key)
        found = self._find(inquiry, key, tenant)
        if found is not None:
            return self._hit(*found, inquiry)
        if not (options.max_age_s or self.settings.max_age_s):
            return self._keep(await ask(), inquiry, key)
        flight = (key.exact, inquiry.question.market_probability)
        if self._flights.can_join(flight, inquiry.deadline):
            shared = await self._flights.join(flight, inquiry.deadline)
            return self._hit(CacheKind.SHARED, 1.0, shared, 0.0, inquiry)
        self.counts.misses += 1

        async def ask_and_keep() -> Prediction:
            return self._keep(await ask(), inquiry, key)

        return await self._flights.begin(flight, inquiry.deadline, ask_and_keep)

    def keep(self, prediction: Prediction, inquiry: Inquiry, good_for_s: float) -> None:
        """Keep an answer that was computed in advance, for every caller and for requests that say nothing."""
        key = key_of(inquiry.request, inquiry.question, inquiry.ensemble, EVERYBODY)
        self._keep(prediction, inquiry, key, good_for_s)

    def _hit(
        self, kind: CacheKind, likeness: float, prediction: Prediction, age_s: float, inquiry: Inquiry
    ) -> Prediction:
        name = kind.value
        setattr(self.counts, name, getattr(self.counts, name) + 1)
        hit = reused(prediction, kind, age_s, likeness, inquiry.question)
        self.counts.saved_nano_usd += hit.cache_hit.saved_nano_usd if hit.cache_hit else 0
        if self.on_hit is not None:
            self.on_hit(inquiry.question.id)
        return hit

    def _find(
        self, inquiry: Inquiry, key: Key, tenant: str
    ) -> tuple[CacheKind, float, Prediction, float] | None:
        now_s = self._clock.monotonic()
        keys = [key]
        if tenant != EVERYBODY and not inquiry.request.keys:
            keys.append(key_of(inquiry.request, inquiry.question, inquiry.ensemble, EVERYBODY))
        for each in keys:
            entry = self._shelf.get(each.exact, now_s)
            if entry is not None and self._fits(entry, inquiry, now_s):
                return CacheKind.EXACT, 1.0, entry.prediction, now_s - entry.stored_s
        wish = inquiry.request.options.similar
        if self.settings.similar if wish is None else wish:
            return self._find_similar(inquiry, keys, now_s)
        return None

    def _find_similar(
        self, inquiry: Inquiry, keys: list[Key], now_s: float
    ) -> tuple[CacheKind, float, Prediction, float] | None:
        subject = subject_of(inquiry.question)
        if subject is None:
            return None
        best: Entry | None = None
        likeness = self.settings.least_similarity
        for each in keys:
            for entry in self._shelf.about(each.scope, subject, now_s):
                score = alike(subject, entry.subject) if entry.subject is not None else 0.0
                if score >= likeness and self._fits(entry, inquiry, now_s):
                    best, likeness = entry, score
        if best is None:
            return None
        return CacheKind.SIMILAR, likeness, best.prediction, now_s - best.stored_s

    def _fits(self, entry: Entry, inquiry: Inquiry, now_s: float) -> bool:
        """Whether the entry is young enough, and the market has not moved on."""
        wish = inquiry.request.options.max_age_s
        oldest_s = max(self.settings.max_age_s, entry.good_for_s) if wish is None else wish
        if not inquiry.stale and (oldest_s <= 0.0 or now_s - entry.stored_s > oldest_s):
            return False
        then, now = entry.question.market_probability, inquiry.question.market_probability
        if then is None or now is None:
            return then is now
        return abs(then - now) <= self.settings.price_tolerance + 1e-12

    def _keep(
        self, prediction: Prediction, inquiry: Inquiry, key: Key, good_for_s: float = 0.0
    ) -> Prediction:
        if prediction.cached:
            return prediction
        whole = inquiry.whole and is_whole(prediction)
        keep_s = max(self.settings.keep_s, good_for_s) if whole else self.settings.partial_s
        now_s = self._clock.monotonic()
        before = self._shelf.get(key.exact, now_s)
        # In an outage the last whole answer, however old, is worth more than what is left of a new one.
        if keep_s > 0.0 and (whole or before is None or not before.whole):
            question = replace(inquiry.question, resolution=None)
            subject = self._subject(inquiry)
            # What was sent and said is in the record; here it would only fill the memory.
            bare = replace(prediction, attempts=(), prompts=())
            entry = Entry(bare, question, subject, now_s, now_s + keep_s, good_for_s, whole)
            self._shelf.put(key.scope, key.exact, entry)
        return prediction

    def _subject(self, inquiry: Inquiry) -> Subject | None:
        wanted = self.settings.similar or inquiry.request.options.similar
        return subject_of(inquiry.question) if wanted else None
