# SPDX-License-Identifier: Apache-2.0
"""The word lists of ``words.toml``."""

import tomllib
from pathlib import Path
from typing import Any

_LISTS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

TURNS = frozenset(_LISTS["turns"].split())
OPENERS = frozenset(_LISTS["openers"].split())
LIGHT = frozenset(_LISTS["light"].split())
ENDINGS: tuple[str, ...] = tuple(_LISTS["endings"].split())
SPELT: dict[str, float] = _LISTS["spelt"]
SCALES: dict[str, float] = _LISTS["scales"]
MONTHS: dict[str, int] = _LISTS["months"]
