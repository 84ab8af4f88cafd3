# SPDX-License-Identifier: Apache-2.0
"""Where a training stands, on disk, so that a killed one goes on where it was.

One ``.npz`` without pickle: tensors as arrays, everything else as one JSON
string. It is written beside and renamed, so a kill leaves the old or the new.
"""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

State = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or belongs to another training."""


@dataclass(slots=True)
class Standing:
    """What is known after an epoch, besides weights and optimiser.

    ``history`` holds one entry for each epoch: training loss, validation loss,
    validation macro-F1 by horizon, learning rate, seconds.
    """

    epoch: int = 0
    best_epoch: int = -1
    best_loss: float = float("inf")
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All of it: standing, current and best weights, optimiser state by parameter, loss scale."""

    identity: str
    standing: Standing
    weights: State
    best: State
    optimizer: dict[str, State]
    scaler: dict[str, Any]


def optimizer_state(optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, State]:
    """State of each parameter by the parameter's name."""
    states = {}
    for name, parameter in network.named_parameters():
        state = optimizer.state.get(parameter, {})
        states[name] = {key: torch.as_tensor(value).detach().cpu() for key, value in state.items()}
    return states


def restore_optimizer(
    optimizer: torch.optim.Optimizer, network: nn.Module, states: Mapping[str, State]
) -> None:
    """Put such a state back."""
    for name, parameter in network.named_parameters():
        state = states.get(name, {})
        if state:
            optimizer.state[parameter] = {
                key: value.clone() if value.ndim == 0 else value.to(parameter.device, copy=True)
                for key, value in state.items()
            }


def write_checkpoint(checkpoint: Checkpoint, file: Path) -> None:
    """Write it, on disk before it takes the place of the one before."""
    arrays: dict[str, NDArray[Any]] = {}
    for kind, state in (("weights", checkpoint.weights), ("best", checkpoint.best)):
        arrays |= {f"{kind}/{name}": tensor.cpu().numpy() for name, tensor in state.items()}
    for name, state in checkpoint.optimizer.items():
        arrays |= {f"optimizer/{name}/{key}": tensor.numpy() for key, tensor in state.items()}
    head = {
        "identity": checkpoint.identity,
        "standing": asdict(checkpoint.standing),
        "scaler": checkpoint.scaler,
    }
    buffer = io.BytesIO()
    np.savez(buffer, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".new")
    with beside.open("wb") as stream:
        stream.write(buffer.getbuffer())
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def read_checkpoint(file: Path, *, identity: str) -> Checkpoint | None:
    """The checkpoint, or None where there is none.

    Raises:
        CheckpointError: it cannot be read, or data, network or settings were others.
    """
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            head = json.loads(str(archive["head"]))
            arrays = {name: torch.from_numpy(archive[name]) for name in archive.files if name != "head"}
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{file}: cannot be read: {error}; remove it to start anew") from error
    if head["identity"] != identity:
        raise CheckpointError(f"{file}: belongs to other data or settings; remove it to start anew")
    return Checkpoint(
        identity=identity,
        standing=Standing(**head["standing"]),
        weights=_below(arrays, "weights/"),
        best=_below(arrays, "best/"),
        optimizer=_optimizer_states(_below(arrays, "optimizer/")),
        scaler=head["scaler"],
    )


def _below(arrays: Mapping[str, Tensor], prefix: str) -> State:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def _optimizer_states(flat: State) -> dict[str, State]:
    states: dict[str, State] = {}
    for path, value in flat.items():
        name, _, key = path.rpartition("/")
        states.setdefault(name, {})[key] = value
    return states
