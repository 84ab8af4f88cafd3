# SPDX-License-Identifier: Apache-2.0
"""Ids of recorded questions, short enough to type.

    polymarket-vsm3gq-20251026        a question and the day for which it was answered
    yfinance-aapl-20251026-30d        the same with its horizon, for data series

An id is made from the question's own keys only, so it is the same in every
file that holds the question. It never tells when a market question was
resolved: that date was not known on the day.
"""

import base64
import hashlib
import re

MAX_KEY = 16
HASH_CHARACTERS = 6
#: Questions of this type are asked again and again with fixed horizons.
SERIES = "dataset"

_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[.:_-][A-Za-z0-9]+)*")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def unit_id(
    *, source: str, question_id: str, question_type: str, forecast_day: str, horizon_days: int
) -> str:
    """Id of one unit; at most 64 characters of ``a-z0-9-``.

    ``question_id`` is the key within the source, ``forecast_day`` an ISO date.
    """
    stem = f"{_slug(source)[:20]}-{question_key(source, question_id)}-{forecast_day.replace('-', '')}"
    return f"{stem}-{horizon_days}d" if question_type == SERIES else stem


def question_key(source: str, question_id: str) -> str:
    """The source's own key where a person can read it, else six letters of its hash."""
    key = question_id.removeprefix(f"{source}:")
    one_case = key in (key.lower(), key.upper())
    if len(key) <= MAX_KEY and one_case and _PLAIN.fullmatch(key):
        return _slug(key)
    digest = hashlib.sha256(question_id.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_CHARACTERS]


def _slug(text: str) -> str:
    return _NOT_PLAIN.sub("-", text.lower()).strip("-")
