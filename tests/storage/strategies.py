# SPDX-License-Identifier: Apache-2.0
"""Every record that the types allow, and a comparison that tells all of them apart."""

import struct
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from server.forecasting.prediction import PredictionRecord

# One NaN, not one of any sign and payload: JSON has one. Half a surrogate pair is no text.
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    float: st.floats(allow_nan=False) | st.just(float("nan")),
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    bool: st.booleans(),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    type(None): st.none(),
    datetime: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
}


@cache
def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Every value of a type, so that a field added tomorrow is in the tests."""
    if kind in _LEAVES:
        return _LEAVES[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        return st.deferred(lambda: _built(kind))  # one may hold others of its own kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return _composed(get_origin(kind), get_args(kind))


def _built(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: anything(hints[field.name]) for field in fields(kind)})


def _composed(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin is tuple:
        return st.lists(anything(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(*map(anything, arguments), max_size=3)
    return st.one_of(*map(anything, arguments))


records = anything(PredictionRecord)


def bits(value: object) -> object:
    """The value with each float as its 64 bits and each type by name: equal only where all is equal."""
    if isinstance(value, float):
        return struct.pack("<d", value).hex()
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [bits(item) for item in value]
    if is_dataclass(value):
        return type(value), [(field.name, bits(getattr(value, field.name))) for field in fields(value)]
    return (value.utcoffset(), value) if isinstance(value, datetime) else (type(value), value)
