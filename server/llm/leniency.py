# SPDX-License-Identifier: Apache-2.0
"""Finds the answer in text that should have been JSON and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import jiter

_FENCE = re.compile(r"```(?:json)?\s*(.+?)```", re.DOTALL | re.IGNORECASE)
_SAID = r"probability(?:\W{1,8}(?:of|is|at|yes|about|approximately|roughly)\b){0,4}\W{0,8}"
_PERCENT = re.compile(_SAID + r"(\d{1,3}(?:\.\d+)?)\s*(?:%|percent)", re.IGNORECASE)
_SHARE = re.compile(_SAID + r"([01](?:\.\d+)?|\.\d+)(?![\d%.]|\s*percent)", re.IGNORECASE)

#: Characters of a text up to which it is searched: more than any forecast, and no burden on the event loop.
LONGEST = 100_000

Fields = dict[str, Any]


def strict_object(text: str) -> Fields | None:
    """The text as a JSON object, or None."""
    try:
        found = jiter.from_json(text.encode(), allow_inf_nan=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def lenient_object(text: str, needed: tuple[str, ...]) -> Fields | None:
    """An object with all ``needed`` fields somewhere in the text, or None.

    Tried in order: the whole text, fenced blocks, balanced objects, the fields
    before a flaw, and for a lone probability the words "Probability: NN%".
    """
    if len(text) > LONGEST:
        return None
    for candidate in _candidates(text):
        found = strict_object(candidate)
        if found is not None and all(field in found for field in needed):
            return found
    # The model said that it had finished, so what stands before a flaw is what it meant.
    return partial_object(text, needed) or (_from_words(text) if needed == ("probability",) else None)


def partial_object(text: str, needed: tuple[str, ...]) -> Fields | None:
    """The finished fields of an object that is still being written, or None if a needed one is missing.

    A number counts as finished once a comma or brace follows it.
    """
    if len(text) > LONGEST:
        return None
    found = strict_object(text) if text.rstrip().endswith("}") else None
    if found is None:
        found = strict_object(text[: _last_comma(text)] + "}")
    return found if found is not None and all(field in found for field in needed) else None


def _last_comma(text: str) -> int:
    """Position of the last comma outside strings; 0 if there is none."""
    position, quoted, escaped = 0, False, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = quoted
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            position = index
    return position


def _candidates(text: str) -> Iterator[str]:
    yield text
    for match in _FENCE.finditer(text):
        yield match[1]
    yield from _balanced(text)


def _balanced(text: str) -> Iterator[str]:
    """Substrings from an opening brace to the brace that closes it; outermost first."""
    start, depth, quoted, escaped = -1, 0, False, False
    for index, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = depth > 0
        elif character == "{":
            start, depth = (index, 1) if depth == 0 else (start, depth + 1)
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                yield text[start : index + 1]


def _from_words(text: str) -> Fields | None:
    if "{" in text:  # broken JSON: its last number may be cut
        return None
    percents = {float(found) / 100 for found in _PERCENT.findall(text)}
    shares = {float(found) for found in _SHARE.findall(text)}
    # Two different numbers are no answer: which is meant cannot be known.
    said = percents or shares
    return {"probability": said.pop(), "rationale": text.strip()} if len(said) == 1 else None
