# SPDX-License-Identifier: Apache-2.0
"""Values of the client as plain JSON."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from consilience import Binary, Exclusive, FreeText, Numeric, Tensor

_KINDS = {Binary: "binary", Exclusive: "exclusive", Numeric: "numeric", FreeText: "free_text"}


def plain(value: object) -> Any:
    """``value`` with nothing but what JSON knows: names as in the client, times as ISO 8601.

    A span is in seconds. Not a number is null. A question's kind says which it is. A tensor is its
    shape and its values, row by row.
    """
    if isinstance(value, Tensor):
        return {"shape": list(value.shape), "values": plain(value.numpy().ravel().tolist())}
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"type": _KINDS[type(value)]} if type(value) in _KINDS else {}
        named = {each.name: getattr(value, each.name) for each in fields(value) if each.name != "message"}
        return {**kind, **{name: plain(part) for name, part in named.items()}}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else value


def write_json(value: object) -> None:
    """One value, readable, on standard output."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def write_json_line(value: object) -> None:
    """One value on one line, at once."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()
