# SPDX-License-Identifier: Apache-2.0
"""Free-text answers: cleaned as they come in, and brought to one form before they are compared."""

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from server.forecasting.question import Normalization

_PREFIX = re.compile(r"^(?:the\s+)?(?:final\s+)?answer\s*(?:is)?\s*[:=]\s*", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(
    r"(?<![\w.])([-+]?(?:\d{1,3}(?:[,_ ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)"
    r"(?:(k|m|bn?)\b|\s*(thousand|million|billion|trillion)\b)?"
)
_SCALES = {"k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12}
_TRUE = frozenset({"true", "yes", "y", "1", "correct", "right", "t"})
_FALSE = frozenset({"false", "no", "n", "0", "incorrect", "wrong", "f"})


def clean(text: str) -> str:
    """An answer without what models put around it: "Answer:", quotes, fences, a closing full stop."""
    bare = _PREFIX.sub("", text.strip().strip("`").strip())
    bare = bare.strip().strip("\"'“”‘’").strip()
    return bare[:-1].rstrip() if bare.endswith(".") and not bare.endswith("..") else bare


def normalise(text: str, normalization: Normalization) -> str:
    """The form in which two equal answers are equal strings.

    LOWERCASE_TRIM: NFKC, case folded, white space made single. NUMERIC: the
    number in the text, as a plain decimal ("1,200 USD" and "1.2k" are "1200").
    BOOLEAN: "true" or "false". JSON: keys sorted, no white space. What does not
    fit its form, and EMBEDDING, is taken as LOWERCASE_TRIM.
    """
    plain = _SPACE.sub(" ", unicodedata.normalize("NFKC", clean(text)).casefold()).strip()
    if normalization is Normalization.NUMERIC:
        return _numeric(plain) or plain
    if normalization is Normalization.BOOLEAN:
        return _boolean(plain) or plain
    if normalization is Normalization.JSON:
        return _json(text) or plain
    return plain


def _numeric(plain: str) -> str | None:
    match = _NUMBER.search(plain)
    if match is None:
        return None
    try:
        number = Decimal(re.sub(r"[,_ ]", "", match[1]))
    except InvalidOperation:
        return None
    return _plain(number.scaleb(_SCALES.get(match[2] or match[3], 0)))


def _plain(number: Decimal) -> str:
    text = f"{number.normalize():f}"
    return "0" if text in ("-0", "") else text


def _boolean(plain: str) -> str | None:
    word = re.split(r"[\s,.;:!]", plain, maxsplit=1)[0]
    return "true" if word in _TRUE else "false" if word in _FALSE else None


def _json(text: str) -> str | None:
    try:
        value: Any = json.loads(text.strip().strip("`").removeprefix("json").strip())
    except ValueError:
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
