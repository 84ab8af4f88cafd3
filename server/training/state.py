# SPDX-License-Identifier: Apache-2.0
"""What is known about one training, and how it is kept on disk."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

STATE_FILE = "state.json"


class Stage(StrEnum):
    """Where a training stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (Stage.PENDING, Stage.RUNNING)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be trained. None and an empty mapping leave the recipe's values."""

    architecture: str
    dataset: str
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Training:
    """One training. ``progress`` is the newest line its process has written, see ``models.training``.

    ``served``: its network became the default of a schedule's server.
    """

    id: str
    wish: Wish
    artifact: str
    started: datetime
    stage: Stage = Stage.PENDING
    error: str = ""
    progress: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    served: bool = False


def write_state(training: Training, folder: Path) -> None:
    """Keep it: beside first, then in place, so that a crash leaves the old or the new."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {**asdict(training), "started": training.started.isoformat()}
    beside = folder / (STATE_FILE + ".new")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(folder / STATE_FILE)


def read_state(folder: Path) -> Training | None:
    """The training kept there; None where there is none, or where it cannot be read."""
    try:
        content = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        wish, started = Wish(**content.pop("wish")), datetime.fromisoformat(content.pop("started"))
        stage = Stage(content.pop("stage"))
        return Training(wish=wish, started=started.astimezone(UTC), stage=stage, **content)
    except (OSError, ValueError, TypeError, KeyError):
        return None
