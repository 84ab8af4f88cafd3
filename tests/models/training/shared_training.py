# SPDX-License-Identifier: Apache-2.0
"""One of several processes that train together: a program for torchrun.

    torchrun --nproc-per-node 2 -m tests.models.training.shared_training RECORDING FOLDER STEPS

The last process asks for a stop after STEPS steps (0: never). Each writes to
FOLDER what it ended with.
"""

import hashlib
import json
import sys
from itertools import count
from pathlib import Path

from models.training.recordings import read_recording
from models.training.world import join_world, leave_world
from tests.models.training.test_trainer import make_trainer


def main() -> None:
    """Train, and tell how it ended."""
    file, folder, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    world = join_world("cpu")
    taken = count(1)

    def stop() -> bool:
        return next(taken) == steps and world.rank == world.size - 1

    trainer = make_trainer(
        read_recording(file), checkpoint=folder / "shared.npz", identity="shared", stop=stop, world=world
    )
    outcome = trainer.run()
    digest = hashlib.sha256()
    for value in trainer.network.state_dict().values():
        digest.update(value.numpy().tobytes())
    history = [entry["validation_loss"] for entry in outcome.standing.history]
    content = {"stopped": outcome.stopped, "weights": digest.hexdigest(), "history": history}
    (folder / f"{world.rank}.json").write_text(json.dumps(content))
    leave_world(world)


if __name__ == "__main__":
    main()
