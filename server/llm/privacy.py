# SPDX-License-Identifier: Apache-2.0
"""What of a query may leave for a provider: an allow-list for each class of trust.

Prompts are filled from this list and from nothing else, so that what is not
named here cannot leak, whatever is added to a query later. Who asks, and with
how much money, leaves only for servers of one's own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from server.forecasting.query import Query
from server.llm.settings import Policy

_PUBLIC = ("question", "resolution_criteria", "as_of", "resolve_time")
_STANDARD = (*_PUBLIC, "background", "category", "market_price")
_TRUSTED = (*_STANDARD, "source", "url")
_LOCAL = (*_TRUSTED, "stake", "tags", "caller")

ALLOWED: Mapping[Policy, frozenset[str]] = {
    Policy.STRICT: frozenset(_PUBLIC),
    Policy.STANDARD: frozenset(_STANDARD),
    Policy.TRUSTED: frozenset(_TRUSTED),
    Policy.LOCAL: frozenset(_LOCAL),
}

#: Every field that a prompt may show.
FIELDS = frozenset(_LOCAL)


def allowed_fields(policy: Policy, override: tuple[str, ...] | None) -> frozenset[str]:
    """The fields that may leave.

    Raises:
        ValueError: the override names a field that does not exist.
    """
    if override is None:
        return ALLOWED[policy]
    if unknown := sorted(set(override) - FIELDS):
        raise ValueError(f"allow: {unknown[0]!r} is no field; use {', '.join(sorted(FIELDS))}")
    return frozenset(override)


def disclosed(query: Query, allowed: frozenset[str]) -> dict[str, str]:
    """The allowed fields as text; empty where the query has none."""
    return {name: _READERS[name](query) for name in allowed}


def _date(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else ""


def _market_price(query: Query) -> str:
    price = query.question.market_probability
    return f"{price:.3f}" if query.share_market_price and price is not None else ""


_READERS: Mapping[str, Callable[[Query], str]] = {
    "question": lambda query: query.question.text or query.question.id,
    "resolution_criteria": lambda query: query.question.resolution_criteria,
    "background": lambda query: query.question.background,
    "category": lambda query: query.question.category,
    "as_of": lambda query: _date(query.question.as_of_time),
    "resolve_time": lambda query: _date(query.question.resolve_time),
    "market_price": _market_price,
    "source": lambda query: query.question.source,
    "url": lambda query: query.question.url,
    "stake": lambda query: f"{query.question.stake_usd:.2f} USD" if query.question.stake_usd else "",
    "tags": lambda query: ", ".join(f"{name}={value}" for name, value in query.tags.items()),
    "caller": lambda query: query.caller,
}
