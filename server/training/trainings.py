# SPDX-License-Identifier: Apache-2.0
"""Trainings that run beside the server, each in a process of its own, one at a time.

Serving never waits for one: it is another process, that stands back in the
scheduler. What it does is kept on disk. Where the server ends, so does the
training, after its present step; the same request later goes on from its last epoch.

Servers that share a folder (several processes behind one port, say) see each
other's trainings, can stop them, and do not train at the same time.
"""

import asyncio
import json
import os
import secrets
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog

from server.forecasting.deadline import Clock
from server.forecasting.errors import NotFoundError
from server.training.artifacts import read_metrics
from server.training.command import artifact_name, command_line, next_version
from server.training.folder import INTERRUPTED, TrainingFolder
from server.training.holds import Hold
from server.training.settings import TrainingSettings
from server.training.state import Stage, Training, Wish

log = structlog.get_logger(__name__)
STOPPED = 130
_TAKES_A_VERSION = frozenset({Stage.PENDING, Stage.RUNNING, Stage.DONE})
#: How long a process that was asked to stop may take for its present step.
PATIENCE_S = 30.0
#: How often servers look for what others ask of them.
LOOK_S = 0.2
ERROR_BYTES = 4_000


class Trainings:
    """All trainings of one server, and a view of those of others."""

    def __init__(self, settings: TrainingSettings, repository: Path, clock: Clock) -> None:
        self._settings = settings
        self._repository = repository
        self._clock = clock
        self._folder = TrainingFolder(settings.folder)
        self._own: dict[str, Training] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def start(self, wish: Wish) -> Training:
        """Begin a training, or line it up behind the one that runs."""
        name, now = artifact_name(wish), self._clock.now()
        training_id = f"{now:%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"
        with self._folder.change():
            # A version that was taken out again is not given to another network.
            taken = {each.artifact for each in self._all() if each.stage in _TAKES_A_VERSION}
            version = next_version(self._repository, name, taken)
            training = Training(training_id, wish, f"{name}/{version}", now)
            hold = self._folder.own(training.id)
            assert hold is not None, "nobody else knows this name yet"  # noqa: S101
            self._own[training.id] = training
            self._keep(training)
        self._tasks[training.id] = task = asyncio.create_task(self._run(training))
        # Not at the end of the task's work: one that is cancelled at once never begins it.
        task.add_done_callback(lambda _: hold.release())
        return training

    def get(self, training_id: str = "") -> Training:
        """A training as it is now; without an id the latest.

        Raises:
            NotFoundError: there is none.
        """
        if training_id:
            training = self._own.get(training_id) or self._folder.get(training_id)
        else:
            training = max(self._all(), key=_age, default=None)
        if training is None:
            raise NotFoundError("training", training_id or "latest")
        return self._refreshed(training)

    def latest(self, wish: Wish) -> Training | None:
        """The latest training of that very wish; None where there is none."""
        return max((each for each in self._all() if each.wish == wish), key=_age, default=None)

    def latest_served(self, wish: Wish) -> Training | None:
        """The latest of that wish whose network became the default; None where there is none."""
        found = (each for each in self._all() if each.wish == wish and each.served)
        return max(found, key=_age, default=None)

    def lead(self, wish: Wish) -> Hold | None:
        """Keep the schedule of a wish, of all servers that share the folder; None where another does."""
        return self._folder.lead(wish)

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
        place = self._folder.of(training.id) / "artifact"
        shutil.move(self._repository / training.artifact, place)
        return place

    async def cancel(self, training_id: str) -> Training:
        """Stop a training; one that is over stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        training = self.get(training_id)
        if not training.stage.over:
            if training.id in self._own:
                await self._stop(training, Stage.CANCELLED, "")
            else:
                await self._ask_to_stop(training)
        return self.get(training.id)

    def served(self, training: Training) -> None:
        """Note that its network became the default."""
        training.served = True
        self._keep(training)

    async def close(self) -> None:
        """Stop all that run; they can go on later."""
        for training in list(self._own.values()):
            if not training.stage.over:
                await self._stop(training, Stage.FAILED, INTERRUPTED)

    def _all(self) -> list[Training]:
        own = self._own
        return [*own.values(), *(each for each in self._folder.all() if each.id not in own)]

    async def _ask_to_stop(self, training: Training) -> None:
        """Have the server that runs it stop it, and wait until it has."""
        self._folder.ask_to_stop(training.id)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S + 2 * LOOK_S):
                while self._folder.is_owned(training.id):  # noqa: ASYNC110 - another process tells by a file
                    await asyncio.sleep(LOOK_S)

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
        heeding = asyncio.create_task(self._heed(training))
        try:
            async with self._turn, self._folder.turn():
                if training.stage.over:
                    return
                try:
                    await self._watch(training)
                except OSError as error:
                    training.stage, training.error = Stage.FAILED, f"cannot be started: {error}"
                self._keep(training)
        finally:
            heeding.cancel()
        log.info("training", id=training.id, stage=training.stage.value, artifact=training.artifact)

    async def _heed(self, training: Training) -> None:
        """Stop it when another server asks."""
        while not self._folder.asked_to_stop(training.id):  # noqa: ASYNC110 - another process tells by a file
            await asyncio.sleep(LOOK_S)
        await self._stop(training, Stage.CANCELLED, "")

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
        line = _last_line(self._folder.of(training.id) / "progress.jsonl")
        if line:
            training.progress = line
        return training

    def _keep(self, training: Training) -> None:
        self._folder.keep(training)


def _age(training: Training) -> tuple[datetime, str]:
    return training.started, training.id


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
