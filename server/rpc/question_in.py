# SPDX-License-Identifier: Apache-2.0
"""Questions from the wire."""

import itertools
import math

from consilience.v1 import question_pb2
from server.forecasting.question import (
    Binary,
    Exclusive,
    FreeText,
    Normalization,
    Numeric,
    NumericScale,
    Question,
    QuestionKind,
)
from server.rpc.rules import Rules

MAX_ID = 256
MAX_TEXT = 8_192
MAX_BACKGROUND = 65_536
MAX_CRITERIA = 16_384
MAX_OUTCOMES = 64
MAX_GRID = 256
MAX_ANSWER = 4_096

_NORMALIZATIONS = {
    question_pb2.NORMALIZATION_UNSPECIFIED: Normalization.LOWERCASE_TRIM,
    question_pb2.NORMALIZATION_LOWERCASE_TRIM: Normalization.LOWERCASE_TRIM,
    question_pb2.NORMALIZATION_NUMERIC: Normalization.NUMERIC,
    question_pb2.NORMALIZATION_BOOLEAN: Normalization.BOOLEAN,
    question_pb2.NORMALIZATION_JSON: Normalization.JSON,
}
_SCALES = {
    question_pb2.NUMERIC_SCALE_UNSPECIFIED: NumericScale.LINEAR,
    question_pb2.NUMERIC_SCALE_LINEAR: NumericScale.LINEAR,
    question_pb2.NUMERIC_SCALE_LOG: NumericScale.LOG,
}


def question_from(message: question_pb2.Question, rules: Rules, at: str = "question") -> Question:
    """The question; broken rules are noted under the path ``at``."""
    if not message.id and not message.text:
        rules.broken(at, "give an id that the catalogue knows, or a text")
    return Question(
        id=rules.text(f"{at}.id", message.id, MAX_ID, printable=True),
        text=rules.text(f"{at}.text", message.text, MAX_TEXT),
        kind=_kind(message, rules, at),
        background=rules.text(f"{at}.background", message.background, MAX_BACKGROUND),
        resolution_criteria=rules.text(
            f"{at}.resolution_criteria", message.resolution_criteria, MAX_CRITERIA
        ),
        category=rules.text(f"{at}.category", message.category, MAX_ID, printable=True),
        as_of_time=rules.instant(f"{at}.as_of_time", message.as_of_time)
        if message.HasField("as_of_time")
        else None,
        resolve_time=rules.instant(f"{at}.resolve_time", message.resolve_time)
        if message.HasField("resolve_time")
        else None,
        stake_usd=rules.amount(f"{at}.stake_usd", message.stake_usd),
        market_probability=rules.share(f"{at}.market_probability", message.market_probability)
        if message.HasField("market_probability")
        else None,
        market_time=rules.instant(f"{at}.market_time", message.market_time)
        if message.HasField("market_time")
        else None,
        source=rules.text(f"{at}.source", message.source, MAX_ID, printable=True),
        url=rules.text(f"{at}.url", message.url, 2_048, printable=True),
        origin=rules.text(f"{at}.origin", message.origin, MAX_ID, printable=True),
        regime=rules.text(f"{at}.regime", message.regime, MAX_ID, printable=True),
    )


def _kind(message: question_pb2.Question, rules: Rules, at: str) -> QuestionKind:
    kind = message.WhichOneof("kind")
    if kind == "exclusive":
        return _exclusive(message.exclusive, rules, f"{at}.exclusive.outcomes")
    if kind == "numeric":
        return _numeric(message.numeric, rules, f"{at}.numeric")
    if kind == "free_text":
        return _free_text(message.free_text, rules, f"{at}.free_text")
    return Binary()


def _exclusive(message: question_pb2.ExclusiveQuestion, rules: Rules, at: str) -> Exclusive:
    rules.count(at, message.outcomes, MAX_OUTCOMES, least=2)
    for index, outcome in enumerate(message.outcomes):
        rules.text(f"{at}[{index}]", outcome, MAX_ID, least=1, printable=True)
    if len(set(message.outcomes)) != len(message.outcomes):
        rules.broken(at, "the names must differ")
    return Exclusive(tuple(message.outcomes))


def _numeric(message: question_pb2.NumericQuestion, rules: Rules, at: str) -> Numeric:
    grid = tuple(message.grid)
    rules.count(f"{at}.grid", grid, MAX_GRID, least=2)
    if not all(map(math.isfinite, grid)) or any(high <= low for low, high in itertools.pairwise(grid)):
        rules.broken(f"{at}.grid", "points must be finite and strictly increasing")
    scale = _SCALES.get(message.scale)
    if scale is None:
        rules.broken(f"{at}.scale", f"{message.scale} is not a NumericScale")
    elif scale is NumericScale.LOG and grid and grid[0] <= 0:
        rules.broken(f"{at}.grid", "points must be positive on a logarithmic scale")
    rules.text(f"{at}.unit", message.unit, 64, printable=True)
    return Numeric(grid, message.unit, scale or NumericScale.LINEAR)


def _free_text(message: question_pb2.FreeTextQuestion, rules: Rules, at: str) -> FreeText:
    rule = _NORMALIZATIONS.get(message.normalization)
    if rule is None:
        rules.broken(f"{at}.normalization", "use LOWERCASE_TRIM, NUMERIC, BOOLEAN or JSON")
    if message.max_characters > MAX_ANSWER:
        rules.broken(f"{at}.max_characters", f"must be in 1..{MAX_ANSWER:,}, got {message.max_characters:,}")
    return FreeText(rule or Normalization.LOWERCASE_TRIM, message.max_characters or 256)
