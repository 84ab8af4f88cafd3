# SPDX-License-Identifier: Apache-2.0
"""The command line of a training: the same one that a person types."""

import hashlib
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

from server.training.settings import TrainingSettings
from server.training.state import Training, Wish

#: Parameters that a request may set by name, and the options they become.
PARAMETERS = {
    "folds": "--folds",
    "learning_rate": "--learning-rate",
    "max_seconds": "--max-seconds",
}
#: Those of them that count something.
WHOLE = {"folds"}


def artifact_name(wish: Wish) -> str:
    """Name in the repository: of its own for each data set, so that no shipped network is replaced."""
    return re.sub(r"[^a-z0-9]+", "_", f"{wish.architecture}_{wish.dataset}".lower()).strip("_")


def next_version(repository: Path, name: str, taken: set[str]) -> int:
    """The first version above all that are there, or under way."""
    folder = repository / name
    there = {int(entry.name) for entry in folder.glob("*") if entry.name.isdigit()}
    there |= {int(each.rpartition("/")[2]) for each in taken if each.rpartition("/")[0] == name}
    return max(there, default=0) + 1


def work_folder(root: Path, wish: Wish) -> Path:
    """Where its checkpoints lie: the same for the same wish, so that a new start goes on from an old one."""
    text = json.dumps(asdict(wish), sort_keys=True)
    return root / "checkpoints" / hashlib.sha256(text.encode()).hexdigest()[:16]


def command_line(training: Training, repository: Path, settings: TrainingSettings) -> list[str]:
    """Program and arguments."""
    wish, folder = training.wish, settings.folder
    values = {
        "--architecture": wish.architecture,
        "--recording": wish.dataset,
        "--out": repository / training.artifact,
        "--seeds": wish.seed,
        "--work": work_folder(folder, wish),
        "--progress": folder / training.id / "progress.jsonl",
        "--threads": settings.threads,
        "--nice": settings.niceness,
        "--device": settings.device,
        "--precision": settings.precision,
        "--epochs": wish.epochs,
        "--batch-size": wish.batch_size,
        **{PARAMETERS[name]: _plain(name, value) for name, value in wish.parameters.items()},
    }
    options = [str(part) for pair in values.items() if pair[1] is not None for part in pair]
    # Nobody is there to remove checkpoints of a recording that has grown since, or of an older version.
    flags = ["--quiet", "--stop-with-parent", "--renew"]
    return [sys.executable, "-m", "models.training.train", *flags, *options]


def _plain(name: str, value: float) -> str:
    return str(int(value)) if name in WHOLE else repr(value)
