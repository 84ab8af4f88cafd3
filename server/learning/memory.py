# SPDX-License-Identifier: Apache-2.0
"""All that stored answers and their outcomes have taught, up to an instant.

Shapes: M members, C outcomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from server.forecasting.grouping import horizon_days, origin_of
from server.forecasting.outcomes import LEARNABLE, Case
from server.forecasting.question import Question
from server.learning.batches import MARKET, STALE_MARKET, Floats, Resolved
from server.learning.context import Context
from server.learning.context_value import ContextValue
from server.learning.coverage import Coverage
from server.learning.errors import ErrorMoments
from server.learning.learning import Answered, Known, Learning, as_rows
from server.learning.rolling import WINDOWS
from server.learning.standing import Standing, Standings

DAY_US = 86_400_000_000
SECOND_US = 1_000_000

#: A stored answer and how far each outcome happened, (C,).
Judged = tuple[Case, Floats]
#: Which answers stand for the same: an ensemble's of one question on one day.
Same = tuple[str, str, int]


@dataclass(slots=True)
class Record:
    """How one ensemble's members have done."""

    standings: Standings = field(default_factory=Standings)
    errors: ErrorMoments = field(default_factory=ErrorMoments)
    value: ContextValue = field(default_factory=ContextValue)
    members: dict[str, None] = field(default_factory=dict)


class Memory:
    """Learns in the order of time; not thread-safe.

    ``prices``: by ensemble, the member that is the market's price. ``limit_us``: an
    instant after which nothing may be known; None: the present. An ensemble that
    answers a question several times a day teaches once: with its last answer.
    """

    def __init__(self, prices: Mapping[str, str] | None = None, limit_us: int | None = None) -> None:
        self.learning = Learning()
        self.records: dict[str, Record] = {}
        self.coverage = Coverage()
        self.limit_us = limit_us
        self.known_us = 0
        self.asked_us = 0
        self._prices = dict(prices or {})
        self._watched: dict[Same, None] = {}

    @property
    def latest_us(self) -> int:
        """The last instant of which anything is known here."""
        return max(self.known_us, self.asked_us)

    @property
    def version(self) -> str:
        """What has been learned from."""
        return self.learning.version

    def watch(self, cases: Sequence[Case]) -> None:
        """Answers have been given; their outcomes are open, or judged later."""
        fresh = [case for case in cases if self._is_new(case)]
        if fresh:
            self.asked_us = max(self.asked_us, *(case.asked_us for case in fresh))
            self.learning.answered([self.answered(case) for case in fresh])

    def _is_new(self, case: Case) -> bool:
        if case.kind not in LEARNABLE or (self.limit_us is not None and case.asked_us > self.limit_us):
            return False
        key = same(case)
        if key in self._watched:
            return False
        self._watched[key] = None
        return True

    def learn(self, judged: Sequence[Judged], known_us: int) -> None:
        """Outcomes have become known, all at one instant; all answers to their questions in one call."""
        if self.limit_us is not None and known_us > self.limit_us:
            return
        valid = [(case, happened) for case, happened in judged if case.asked_us < known_us]
        self.known_us = max(self.known_us, known_us)
        if not valid:
            return
        for case, happened in valid:
            self._score(case, happened, known_us)
        for case, happened in {same(case): (case, happened) for case, happened in valid}.values():
            kind = context_of(case).kind
            shock = (case.source, known_us // DAY_US)
            self.coverage.learn(case.kind == "numeric", kind, case.said, happened, shock)
        taught = {same(case): (case, happened) for case, happened in valid if case.kind in LEARNABLE}
        self.learning.known(
            [
                Known(self.answered(case), happened, (case.source, known_us // DAY_US))
                for case, happened in taught.values()
            ]
        )

    def _score(self, case: Case, happened: Floats, known_us: int) -> None:
        record = self.records.setdefault(case.ensemble, Record())
        record.members.update(dict.fromkeys(case.members))
        record.standings.add(
            known_us / SECOND_US,
            case.members,
            case.probabilities,
            happened,
            case.weights,
            context_of(case),
            price=None if case.price is None else float(case.probabilities[case.price, 0]),
            seconds=case.seconds,
            usd=case.usd,
        )
        if case.kind in LEARNABLE:
            asked = as_rows(case.ensemble, case.members, case.probabilities, context_of(case))
            outcome = happened[:1] if len(happened) == 2 else happened
            resolved = Resolved.of(asked, outcome)
            record.errors.observe(resolved)
            record.value.observe(resolved)

    def answered(self, case: Case) -> Answered:
        """The answer as learners take it: the price under its own name, fresh or stale."""
        price = self._prices.get(case.ensemble)
        place = case.members.index(price) if price in case.members else case.price
        names, matrix = with_price(case.members, case.probabilities, place, fresh=case.price_is_fresh)
        return Answered(case.ensemble, names, matrix, case.raw, context_of(case))

    def standings(
        self, ensemble: str, now_us: int, windows: tuple[str, ...] = tuple(WINDOWS)
    ) -> list[Standing]:
        """How an ensemble's members have done, in every cell in which they answered."""
        record = self.records.get(ensemble)
        return [] if record is None else list(record.standings.rows(now_us / SECOND_US, windows))


def same(case: Case) -> Same:
    """What answers share that teach once."""
    return case.ensemble, case.question_id, case.asked_us // DAY_US


def context_of(case: Case) -> Context:
    """Where the question comes from; an ensemble's questions without an origin are a kind of their own."""
    return Context(
        kind=case.origin or case.ensemble,
        source=case.source,
        category=case.category,
        horizon_days=case.horizon_days,
        regime=case.regime,
    )


def question_context(question: Question, ensemble: str, now: datetime) -> Context:
    """The same for a question that is being asked."""
    return Context(
        kind=origin_of(question) or ensemble,
        source=question.source,
        category=question.category,
        horizon_days=horizon_days(question, now),
        regime=question.regime,
    )


def with_price(
    members: tuple[str, ...], probabilities: Floats, place: int | None, *, fresh: bool
) -> tuple[tuple[str, ...], Floats]:
    """Names and answers with the price at the end, in one of two rows: fresh or stale; the other is empty."""
    if place is None:
        return members, probabilities
    others = [row for row in range(len(probabilities)) if row != place]
    nothing = np.full((1, probabilities.shape[1]), np.nan)
    price = probabilities[place : place + 1]
    rows = (price, nothing) if fresh else (nothing, price)
    names = (*(members[row] for row in others), MARKET, STALE_MARKET) if members else ()
    return names, np.concatenate([probabilities[others], *rows])
