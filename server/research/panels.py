# SPDX-License-Identifier: Apache-2.0
"""Panels: which units, which members and which clusters an evaluation scores."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.research.errors import ResearchError


@dataclass(frozen=True, slots=True)
class Panel:
    """Units of one collection (and kind, unless None) with at least so many of the models."""

    name: str
    collection: str
    kind: str | None
    models: tuple[str, ...]
    min_forecasters: int
    cluster: str

    def cluster_of(self, question_id: str) -> str:
        """The cluster that a question belongs to."""
        return _RULES[self.cluster](question_id)


def _itself(question_id: str) -> str:
    return question_id


def _up_to_last_colon(question_id: str) -> str:
    return question_id.rpartition(":")[0] or question_id


_RULES: dict[str, Callable[[str], str]] = {"question": _itself, "match": _up_to_last_colon}


def read_panels(path: Path) -> tuple[Panel, ...]:
    """The panels of a JSON file of the form of ``panels.json``.

    Raises:
        ResearchError: the file is missing, is not JSON, or a panel lacks something.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["panels"]
    except OSError as error:
        raise ResearchError(path, "", f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResearchError(path, "", 'is not JSON of the form {"panels": [...]}') from error
    panels = tuple(_panel(path, f"panels[{i}]", entry) for i, entry in enumerate(entries))
    if not panels or len({panel.name for panel in panels}) < len(panels):
        raise ResearchError(path, "panels", "wants at least one panel, and names that differ")
    return panels


def _panel(path: Path, place: str, entry: dict[str, Any]) -> Panel:
    try:
        return Panel(
            name=str(entry["name"]),
            collection=str(entry["collection"]),
            kind=entry.get("question_type"),
            models=tuple(str(model) for model in entry["models"]),
            min_forecasters=int(entry["min_forecasters"]),
            cluster=_rule(path, place, str(entry.get("cluster", "question_id"))),
        )
    except KeyError as error:
        raise ResearchError(path, place, f"has no {error.args[0]!r}") from error


def _rule(path: Path, place: str, text: str) -> str:
    if text == "question_id":
        return "question"
    if "up to its last colon" in text:
        return "match"
    raise ResearchError(
        path, f"{place}.cluster", f"{text!r}; write 'question_id' or 'question_id up to its last colon'"
    )
