# SPDX-License-Identifier: Apache-2.0
"""How many processors a command's arithmetic may use."""

import os

import torch


def use_threads(count: int) -> None:
    """Let torch use that many threads; 0: as many as this process may run on."""
    torch.set_num_threads(count or len(os.sched_getaffinity(0)))
