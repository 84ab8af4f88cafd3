# SPDX-License-Identifier: Apache-2.0
"""A model's fields to a forecast: ranges, sums and order are checked here, not by the schema."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from server.forecasting.normalization import clean
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, QuestionKind
from server.llm.quantiles import cumulative
from server.llm.schemas import QUANTILE_FIELDS, QUANTILES, letter
from server.llm.untrusted import visible

#: Shares may sum to this much more or less than 1; they are then made to.
SUM_TOLERANCE = 0.1
#: Longest rationale kept, in characters.
MAX_RATIONALE = 8_000
_LEVELS = tuple(percent / 100 for percent in QUANTILES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model's fields mean."""

    probabilities: tuple[float, ...]
    self_confidence: float | None
    rationale: str
    text: str = ""


class UnreadableError(ValueError):
    """The fields are there but do not make a forecast. The message says why."""


def read(kind: QuestionKind, fields: dict[str, Any]) -> Reading:
    """The forecast in a model's fields.

    Raises:
        UnreadableError: a number is missing, no number, or out of range.
    """
    probabilities, text = _probabilities(kind, fields)
    return Reading(probabilities, _confidence(fields), _text(fields, "rationale"), text)


def _probabilities(kind: QuestionKind, fields: dict[str, Any]) -> tuple[tuple[float, ...], str]:
    if isinstance(kind, Binary):
        yes = _share(fields, "probability")
        return (yes, 1.0 - yes), ""
    if isinstance(kind, Exclusive):
        return _shares(fields, len(kind.outcomes)), ""
    if isinstance(kind, Numeric):
        return _cumulative(kind, fields), ""
    if isinstance(kind, FreeText):
        return (), _answer(fields, kind)
    raise TypeError(f"no reading for {type(kind).__name__}")


def _shares(fields: dict[str, Any], count: int) -> tuple[float, ...]:
    shares = [_share(fields, letter(index)) for index in range(count)]
    total = math.fsum(shares)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise UnreadableError(f"the outcomes' probabilities sum to {total:.3g}, not 1")
    return tuple(share / total for share in shares)


def _cumulative(kind: Numeric, fields: dict[str, Any]) -> tuple[float, ...]:
    values = [_number(fields, field) for field in QUANTILE_FIELDS]
    if any(later < earlier for earlier, later in pairwise(values)):
        raise UnreadableError("the quantiles are not in ascending order")
    try:
        return cumulative(_LEVELS, tuple(values), kind.grid, kind.scale)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _answer(fields: dict[str, Any], kind: FreeText) -> str:
    answer = fields.get("answer")
    text = clean(answer if isinstance(answer, str) else "" if answer is None else str(answer))
    if not text:
        raise UnreadableError("the answer is empty")
    return visible(text, kind.max_characters)


def _share(fields: dict[str, Any], field: str) -> float:
    value = _number(fields, field)
    if not 0.0 <= value <= 1.0:
        raise UnreadableError(f"{field} is {value:g}, not between 0 and 1")
    return value


def _number(fields: dict[str, Any], field: str) -> float:
    value = fields.get(field)
    if isinstance(value, str):
        value = _spelled(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError(f"{field} is no number")
    try:
        number = float(value)
    except OverflowError:  # whole numbers may be as long as they like
        number = math.inf
    if not math.isfinite(number):
        raise UnreadableError(f"{field} is no number")
    return number


def _spelled(value: str) -> float | None:
    """A number given as text; ``73%`` is .73."""
    bare = value.strip().removesuffix("%").replace(",", "").strip()
    try:
        return float(bare) / (100 if value.strip().endswith("%") else 1)
    except ValueError:
        return None


def _confidence(fields: dict[str, Any]) -> float | None:
    """Optional; one out of range is no reason to lose the forecast."""
    try:
        return _share(fields, "confidence")
    except UnreadableError:
        return None


def _text(fields: dict[str, Any], field: str) -> str:
    value = fields.get(field)
    return visible(value, MAX_RATIONALE) if isinstance(value, str) else ""
