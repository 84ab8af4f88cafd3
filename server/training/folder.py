# SPDX-License-Identifier: Apache-2.0
"""The folder in which the servers of one machine keep their trainings, and see each other's."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

from server.training.command import work_folder
from server.training.holds import Hold, alone, briefly_alone, is_held, try_to_hold
from server.training.state import STATE_FILE, Stage, Training, Wish, read_state, write_state

INTERRUPTED = "the server ended while this ran; the same request goes on from its last epoch"
_OWNER, _TURN, _CHANGE, _STOP = "owner.lock", "turn.lock", "change.lock", "stop"


class TrainingFolder:
    """One folder for each training, with its state, its progress and the lock of the server that has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[Path, tuple[tuple[int, ...], Training]] = {}

    def of(self, training_id: str) -> Path:
        """Where a training's files lie."""
        return self.path / training_id

    def all(self) -> list[Training]:
        """Every training, as it was kept last."""
        found = [self.get(file.parent.name) for file in sorted(self.path.glob(f"*/{STATE_FILE}"))]
        return [training for training in found if training is not None]

    def get(self, training_id: str) -> Training | None:
        """A training as it was kept last; what a server left unfinished has failed, and says so."""
        training = self._newest(training_id)
        if training is None or training.stage.over or self.is_owned(training_id):
            return training
        # It may have come to its end before its server let go.
        training = self._newest(training_id)
        if training is not None and not training.stage.over:
            training.stage, training.error = Stage.FAILED, INTERRUPTED
            self.keep(training)
        return training

    def keep(self, training: Training) -> None:
        """Write what is known of it."""
        write_state(training, self.of(training.id))

    def own(self, training_id: str) -> Hold | None:
        """Have a training, so that others know that it has a server; None where another has it."""
        return try_to_hold(self.of(training_id) / _OWNER)

    def is_owned(self, training_id: str) -> bool:
        """Whether a server has it: it runs, or waits for its turn."""
        return is_held(self.of(training_id) / _OWNER)

    def lead(self, wish: Wish) -> Hold | None:
        """Have the schedule of a wish; None where another server has it."""
        return try_to_hold(work_folder(self.path, wish).with_suffix(".lock"))

    def change(self) -> AbstractContextManager[None]:
        """What is read and written inside, no other server changes meanwhile. Blocks for a moment."""
        return briefly_alone(self.path / _CHANGE)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait until no other server trains."""
        return alone(self.path / _TURN)

    def ask_to_stop(self, training_id: str) -> None:
        """Ask the server that has it to stop it."""
        (self.of(training_id) / _STOP).touch()

    def asked_to_stop(self, training_id: str) -> bool:
        """Whether another server asked."""
        return (self.of(training_id) / _STOP).exists()

    def _newest(self, training_id: str) -> Training | None:
        """Read anew only where it was written anew."""
        file = self.of(training_id) / STATE_FILE
        if file.parent.parent != self.path or training_id == "..":
            return None
        try:
            found = file.stat()
        except (OSError, ValueError):
            return None
        written = (found.st_mtime_ns, found.st_ino, found.st_size)
        known = self._read.get(file)
        if known is None or known[0] != written:
            training = read_state(file.parent)
            if training is None:
                return None
            self._read[file] = known = (written, training)
        return known[1]
