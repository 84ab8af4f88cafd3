# SPDX-License-Identifier: Apache-2.0
"""What learning groups questions by, from the question as it was asked."""

from datetime import datetime, timedelta

from server.forecasting.question import Question

MARKET = "market"
#: Origins whose resolution date is part of the question. A market may end early, and the
#: day on which it did tells its outcome.
SCHEDULED = frozenset({"dataset", "sports"})
#: A price older than this is stale.
FRESH = timedelta(days=1)
DAY_S = 86_400.0


def asked_time(question: Question, create_time: datetime) -> datetime:
    """The instant for which the question was asked: nothing later may be known to who answers it."""
    return create_time if question.as_of_time is None else min(question.as_of_time, create_time)


def origin_of(question: Question) -> str:
    """The kind of its source; a question with a market's price comes from a market."""
    return question.origin or (MARKET if question.market_probability is not None else "")


def horizon_days(question: Question, create_time: datetime) -> float | None:
    """Days to a scheduled end, None where only the event itself ends the question."""
    if question.resolve_time is None or origin_of(question) not in SCHEDULED:
        return None
    return (question.resolve_time - asked_time(question, create_time)).total_seconds() / DAY_S


def price_is_fresh(question: Question, create_time: datetime) -> bool:
    """Whether the market's price is of the day; one without a time counts as such."""
    if question.market_time is None:
        return True
    return asked_time(question, create_time) - question.market_time < FRESH
