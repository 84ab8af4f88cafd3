# SPDX-License-Identifier: Apache-2.0
"""Trainings that run beside the server, each in a process of its own, one at a time.

Serving never waits for one: it is another process, that stands back in the
scheduler. What it does is kept on disk. Where the server ends, so does the
training, after its present step; the same request later goes on from its last epoch.
"""

import asyncio
import json
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

import structlog

from server.forecasting.deadline import Clock
from server.forecasting.errors import NotFoundError
from server.training.artifacts import read_metrics
from server.training.command import artifact_name, command_line, next_version
from server.training.settings import TrainingSettings
from server.training.state import Stage, Training, Wish, read_state, write_state

log = structlog.get_logger(__name__)
INTERRUPTED = "the server ended while this ran; the same request goes on from its last epoch"
STOPPED = 130
_TAKES_A_VERSION = frozenset({Stage.PENDING, Stage.RUNNING, Stage.DONE})
#: How long a process that was asked to stop may take for its present step.
PATIENCE_S = 30.0
ERROR_BYTES = 4_000


class Trainings:
    """All trainings of one server."""

    def __init__(self, settings: TrainingSettings, repository: Path, clock: Clock) -> None:
        self._settings = settings
        self._repository = repository
        self._clock = clock
        self._known: dict[str, Training] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._recall()

    def _recall(self) -> None:
        """What earlier servers began; what they left unfinished has failed, and says so."""
        for folder in sorted(self._settings.folder.glob("*/")):
            training = read_state(folder)
            if training is None:
                continue
            if not training.stage.over:
                training.stage, training.error = Stage.FAILED, INTERRUPTED
                write_state(training, folder)
            self._known[training.id] = training

    def start(self, wish: Wish) -> Training:
        """Begin a training, or line it up behind the one that runs."""
        name = artifact_name(wish)
        # A version that was taken out again is not given to another network.
        taken = {each.artifact for each in self._known.values() if each.stage in _TAKES_A_VERSION}
        version = next_version(self._repository, name, taken)
        now = self._clock.now()
        training = Training(f"{now:%Y%m%dt%H%M%S}-{secrets.token_hex(3)}", wish, f"{name}/{version}", now)
        self._known[training.id] = training
        self._keep(training)
        self._tasks[training.id] = asyncio.create_task(self._run(training))
        return training

    def get(self, training_id: str = "") -> Training:
        """A training as it is now; without an id the latest.

        Raises:
            NotFoundError: there is none.
        """
        if not training_id and self._known:
            return self._refreshed(max(self._known.values(), key=lambda each: (each.started, each.id)))
        if training_id not in self._known:
            raise NotFoundError("training", training_id or "latest")
        return self._refreshed(self._known[training_id])

    def latest(self, wish: Wish) -> Training | None:
        """The latest training of that very wish; None where there is none."""
        found = [each for each in self._known.values() if each.wish == wish]
        return max(found, key=lambda each: (each.started, each.id), default=None)

    async def finished(self, training_id: str) -> Training:
        """The training once it is over.

        Raises:
            NotFoundError: there is none.
        """
        training = self.get(training_id)
        if task := self._tasks.get(training.id):
            await asyncio.wait([task])
        return self._refreshed(training)

    def set_aside(self, training: Training) -> Path:
        """Move the artifact out of the repository, to beside the training's state; returns where it lies."""
        place = self._settings.folder / training.id / "artifact"
        shutil.move(self._repository / training.artifact, place)
        return place

    async def cancel(self, training_id: str) -> Training:
        """Stop a training; one that is over stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        training = self.get(training_id)
        if not training.stage.over:
            await self._stop(training, Stage.CANCELLED, "")
        return self._refreshed(training)

    async def close(self) -> None:
        """Stop all that run; they can go on later."""
        for training in list(self._known.values()):
            if not training.stage.over:
                await self._stop(training, Stage.FAILED, INTERRUPTED)

    async def _stop(self, training: Training, stage: Stage, error: str) -> None:
        training.stage, training.error = stage, error
        self._keep(training)
        process, task = self._processes.get(training.id), self._tasks.get(training.id)
        if process is not None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), PATIENCE_S)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
        elif task is not None:
            task.cancel()
        if task is not None:
            await asyncio.wait([task])

    async def _run(self, training: Training) -> None:
        async with self._turn:
            if training.stage.over:
                return
            try:
                await self._watch(training)
            except OSError as error:
                training.stage, training.error = Stage.FAILED, f"cannot be started: {error}"
            self._keep(training)
        log.info("training", id=training.id, stage=training.stage.value, artifact=training.artifact)

    async def _watch(self, training: Training) -> None:
        environment = dict(os.environ)
        if self._settings.data:
            environment["CONSILIENCE_DATA"] = self._settings.data
        process = await asyncio.create_subprocess_exec(
            *command_line(training, self._repository, self._settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        self._processes[training.id] = process
        if training.stage.over:
            process.terminate()
        else:
            training.stage = Stage.RUNNING
            self._keep(training)
        try:
            _, complaint = await process.communicate()
        finally:
            del self._processes[training.id]
        self._refreshed(training)
        if training.stage.over:
            return
        await self._settle(training, process.returncode or 0, complaint)

    async def _settle(self, training: Training, code: int, complaint: bytes) -> None:
        if code == 0:
            training.stage = Stage.DONE
            training.metrics = await asyncio.to_thread(read_metrics, self._repository / training.artifact)
        elif code == STOPPED:
            training.stage, training.error = Stage.CANCELLED, "it was told to stop from outside"
        else:
            lines = complaint[-ERROR_BYTES:].decode(errors="replace").strip().splitlines()
            training.stage = Stage.FAILED
            training.error = lines[-1] if lines else f"its process ended with status {code}"

    def _refreshed(self, training: Training) -> Training:
        """With the newest line of its progress."""
        file = self._settings.folder / training.id / "progress.jsonl"
        line = _last_line(file)
        if line:
            training.progress = line
        return training

    def _keep(self, training: Training) -> None:
        write_state(training, self._settings.folder / training.id)


def _last_line(file: Path) -> dict[str, object]:
    """The last whole line of a file of JSON lines."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 4096))
            lines = stream.read().split(b"\n")[:-1]
        found = json.loads(lines[-1])
    except (OSError, ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}
