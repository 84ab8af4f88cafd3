# SPDX-License-Identifier: Apache-2.0
"""The JSON schema of an answer, for each kind of question.

Named outcomes are asked for as A, B, C, ... and numbers as quantiles, so that
all questions of one shape share one schema: providers compile each schema on
its first use, and that costs seconds.
"""

import json
from functools import lru_cache
from typing import Any

from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, QuestionKind
from server.llm.completion import AnswerSchema

#: Quantiles asked for, in percent.
QUANTILES = (5, 10, 25, 50, 75, 90, 95)
QUANTILE_FIELDS = tuple(f"q{percent:02d}" for percent in QUANTILES)

_RATIONALE = {"type": "string", "description": "The reasons in at most three sentences"}
_CONFIDENCE = {"type": "number", "description": "How sure you are of this forecast, 0 to 1"}
_PROBABILITY = {"type": "number", "description": "Probability of YES, 0 to 1"}


def letter(index: int) -> str:
    """Name of the outcome at ``index``: A to Z, then AA, AB, ..."""
    head, tail = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + tail)


def answer_schema(kind: QuestionKind, *, numbers_first: bool) -> AnswerSchema:
    """Schema for this kind of question; the same object for questions of one shape."""
    if isinstance(kind, Exclusive):
        return _schema("outcomes", len(kind.outcomes), numbers_first)
    return _schema(_NAMES[type(kind)], 0, numbers_first)


@lru_cache(maxsize=512)
def _schema(shape: str, outcomes: int, numbers_first: bool) -> AnswerSchema:
    asked = _shares(outcomes) if outcomes else _ASKED[shape]
    name = f"{shape}_forecast{f'_{outcomes}' if outcomes else ''}"
    reasons: dict[str, Any] = {"rationale": _RATIONALE}
    properties = {**asked, **reasons} if numbers_first else {**reasons, **asked}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    text = json.dumps(schema, separators=(",", ":"))
    needed = tuple(field for field in asked if field != "confidence")
    return AnswerSchema(name, schema, needed, text)


def _shares(outcomes: int) -> dict[str, Any]:
    shares = {
        letter(i): {"type": "number", "description": f"Probability of outcome {letter(i)}, 0 to 1"}
        for i in range(outcomes)
    }
    return {**shares, "confidence": _CONFIDENCE}


_NAMES: dict[type[QuestionKind], str] = {Binary: "binary", Numeric: "numeric", FreeText: "text"}
_ASKED: dict[str, dict[str, Any]] = {
    "binary": {"probability": _PROBABILITY, "confidence": _CONFIDENCE},
    "numeric": {
        **{
            field: {"type": "number", "description": f"{percent} % quantile: below it with that probability"}
            for field, percent in zip(QUANTILE_FIELDS, QUANTILES, strict=True)
        },
        "confidence": _CONFIDENCE,
    },
    "text": {
        "answer": {"type": "string", "description": "The answer alone, as short as it can be"},
        "confidence": _CONFIDENCE,
    },
}
