# SPDX-License-Identifier: Apache-2.0
"""When two free-text answers are the same answer."""

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from server.forecasting.question import Normalization

_TRUE = frozenset({"yes", "y", "true", "t", "1", "on", "correct"})
_FALSE = frozenset({"no", "n", "false", "f", "0", "off", "incorrect"})
_NUMBER = re.compile(r"[-+]?(?:(?:\d{1,3}(?:[,_ ]\d{3})+(?!\d)|\d+)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_ESCAPES = str.maketrans({"“": '"', "”": '"', "’": "'"})


def lowercase_trim(text: str) -> str:
    """Case, outer space, repeated inner space and a final full stop do not matter."""
    return " ".join(text.translate(_ESCAPES).lower().split()).rstrip(".")


def numeric(text: str) -> str:
    """The first number in the text in its shortest form; text without one falls back to trimming."""
    found = _NUMBER.search(text)
    if not found:
        return lowercase_trim(text)
    try:
        value = Decimal(re.sub(r"[,_ ]", "", found.group()))
    except InvalidOperation:
        return lowercase_trim(text)
    return format(value.normalize(), "f") if value else "0"


def boolean(text: str) -> str:
    """The first word as "true" or "false"; text that is neither falls back to trimming."""
    plain = lowercase_trim(text)
    first = re.split(r"\W+", plain, maxsplit=1)[0]
    return "true" if first in _TRUE else "false" if first in _FALSE else plain


def json_value(text: str) -> str:
    """The JSON value with sorted keys and no spaces; text that is not JSON falls back to trimming."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return lowercase_trim(text)


_RULES: dict[Normalization, Callable[[str], str]] = {
    Normalization.LOWERCASE_TRIM: lowercase_trim,
    Normalization.NUMERIC: numeric,
    Normalization.BOOLEAN: boolean,
    Normalization.JSON: json_value,
}


def normalise(text: str, rule: Normalization) -> str:
    """The text's normal form under the rule; equal forms are equal answers."""
    return _RULES[rule](text)
