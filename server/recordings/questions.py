# SPDX-License-Identifier: Apache-2.0
"""From a unit of the recordings to a question.

A date stands for its first instant, UTC. An outcome is known from the day
after its resolution date on.
"""

import math
from datetime import datetime

from server.forecasting.question import NO, YES, Question, Resolution
from server.recordings.tables import UNKNOWN, Tables, Units, instant

#: Kinds whose resolution date is part of the question. That of a market
#: question tells when it happened, which nobody knew on the forecast date.
DATED_KINDS = frozenset({"dataset", "sports"})

#: What the source writes where a question is asked for several dates at once.
_EACH_DATE = "each resolution date listed below"


def make_question(tables: Tables, unit: int, frozen_prices: bool) -> Question:
    """The question of unit ``unit``, with its resolution where there is one.

    ``frozen_prices``: where the price of the forecast date is unknown, take the
    older one of the day on which the questions were chosen.
    """
    units, questions = tables.units, tables.questions
    asked = int(units.question[unit])
    title, details = _texts(tables, unit, asked)
    price, price_time = _price(units, unit, frozen_prices)
    return Question(
        id=units.id[unit],
        text=title,
        background=questions.background[asked],
        resolution_criteria=details,
        category=questions.category[asked],
        as_of_time=instant(int(units.forecast_day[unit])),
        resolve_time=_resolve_time(tables, unit, asked),
        market_probability=price,
        market_time=price_time,
        source=questions.source[asked],
        url=questions.url[asked],
        origin=questions.kind[asked],
        resolution=_resolution(units, unit),
    )


def _texts(tables: Tables, unit: int, asked: int) -> tuple[str, str]:
    """The first paragraph, with the unit's dates in their places; and the rest with the criteria."""
    questions = tables.questions
    title, _, rest = questions.text[asked].partition("\n\n")
    if not title:
        title = f"{questions.question_id[asked]} (its text was not recorded)"
    forecast_date, resolution_date = (
        instant(int(days[unit])).date().isoformat()
        for days in (tables.units.forecast_day, tables.units.resolution_day)
    )
    dated = (
        title.replace("{forecast_due_date}", forecast_date)
        .replace("{resolution_date}", resolution_date)
        .replace(_EACH_DATE, resolution_date)
    )
    details = (part.strip() for part in (rest, questions.resolution_criteria[asked]))
    return dated.strip(), "\n\n".join(part for part in details if part)


def _price(units: Units, unit: int, frozen_prices: bool) -> tuple[float | None, datetime | None]:
    price = float(units.price[unit])
    if not math.isnan(price):
        return price, instant(int(units.forecast_day[unit]))
    frozen, day = float(units.frozen_price[unit]), int(units.frozen_day[unit])
    if not frozen_prices or math.isnan(frozen):
        return None, None
    return frozen, None if day == UNKNOWN else instant(day)


def _resolve_time(tables: Tables, unit: int, asked: int) -> datetime | None:
    """What was foreseeable on the forecast date."""
    dated = tables.questions.kind[asked] in DATED_KINDS
    day = int(tables.units.resolution_day[unit] if dated else tables.questions.close_day[asked])
    return None if day == UNKNOWN else instant(day)


def _resolution(units: Units, unit: int) -> Resolution | None:
    outcome, day = int(units.outcome[unit]), int(units.resolution_day[unit])
    if outcome == UNKNOWN:
        return None
    return Resolution(
        question_id=units.id[unit],
        outcome=YES if outcome else NO,
        event_time=instant(day),
        known_time=instant(day + 1),
    )
