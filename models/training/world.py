# SPDX-License-Identifier: Apache-2.0
"""One process or several (torchrun): who computes which part of a batch."""

import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from models.heads import ForecastNetwork


@dataclass(frozen=True, slots=True)
class World:
    """This process's place among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process's part of a batch; all parts are of one length, so a rest of less is left out."""
        even = len(rows) - len(rows) % self.size
        return rows[self.rank : even : self.size]

    def wrap(self, network: ForecastNetwork) -> nn.Module:
        """The network, its gradients averaged over all processes."""
        if self.size == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over all processes."""
        if self.size > 1:
            distributed.all_reduce(values)
            values /= self.size
        return values

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Each flag, True for all processes where it is for one: whoever left alone would be waited for."""
        if self.size == 1:
            return flags
        raised = torch.tensor(flags, dtype=torch.int32)
        distributed.all_reduce(raised, distributed.ReduceOp.MAX)
        return tuple(bool(flag) for flag in raised)


ALONE = World()


def join_world(device: str) -> World:
    """The world that torchrun describes in the environment; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    # Gradients go from GPU to GPU; scores and flags are numbers on the host, which NCCL does not carry.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo")
    return World(rank=distributed.get_rank(), size=size)


def leave_world(world: World) -> None:
    """Part from the others."""
    if world.size > 1:
        distributed.destroy_process_group()


def local_device(device: str) -> str:
    """``cuda`` becomes this process's own GPU.

    Raises:
        ValueError: there is none, or no such device.
    """
    try:
        torch.device(device)
    except RuntimeError:
        raise ValueError(f"device: {device!r} is none that PyTorch knows; use cpu or cuda") from None
    if device != "cuda":
        return device
    index, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if index >= count:
        raise ValueError(
            f"device: GPU {index} is wanted, and PyTorch finds {count}; use cpu, or fewer processes"
        )
    torch.cuda.set_device(index)
    return f"cuda:{index}"
